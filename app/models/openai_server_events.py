"""What OpenAI Realtime says, in the heart's words (GA protocol, server events).

The table `_RULES` is the whole mapping. An audio delta is recognised by its first bytes and decoded
in one pass; every other event is peeked for its type first, so an event nobody reads costs no
objects. Nothing that a server sends raises: unknown types and nonsense are counted, and
`NONSENSE_LIMIT` messages of nonsense in a row end the session.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

import msgspec

from app.call import events
from app.call.events import Event, ModelClosed, ModelFault, ToolCall, Usage
from app.models import openai_shapes as wire
from app.models.openai_client_events import ASIDE, AUDIO_FORMAT
from app.models.openai_errors import fault_kind
from app.models.ports import Incoming, SessionStats

NONSENSE_LIMIT = 20
"""Messages of nonsense in a row after which the session is given up."""

_MAX_UNKNOWN_NAMES = 32
_MAX_MESSAGE_CHARS = 300

KEYS = frozenset("0123456789*#ABCD")
AUDIO_DELTA = "response.output_audio.delta"

IGNORED = frozenset(
    {
        "session.created",
        "conversation.created",
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
        "conversation.item.retrieved",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.cleared",
        "input_audio_buffer.timeout_triggered",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
    }
)
"""Known types that tell a call nothing that another event does not tell better. Function calls are
read from `response.done`, because their own events also come for cancelled answers."""

Shape = TypeVar("Shape", bound=msgspec.Struct)
Rule: TypeAlias = Callable[[bytes, "Decoder"], Event | None]


def _rule(shape: type[Shape], build: Callable[[Shape, "Decoder"], Event | None]) -> Rule:
    decoder = msgspec.json.Decoder(shape)
    return lambda raw, session: build(decoder.decode(raw), session)


class Decoder:
    """Turns one session's messages into events; counts what it cannot use into `stats`."""

    def __init__(self, stats: SessionStats, *, silence_ms: int = 0) -> None:
        self._stats = stats
        self._nonsense_in_a_row = 0
        self.silence_ms = silence_ms
        """Silence that the server's voice detection waits for before it calls a turn ended."""
        self.axis_ms = 0
        """Caller audio written when the message being decoded came."""
        self.asides: set[str] = set()
        """Responses in progress that are not part of the conversation."""

    def decode(self, raw: bytes, axis_ms: int) -> Incoming | None:
        """The event in one message; None when it holds nothing for a call."""
        self._stats.events += 1
        self.axis_ms = axis_ms
        try:
            incoming = self._audio(raw) if raw.startswith(_AUDIO_HEAD) else self._other(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._count_nonsense()
        self._nonsense_in_a_row = 0
        return incoming

    def _audio(self, raw: bytes) -> Incoming | None:
        delta = _AUDIO_DELTA.decode(raw)
        audio = delta.delta
        if not audio:
            return None
        self._stats.model_audio_bytes += len(audio)
        event = events.AudioReceived(
            delta.response_id, delta.item_id, len(audio), delta.content_index
        )
        return Incoming(event, audio)

    def _other(self, raw: bytes) -> Incoming | None:
        kind = _ENVELOPE.decode(raw).type
        rule = _RULES.get(kind)
        if rule is not None:
            event = rule(raw, self)
            return None if event is None else Incoming(event)
        if kind == AUDIO_DELTA:
            return self._audio(raw)
        if kind not in IGNORED:
            self._count_unknown(kind)
        return None

    def _count_unknown(self, kind: str) -> None:
        names = self._stats.unknown
        name = kind[:64]
        if name not in names and len(names) >= _MAX_UNKNOWN_NAMES - 1:
            name = "other"
        names[name] = names.get(name, 0) + 1

    def _count_nonsense(self) -> Incoming | None:
        self._stats.nonsense += 1
        self._nonsense_in_a_row += 1
        if self._nonsense_in_a_row < NONSENSE_LIMIT:
            return None
        detail = f"{NONSENSE_LIMIT} messages in a row were no events of the Realtime API"
        return Incoming(ModelClosed("nonsense", detail))


def format_fault(session: wire.EchoedSession) -> ModelClosed | None:
    """Why no audio may flow in this session, or None when it is μ-law both ways.

    OpenAI has been seen to answer in 24 kHz PCM although μ-law was asked for: a caller would hear
    noise. So the echoed session decides, not what was asked.
    """
    audio = session.audio or wire.EchoedAudio()
    for name, side in (("input", audio.input), ("output", audio.output)):
        echoed = side.format.type if side is not None and side.format is not None else None
        if echoed != AUDIO_FORMAT:
            said = "none" if echoed is None else echoed[:64]
            detail = f"audio {name} format: asked for {AUDIO_FORMAT}, the session says {said}"
            return ModelClosed("wrong_format", detail)
    return None


def fault_of(error: wire.Error) -> ModelFault:
    """An `error` object as a fault, its kind from the table of codes."""
    return ModelFault(
        code=error.code or error.type or "",
        message=error.message[:_MAX_MESSAGE_CHARS],
        kind=fault_kind(error.code, error.type),
        request_id=error.event_id or "",
    )


_ITEM_KINDS: dict[str, Literal["message", "function_call"]] = {
    "message": "message",
    "function_call": "function_call",
}


def _item_added(seen: wire.ItemOpened, session: Decoder) -> Event | None:
    kind = _ITEM_KINDS.get(seen.item.type)
    if kind is None or seen.response_id in session.asides:
        return None
    return events.ItemAdded(seen.response_id, seen.item.id, kind)


def _response_created(seen: wire.ResponseOpened, session: Decoder) -> Event | None:
    metadata = seen.response.metadata or {}
    if ASIDE in metadata:
        session.asides.add(seen.response.id)
        return None
    return events.ResponseCreated(seen.response.id, metadata.get("request_id", ""))


def _response_finished(seen: wire.ResponseClosed, session: Decoder) -> Event:
    response = seen.response
    session.asides.discard(response.id)
    if response.metadata is not None and ASIDE in response.metadata:
        text = _text_of(response.output or []) if response.status == "completed" else ""
        return events.SummaryWritten(response.metadata[ASIDE], text, _usage(response.usage))
    details = response.status_details or wire.StatusDetails()
    error = details.error or wire.Error()
    return events.ResponseFinished(
        response.id,
        response.status,
        reason=details.reason or "",
        error_code=error.code or error.type or "",
        tool_calls=_tool_calls(response.output or []),
        usage=_usage(response.usage),
    )


def _text_of(output: list[wire.OutputItem]) -> str:
    parts = [part.text for item in output for part in item.content or [] if part.text]
    return "\n".join(parts)


def _tool_calls(output: list[wire.OutputItem]) -> tuple[ToolCall, ...]:
    """Only completed calls: the arguments of a cut one can be half a JSON text."""
    return tuple(
        ToolCall(item.call_id, item.id, item.name, item.arguments or "")
        for item in output
        if item.type == "function_call"
        and item.status == "completed"
        and item.call_id
        and item.name
    )


def _usage(counts: wire.UsageCounts | None) -> Usage | None:
    if counts is None:
        return None
    heard = counts.input_token_details or wire.InputTokens()
    cached = heard.cached_tokens_details or wire.CachedTokens()
    said = counts.output_token_details or wire.OutputTokens()
    return Usage(
        input_text_tokens=heard.text_tokens or 0,
        input_audio_tokens=heard.audio_tokens or 0,
        cached_text_tokens=cached.text_tokens or 0,
        cached_audio_tokens=cached.audio_tokens or 0,
        output_text_tokens=said.text_tokens or 0,
        output_audio_tokens=said.audio_tokens or 0,
        total_tokens=counts.total_tokens or 0,
    )


def _rate_limits(seen: wire.RateLimitsUpdate, _: Decoder) -> Event:
    named = [(limit.name, limit) for limit in seen.rate_limits if limit.name is not None]
    return events.RateLimits(
        remaining={n: x.remaining for n, x in named if x.remaining is not None},
        reset_ms={
            n: round(x.reset_seconds * 1000) for n, x in named if x.reset_seconds is not None
        },
    )


_ENVELOPE = msgspec.json.Decoder(wire.Envelope)
_AUDIO_DELTA = msgspec.json.Decoder(wire.AudioDelta)
_AUDIO_HEAD = b'{"type":"response.output_audio.delta",'

_RULES: dict[str, Rule] = {
    "session.updated": _rule(wire.SessionEvent, lambda e, _: format_fault(e.session)),
    "input_audio_buffer.speech_started": _rule(
        wire.SpeechStart, lambda e, s: events.SpeechStarted(e.item_id, e.audio_start_ms, s.axis_ms)
    ),
    "input_audio_buffer.speech_stopped": _rule(
        wire.SpeechStop,
        lambda e, s: events.SpeechStopped(e.item_id, e.audio_end_ms, s.axis_ms, s.silence_ms),
    ),
    "input_audio_buffer.committed": _rule(
        wire.OfItem, lambda e, _: events.CallerTurnCommitted(e.item_id)
    ),
    "conversation.item.input_audio_transcription.completed": _rule(
        wire.Transcribed, lambda e, _: events.CallerTranscribed(e.item_id, e.transcript)
    ),
    "conversation.item.input_audio_transcription.failed": _rule(
        wire.ErrorEvent,
        lambda e, _: ModelFault(
            e.error.code or "transcription_failed", e.error.message[:_MAX_MESSAGE_CHARS], "harmless"
        ),
    ),
    "conversation.item.truncated": _rule(
        wire.Truncated, lambda e, _: events.ItemTruncated(e.item_id, e.audio_end_ms)
    ),
    "output_audio_buffer.started": _rule(
        wire.OfResponse, lambda e, _: events.PlayBegan(e.response_id)
    ),
    "output_audio_buffer.stopped": _rule(
        wire.OfResponse, lambda e, _: events.PlayEnded(e.response_id)
    ),
    "output_audio_buffer.cleared": _rule(
        wire.OfResponse, lambda e, _: events.PlayCut(e.response_id)
    ),
    "input_audio_buffer.dtmf_event_received": _rule(
        wire.Dtmf, lambda e, _: events.KeyPressed(e.event) if e.event in KEYS else None
    ),
    "conversation.item.deleted": _rule(wire.OfItem, lambda e, _: events.ItemDeleted(e.item_id)),
    "response.created": _rule(wire.ResponseOpened, _response_created),
    "response.output_item.added": _rule(wire.ItemOpened, _item_added),
    "response.output_audio_transcript.delta": _rule(
        wire.TranscriptDelta, lambda e, _: events.TextReceived(e.response_id, e.item_id, e.delta)
    ),
    "response.done": _rule(wire.ResponseClosed, _response_finished),
    "rate_limits.updated": _rule(wire.RateLimitsUpdate, _rate_limits),
    "error": _rule(wire.ErrorEvent, lambda e, _: fault_of(e.error)),
}
