"""A fixed sentence in an agent's own voice, spoken once by OpenAI Realtime and taken down as μ-law.

It has a session of its own, without ears and tools, so that no call waits for it and none pays for
its context. The sentence is asked for beside the conversation (`conversation` "none", empty
`input`), as the vendor's guide does for prompts that must come out word for word. A model may still
say something else; what it says it said is therefore held against the text.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.call.events import (
    AudioReceived,
    CloseCause,
    Event,
    ModelClosed,
    ModelFault,
    ResponseCreated,
    ResponseFinished,
    TextReceived,
)
from app.call.letters import letters
from app.models.openai_connect import Credentials, Limits, connect_and_configure
from app.models.openai_errors import cause_of_code, closed_by_socket, safe_code
from app.models.openai_server_events import Decoder
from app.models.ports import SessionConfig, SessionStats
from telecodecs import BYTES_PER_MS, ulaw_dbfs

MAX_PHRASE_BYTES: Final = 60_000 * BYTES_PER_MS
"""Longest recording that is taken, 60 s."""
MARGIN_MS: Final = 60
"""Silence that stays before and after the words, at most; soft consonants lie in it."""

_QUIET_DBFS: Final = -50.0
_WINDOW_BYTES: Final = 10 * BYTES_PER_MS
_MARGIN_BYTES: Final = MARGIN_MS * BYTES_PER_MS - _WINDOW_BYTES
"""The outermost window with sound may begin or end with silence of its own."""
_MAX_TOKENS: Final = 4096
"""The most that an answer may be limited to; 60 s of speech are 1200 tokens."""
_TAKES: Final = 2
_SPEAKER: Final = "You read announcements aloud for a telephone line. You never add a word."
_SAY: Final = (
    "Say exactly the words between the quotation marks, in their language, in a calm and friendly "
    'voice, with nothing before or after them: "{}"'
)

PhraseFault: TypeAlias = (
    CloseCause | Literal["timed_out", "response_failed", "wrong_words", "silence", "too_long"]
)


@dataclass(frozen=True, slots=True)
class PhraseFailed:
    """Why the vendor gave no usable recording: a session's end, or one of our own verdicts."""

    cause: PhraseFault
    detail: str = ""
    """For the log; holds neither a key nor the vendor's free text."""


async def render_phrase(
    text: str,
    config: SessionConfig,
    credentials: Credentials,
    *,
    limits: Limits | None = None,
    timeout_s: float = 15.0,
) -> bytes | PhraseFailed:
    """`text` as μ-law (8 kHz), with at most `MARGIN_MS` of silence at each end.

    Of `config` only model, voice and speed count. A recording with other words, or without sound,
    is asked for once more. Takes `timeout_s` at most, and `limits.close_s` for saying goodbye.
    Vendors' faults do not raise. Raises `ValueError` for a text without words.
    """
    if not letters(text):
        raise ValueError(f"text: expected words to say, got {len(text)} characters without any")
    limits = limits or Limits()
    try:
        async with asyncio.timeout(timeout_s):
            opened = await connect_and_configure(_speaker(config), credentials, limits)
            if isinstance(opened, ModelClosed):
                return PhraseFailed(opened.cause, opened.detail)
            result = await _record(opened.socket, text)
    except TimeoutError:
        return PhraseFailed("timed_out", f"no whole recording within {timeout_s} s")
    await _hang_up(opened.socket, limits.close_s)
    return result


def _speaker(config: SessionConfig) -> SessionConfig:
    """A session with the agent's voice that hears nobody and can do nothing else."""
    return SessionConfig(
        model=config.model,
        voice=config.voice,
        speed=config.speed,
        instructions=_SPEAKER,
        turn_detection=None,
        transcription_model=None,
        max_output_tokens=_MAX_TOKENS,
    )


async def _record(socket: ClientConnection, text: str) -> bytes | PhraseFailed:
    """The first usable take. Breaks the connection when it is cancelled."""
    result: bytes | PhraseFailed = PhraseFailed("silence")
    try:
        for number in range(1, _TAKES + 1):
            take = _Take(f"phrase_{number}")
            await socket.send(_ask(text, take.request_id), text=True)
            if (failed := await _listen(socket, take)) is not None:
                return failed
            result = await asyncio.to_thread(_judge, take, text)
            if isinstance(result, bytes):
                break
    except ConnectionClosed as error:
        closed = closed_by_socket(error)
        return PhraseFailed(closed.cause, closed.detail)
    except BaseException:
        socket.transport.abort()
        raise
    return result


