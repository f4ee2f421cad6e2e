"""What happened in a call, as the telephone saw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.lab.phone.caller import StepRecord
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.media import StreamFault
from app.lab.phone.said import Spoken
from app.lab.phone.script import Step
from app.lab.phone.sound import Recording
from app.lab.phone.truth import Played

LineEventKind: TypeAlias = Literal[
    "status",
    "webhook",
    "verb",
    "stream_started",
    "stream_stopped",
    "caller_started",
    "caller_stopped",
    "bot_started",
    "bot_stopped",
    "cleared",
    "key_pressed",
    "step_timeout",
    "error",
    "ended",
]


@dataclass(frozen=True, slots=True)
class LineEvent:
    """Something that a live view shows."""

    call_sid: str
    kind: LineEventKind
    at_ms: int
    """On the line's clock: ms since the call was answered; 0 before."""
    text: str = ""
    """A status, a verb's name, the caller's words, a key, an error: whatever `kind` is about."""


@dataclass(frozen=True, slots=True)
class CallError:
    """What Twilio would show in its debugger: the bot's fault unless `code` is None."""

    code: int | None
    """Twilio's error code; None where this telephone itself cannot do what it is told."""
    detail: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class VerbRecord:
    name: str
    attributes: Mapping[str, str]
    text: str
    began_ms: int
    ended_ms: int
    cut: bool = False
    """Ended by a hang-up or by REST before it was through."""
    nouns: tuple[tuple[str, str], ...] = ()
    """(name, text) of the elements inside, such as a <Dial>'s targets."""
    within: str = ""
    """"wait", "announcement" or "whisper" for TwiML that ran beside or before the call's own."""


HeardKind: TypeAlias = Literal[
    "say", "play", "party", "key", "beep", "ringing", "music", "announcement"
]


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that the person on this leg heard, besides the sound of streams."""

    kind: HeardKind
    """`say` and `play`: of TwiML; `party`: another person's words; `key`: another person's key."""
    text: str
    """The words, the URL or the key."""
    at_ms: int
    """When it began, on the line's clock."""
    by: str = ""
    """Call SID of the person who said it."""


RequestPurpose: TypeAlias = Literal[
    "twiml",
    "action",
    "status",
    "stream_status",
    "recording_status",
    "transcription",
    "partial_result",
    "conference_status",
    "amd_status",
    "message",
    "message_status",
]


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request that the telephone made to the bot's web server."""

    purpose: RequestPurpose
    url: str
    parameters: Mapping[str, str]
    status: int | None
    """HTTP status of the answer; None when there was none."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    stream_sid: str
    url: str
    parameters: Mapping[str, str]
    began_ms: int
    """Due time of the stream's first tick on the line's clock."""
    ended_ms: int
    ended_by: Literal["bot", "phone", "fault"]
    played: Played
    faults: tuple[StreamFault, ...]
    ticks: int
    sent_frames: int
    withheld_frames: int
    unplayed_bytes: int
    """Bot audio still queued when the stream ended: never heard."""
    spoken: tuple[Spoken, ...] = ()
    """What the caller uttered while it lasted, on this stream's clock."""


EndedBy: TypeAlias = Literal["caller", "twiml", "rest", "limit", "error", "callee", "far_end"]


@dataclass(slots=True)
class CallReport:
    identity: CallIdentity
    status: CallStatus = "queued"
    ended_by: EndedBy = "error"
    """`caller`: the person on this leg; `callee`: an outbound call was not answered; `limit`: its
    time limit, or the script's; `far_end`: the other side of a <Dial> or of a conference."""
    duration_ms: int = 0
    """From answer to end, on the line's clock."""
    streams: list[StreamReport] = field(default_factory=list)
    verbs: list[VerbRecord] = field(default_factory=list)
    requests: list[RequestRecord] = field(default_factory=list)
    errors: list[CallError] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    unfinished: tuple[Step, ...] = ()
    spoken: tuple[Spoken, ...] = ()
    """What the caller uttered, on the line's clock."""
    heard: list[Heard] = field(default_factory=list)
    """What the caller heard besides streams: TwiML's words, other people, keys, ringing, music."""
    dialled: list["CallReport"] = field(default_factory=list)
    """The legs that this call's <Dial>s made, each complete once this call's report is."""
    recording: Recording = field(default_factory=Recording)
    max_lag_ms: float = 0.0
    """How late this line's latest tick was: a large value means a busy machine, not a bad bot."""

    @property
    def as_scripted(self) -> bool:
        """Every step was completed in time, somebody ended the call, and nothing went wrong that
        Twilio would report."""
        ended = self.ended_by not in ("limit", "error")
        return ended and not self.unfinished and not self.errors and not self.faults

    @property
    def faults(self) -> list[StreamFault]:
        return [fault for stream in self.streams for fault in stream.faults]
