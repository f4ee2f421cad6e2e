"""A telephone: Twilio as a bot sees it.

Written against Twilio's documented behaviour, not against our own bot: whatever answers Twilio's
webhooks can be called with it.
"""

from app.lab.phone.account import Account
from app.lab.phone.conference import Conference
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
from app.lab.phone.messages import Message, TextReport
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee, voicemail
from app.lab.phone.recording import CallRecording
from app.lab.phone.report import CallReport, Heard, LineEvent, StreamReport
from app.lab.phone.rest import TwilioRest
from app.lab.phone.rest_manners import RestManners
from app.lab.phone.said import Spoken, UtteranceKind
from app.lab.phone.script import (
    DialOutcome,
    HangUp,
    Interrupt,
    Piece,
    Press,
    ReferOutcome,
    Say,
    SayPieces,
    Script,
    Silence,
    Step,
    Wait,
    WaitForBot,
    WaitUntil,
)
from app.lab.phone.sound import any_audio, audible, load_clip
from app.lab.phone.truth import DrySpell, HeardSpan, Played, mid_utterance

__all__ = [
    "Account",
    "Band",
    "Bursts",
    "CallRecording",
    "CallReport",
    "Callee",
    "Clipping",
    "Conference",
    "DialOutcome",
    "DrySpell",
    "Echo",
    "HangUp",
    "Heard",
    "HeardSpan",
    "Impairments",
    "Interrupt",
    "JitterBursts",
    "KeyLeak",
    "LineEvent",
    "Message",
    "Noise",
    "Pace",
    "PhoneLine",
    "Piece",
    "Played",
    "Press",
    "ReferOutcome",
    "RestManners",
    "Say",
    "SayPieces",
    "Script",
    "Silence",
    "Spoken",
    "Stall",
    "Step",
    "StreamReport",
    "TextReport",
    "TwilioRest",
    "UtteranceKind",
    "Wait",
    "WaitForBot",
    "WaitUntil",
    "Window",
    "any_audio",
    "audible",
    "load_clip",
    "mid_utterance",
    "voicemail",
]
