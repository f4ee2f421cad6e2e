"""OpenAI's GA Realtime endpoint as a load: many sessions that hear everything and speak by clock.

It configures sessions as the real one does, checks each byte of caller audio, and answers by
itself (see `load_answers`). It knows no more of the protocol than a bridge without interruptions
needs; what it does not know it counts, and the bench shows it. For real conversations there is
`app.lab.realtime`.
"""

import asyncio
import itertools
import time
from collections import Counter
from typing import Any

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from bench.load_answers import CYCLE_STEPS, Answers
from bench.load_call import LoadCall
from bench.load_tape import opening_of
from bench.load_wheel import Ring

API_KEY = "sk-load"
SESSION_LIFE_S = 3_600

_DEFAULTS: dict[str, Any] = {
    "object": "realtime.session",
    "type": "realtime",
    "output_modalities": ["audio"],
    "instructions": "Be helpful.",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "truncation": "auto",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
    },
}


class _Append(msgspec.Struct):
    """`input_audio_buffer.append`, and what every other event has as well."""

    type: str
    audio: bytes = b""


_append = msgspec.json.Decoder(_Append)


class LoadModel:
    """The server. `awaited` maps the first bytes of a caller's voice to the call it belongs to."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.awaited: dict[bytes, LoadCall] = {}
        self.sessions: set[Session] = set()
        self.unknown: Counter[str] = Counter()
        """Client events without an answer here, by type."""
        self.dropped = 0
        """Sessions that their bridge closed before the caller hung up."""
        self._server: asyncio.Server | None = None
        self._numbers = itertools.count(1)
        self._silenced = False

    async def listen(self) -> int:
        """Open a port on loopback and return it."""
        self._server = await ws_create_server(self._admit, "127.0.0.1", 0, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Hang up on all sessions and listen no more."""
        if self._server is not None:
            self._server.close()
        for session in tuple(self.sessions):
            session.close()

    def silence(self) -> None:
        """Begin no more answers in any session."""
        self._silenced = True
        for session in self.sessions:
            session.silence()

    @property
    def speaking(self) -> bool:
        return any(session.busy for session in self.sessions)

    def _admit(self, request: WSUpgradeRequest) -> "Session | None":
        keyed = request.headers.get("Authorization") == f"Bearer {API_KEY}"
        if not keyed or not request.path.startswith(b"/v1/realtime?model="):
            return None
        return Session(self, next(self._numbers), silenced=self._silenced)


class Session(WSListener):
    """One model session: the socket of one bridge's call."""

    def __init__(self, model: LoadModel, number: int, *, silenced: bool) -> None:
        self._model = model
        self._id = f"sess_{number:06d}"
        self._settings = {"id": self._id, "model": "gpt-realtime", **_DEFAULTS}
        self._transport: WSTransport | None = None
        self._call: LoadCall | None = None
        self._answers: Answers | None = None
        self._silenced = silenced
        self._asked: list[bytes] = []
        """Metadata of the answers that the client asked for and that did not begin yet."""

    @property
    def busy(self) -> bool:
        return bool(self._asked) or (self._answers is not None and self._answers.busy)

    def silence(self) -> None:
        self._silenced = True
        if self._answers is not None:
            self._answers.silence()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.disconnect()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._model.sessions.add(self)
        self._settings["expires_at"] = int(time.time()) + SESSION_LIFE_S
        self._report("session.created")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._model.sessions.discard(self)
        self._model.ring.leave(self._turn)
        self._transport = None
        self._model.dropped += self._call is not None and not self._call.over

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        raw = frame.get_payload_as_bytes()
        event = _append.decode(raw)
        if event.type == "input_audio_buffer.append":
            self._hear(event.audio, time.monotonic())
        elif event.type == "session.update":
            self._settings = merged(self._settings, msgspec.json.decode(raw)["session"])
            self._report("session.updated")
        elif event.type == "response.create":
            wanted = msgspec.json.decode(raw).get("response") or {}
            self._asked.append(msgspec.json.encode(wanted.get("metadata")))
        else:
            self._model.unknown[event.type] += 1

    def _hear(self, audio: bytes, now_s: float) -> None:
        if self._call is None:
            self._recognise(audio)
        if self._call is not None:
            self._call.caller.heard(audio, now_s)

    def _recognise(self, audio: bytes) -> None:
        """The first bytes of the caller's voice tell which call this is."""
        self._call = call = self._model.awaited.pop(opening_of(audio), None)
        if call is None:
            return
        # 77 steps further for each call spread the answers over the whole cycle.
        self._answers = Answers(self._id, call.bot, call.number * 77 % CYCLE_STEPS)
        if self._silenced:
            self._answers.silence()
        self._model.ring.join(self._turn)

    def _turn(self, now_s: float) -> None:
        if self._answers is None or self._transport is None:
            return
        if self._asked and not self._answers.busy:
            self._answers.ask(self._asked.pop(0), now_s)
        for message in self._answers.step(now_s):
            self._transport.send(WSMsgType.TEXT, message)

    def _report(self, kind: str) -> None:
        if self._transport is not None:
            event = {"type": kind, "event_id": f"event_{self._id}{kind}", "session": self._settings}
            self._transport.send(WSMsgType.TEXT, msgspec.json.encode(event))


def merged(settings: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """A session's settings after an update: only what is named changes, a format as a whole."""
    result = dict(settings)
    for name, value in update.items():
        old = result.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and name != "format":
            result[name] = merged(old, value)
        else:
            result[name] = value
    return result
