"""A telephone: Twilio as a bot sees it.

Written against Twilio's documented behaviour, not against our own bot: whatever answers Twilio's
webhooks can be called with it.
"""

from app.lab.phone.impairments import Impairments, Stall, Window
from app.lab.phone.line import PhoneLine
from app.lab.phone.report import CallReport, LineEvent, StreamReport
from app.lab.phone.rest import Callee, TwilioRest
from app.lab.phone.script import (
    DialOutcome,
    HangUp,
    Interrupt,
    Press,
    Say,
    Script,
    Silence,
    Step,
    Wait,
    WaitForBot,
)
from app.lab.phone.sound import any_audio, audible, load_clip
from app.lab.phone.truth import DrySpell, Played, mid_utterance
from app.lab.phone.verbs import Pace

__all__ = [
    "CallReport",
    "Callee",
    "DialOutcome",
    "DrySpell",
    "HangUp",
    "Impairments",
    "Interrupt",
    "LineEvent",
    "Pace",
    "PhoneLine",
    "Played",
    "Press",
    "Say",
    "Script",
    "Silence",
    "Stall",
    "Step",
    "StreamReport",
    "TwilioRest",
    "Wait",
    "WaitForBot",
    "Window",
    "any_audio",
    "audible",
    "load_clip",
    "mid_utterance",
]
