"""Server events of OpenAI Realtime as they stand on the wire, reduced to the fields we read.

Fields that the API's types call optional are optional here; a missing or wrong required one makes
the event nonsense. All other fields are skipped undecoded.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from app.call.events import ResponseStatus


class Envelope(Struct):
    type: str


class AudioDelta(Struct):
    """`response.output_audio.delta`; `delta` is base64 on the wire."""

    response_id: str
    item_id: str
    delta: bytes
    content_index: int = 0


class TranscriptDelta(Struct):
    response_id: str
    item_id: str
    delta: str


class SpeechStart(Struct):
    item_id: str
    audio_start_ms: int


class SpeechStop(Struct):
    item_id: str
    audio_end_ms: int


class OfItem(Struct):
    """Events that say no more than which item they are about."""

    item_id: str


class OfResponse(Struct):
    """Events that say no more than which response they are about."""

    response_id: str


class Dtmf(Struct):
    """`input_audio_buffer.dtmf_event_received`, of SIP calls only."""

    event: str


class Retrieved(Struct):
    """`conversation.item.retrieved`, and `.added`."""

    item: "OutputItem"


class Truncated(Struct):
    item_id: str
    audio_end_ms: int


class Transcribed(Struct):
    item_id: str
    transcript: str


class Error(Struct):
    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    event_id: str | None = None


class ErrorEvent(Struct):
    error: Error


class ContentPart(Struct):
    type: str = ""
    text: str | None = None


class OutputItem(Struct):
    """One item of a response. The last four fields belong to function calls."""

    type: str
    id: str = ""
    content: list[ContentPart] | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ItemOpened(Struct):
    response_id: str
    item: OutputItem


class CachedTokens(Struct):
    text_tokens: int | None = None
    audio_tokens: int | None = None


class InputTokens(Struct):
    text_tokens: int | None = None
    audio_tokens: int | None = None
    cached_tokens_details: CachedTokens | None = None


class OutputTokens(Struct):
    text_tokens: int | None = None
    audio_tokens: int | None = None


class UsageCounts(Struct):
    total_tokens: int | None = None
    input_token_details: InputTokens | None = None
    output_token_details: OutputTokens | None = None


class StatusDetails(Struct):
    reason: str | None = None
    error: Error | None = None


class NewResponse(Struct):
    id: str
    metadata: dict[str, str] | None = None


class ResponseOpened(Struct):
    response: NewResponse


class OldResponse(Struct):
    id: str
    status: ResponseStatus
    metadata: dict[str, str] | None = None
    status_details: StatusDetails | None = None
    output: list[OutputItem] | None = None
    usage: UsageCounts | None = None


class ResponseClosed(Struct):
    response: OldResponse


class RateLimit(Struct):
    name: str | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


class RateLimitsUpdate(Struct):
    rate_limits: list[RateLimit]


class AudioFormat(Struct):
    type: str | None = None


class EchoedTurns(Struct):
    type: Literal["server_vad", "semantic_vad"] | None = None
    silence_duration_ms: int | None = None
    idle_timeout_ms: int | UnsetType | None = UNSET
    create_response: bool | None = None
    interrupt_response: bool | None = None


class EchoedInput(Struct):
    """`turn_detection` None: the server decides nothing. Unset: it does not say."""

    format: AudioFormat | None = None
    turn_detection: EchoedTurns | UnsetType | None = UNSET


class EchoedOutput(Struct):
    format: AudioFormat | None = None


class EchoedAudio(Struct):
    input: EchoedInput | None = None
    output: EchoedOutput | None = None


class EchoedSession(Struct):
    """The session as the server says it is."""

    id: str = ""
    model: str | None = None
    expires_at: float | None = None
    audio: EchoedAudio | None = None


class SessionEvent(Struct):
    session: EchoedSession
