"""A telephone: Twilio as a bot sees it.

Written against Twilio's documented behaviour, not against our own bot: whatever answers Twilio's
webhooks can be called with it.
"""

from app.lab.phone.impairments import (
    Band,
    Bursts,
    Clipping,
    Echo,
    Impairments,
    JitterBursts,
    KeyLeak,
    Noise,
    Stall,
    Window,
)
from app.lab.phone.line import PhoneLine
from app.lab.phone.report import CallReport, LineEvent, StreamReport
from app.lab.phone.rest import Callee, TwilioRest
from app.lab.phone.said import Spoken, UtteranceKind
from app.lab.phone.script import (
    DialOutcome,
    HangUp,
    Interrupt,
    Piece,
    Press,
    Say,
    SayPieces,
    Script,
    Silence,
    Step,
    Wait,
    WaitForBot,
)
from app.lab.phone.sound import any_audio, audible, load_clip
from app.lab.phone.truth import DrySpell, HeardSpan, Played, mid_utterance
from app.lab.phone.verbs import Pace

__all__ = [
    "Band",
    "Bursts",
    "CallReport",
    "Callee",
    "Clipping",
    "DialOutcome",
    "DrySpell",
    "Echo",
    "HangUp",
    "HeardSpan",
    "Impairments",
    "Interrupt",
    "JitterBursts",
    "KeyLeak",
    "LineEvent",
    "Noise",
    "Pace",
    "PhoneLine",
    "Piece",
    "Played",
    "Press",
    "Say",
    "SayPieces",
    "Script",
    "Silence",
    "Spoken",
    "Stall",
    "Step",
    "StreamReport",
    "TwilioRest",
    "UtteranceKind",
    "Wait",
    "WaitForBot",
    "Window",
    "any_audio",
    "audible",
    "load_clip",
    "mid_utterance",
]
