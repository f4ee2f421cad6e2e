"""What can happen to a call. Everything the heart knows of the world arrives as one of these.

Conventions: `*_ms` on the call clock are milliseconds since the call's first event; `carrier_ms` is
the carrier's own clock (Twilio: media `timestamp`); `axis_ms` is the caller-audio axis of a model
session: milliseconds of caller audio written to it so far. Ids are the vendor's, opaque here.
Audio itself never travels in events: the bridge keeps the bytes, the heart keeps their positions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier's media stream is open and its token was accepted."""

    call_id: str
    stream_id: str
    direction: Direction = "inbound"


@dataclass(frozen=True, slots=True)
class CallerAudioBegan:
    """The first caller frame arrived: the media path is up, so a greeting will be heard."""

    carrier_ms: int


@dataclass(frozen=True, slots=True)
class MarkEchoed:
    """The carrier returned a mark; `carrier_lo_ms..carrier_hi_ms` bounds when it did."""

    name: str
    carrier_lo_ms: int
    carrier_hi_ms: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class CarrierClosed:
    """The caller's side is gone. `hangup`: the caller hung up; `lost`: the socket broke or
    violated the protocol; `stalled`: it stopped taking or sending data."""

    cause: Literal["hangup", "lost", "stalled"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The session is configured and the echoed configuration was checked."""

    session_id: str
    model: str
    expires_at_s: float | None = None
    """Unix time at which the vendor ends the session, if it says so."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The model's voice activity detection heard the caller begin."""

    item_id: str
    audio_start_ms: int
    """On the session's caller-audio axis; includes the model's prefix padding."""
    axis_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    item_id: str
    audio_end_ms: int
    """On the session's caller-audio axis; includes the silence that the model waited for."""
    axis_ms: int
    silence_ms: int = 0
    """The silence contained in `audio_end_ms`, so speech ended at `audio_end_ms - silence_ms`."""


@dataclass(frozen=True, slots=True)
class CallerTurnCommitted:
    item_id: str


@dataclass(frozen=True, slots=True)
class CallerTranscribed:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    response_id: str
    request_id: str = ""
    """The `request_id` of our `CreateResponse`, or "" when the model began by itself."""


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """The model opened an output item in a response."""

    response_id: str
    item_id: str
    kind: Literal["message", "function_call"]


@dataclass(frozen=True, slots=True)
class AudioReceived:
    response_id: str
    item_id: str
    n_bytes: int
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class TextReceived:
    """A piece of the transcript of what the model says."""

    response_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    call_id: str
    item_id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; not validated yet."""


@dataclass(frozen=True, slots=True)
class Usage:
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    total_tokens: int = 0


ResponseStatus: TypeAlias = Literal["completed", "cancelled", "failed", "incomplete"]


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    response_id: str
    status: ResponseStatus
    reason: str = ""
    """The vendor's reason, such as turn_detected, client_cancelled, max_output_tokens."""
    error_code: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ItemTruncated:
    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class ItemDeleted:
    item_id: str


@dataclass(frozen=True, slots=True)
class RateLimits:
    remaining: Mapping[str, int] = field(default_factory=dict)
    reset_ms: Mapping[str, int] = field(default_factory=dict)


FaultKind: TypeAlias = Literal["harmless", "active_response", "rejected", "retryable", "fatal"]


@dataclass(frozen=True, slots=True)
class ModelFault:
    """The model reported an error. `kind` comes from the adapter's table of codes."""

    code: str
    message: str
    kind: FaultKind
    request_id: str = ""
    """The id of the command it answers, if the vendor says so."""


@dataclass(frozen=True, slots=True)
class ModelClosed:
    """The model session is gone or could not be opened."""

    cause: Literal["refused", "unreachable", "wrong_format", "nonsense", "expired", "lost"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ToolFinished:
    call_id: str
    output: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """Say what is queued, then end the call."""

    by: Literal["agent", "operator", "drain"]


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """Time has passed: sent when `Call.due_ms` is reached and never otherwise."""


Event: TypeAlias = (
    StreamStarted
    | CallerAudioBegan
    | MarkEchoed
    | KeyPressed
    | CarrierClosed
    | ModelReady
    | SpeechStarted
    | SpeechStopped
    | CallerTurnCommitted
    | CallerTranscribed
    | ResponseCreated
    | ItemAdded
    | AudioReceived
    | TextReceived
    | ResponseFinished
    | ItemTruncated
    | ItemDeleted
    | RateLimits
    | ModelFault
    | ModelClosed
    | ToolFinished
    | HangUpRequested
    | DeadlineReached
)