def _ask(text: str, request_id: str) -> bytes:
    response = {
        "conversation": "none",
        "input": [],
        "instructions": _SAY.format(text),
        "output_modalities": ["audio"],
        "metadata": {"request_id": request_id},
    }
    event = {"type": "response.create", "event_id": request_id, "response": response}
    return msgspec.json.encode(event)


@dataclass(slots=True)
class _Take:
    """One response as it comes in; other responses leave no trace in it."""

    request_id: str
    response_id: str | None = None
    audio: bytearray = field(default_factory=bytearray)
    words: str = ""

    def add(self, event: Event, audio: bytes | None) -> ResponseFinished | PhraseFailed | None:
        """Take in one event; returns how the response ended, once it has."""
        match event:
            case ResponseCreated(request_id=self.request_id):
                self.response_id = event.response_id
            case AudioReceived(response_id=self.response_id):
                self.audio += audio or b""
                if len(self.audio) > MAX_PHRASE_BYTES:
                    return PhraseFailed("too_long", f"more than {MAX_PHRASE_BYTES} bytes of audio")
            case TextReceived(response_id=self.response_id):
                self.words += event.text
            case ResponseFinished(response_id=self.response_id):
                return event
            case ModelFault() if event.kind == "fatal" or event.request_id == self.request_id:
                return _refusal(event.code, "error")
            case ModelClosed():
                return PhraseFailed(event.cause, event.detail)
        return None


async def _listen(socket: ClientConnection, take: _Take) -> PhraseFailed | None:
    """Fill `take` until its response is complete. Raises ConnectionClosed."""
    decoder = Decoder(SessionStats())
    ended: ResponseFinished | PhraseFailed | None = None
    while ended is None:
        incoming = decoder.decode(await socket.recv(decode=False), 0)
        if incoming is not None:
            ended = take.add(incoming.event, incoming.audio)
    if isinstance(ended, PhraseFailed):
        return ended
    if ended.status == "completed":
        return None
    return _refusal(ended.error_code or ended.reason, f"the response ended as {ended.status}:")


def _refusal(code: str, what: str) -> PhraseFailed:
    return PhraseFailed(cause_of_code(code) or "response_failed", f"{what} {safe_code(code)}")


def _judge(take: _Take, text: str) -> bytes | PhraseFailed:
    """The recording without its outer silence, or what is wrong with it."""
    said, asked = letters(take.words), letters(text)
    if said != asked:
        detail = f"expected the text's {len(asked)} letters, the transcript has {len(said)} others"
        return PhraseFailed("wrong_words", detail)
    return trimmed(bytes(take.audio)) or PhraseFailed(
        "silence", f"nothing above {_QUIET_DBFS:g} dBFS in {len(take.audio)} bytes"
    )


def trimmed(ulaw: bytes) -> bytes:
    """`ulaw` with at most `MARGIN_MS` of silence at each end; b"" when it holds nothing else.

    Silence is what stays below -50 dBFS for 10 ms.
    """
    starts = range(0, len(ulaw), _WINDOW_BYTES)
    first = next((at for at in starts if _is_sound(ulaw, at)), None)
    if first is None:
        return b""
    last = next(at for at in reversed(starts) if _is_sound(ulaw, at))
    return ulaw[max(0, first - _MARGIN_BYTES) : last + _WINDOW_BYTES + _MARGIN_BYTES]


def _is_sound(ulaw: bytes, at: int) -> bool:
    return ulaw_dbfs(ulaw[at : at + _WINDOW_BYTES]) > _QUIET_DBFS


async def _hang_up(socket: ClientConnection, close_s: float) -> None:
    """Close politely; a peer that does not read answers no close either."""
    try:
        async with asyncio.timeout(close_s):
            await socket.close()
    except TimeoutError:
        return
    finally:
        socket.transport.abort()
