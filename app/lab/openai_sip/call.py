"""One SIP call at the connector, from the caller's INVITE to the BYE of either side.

    pending --accept--> talking --hang-up of either side, refer that is followed--> over
    pending --reject, the caller gives up--> over

The first decision wins. Once it talks, a session of the lab's realtime model hears the caller and
speaks; its events go to every sideband but for the sound, which goes into the output buffer.
"""

import asyncio
import base64
import contextlib
import copy
import json
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.lab.openai_sip.output import FRAME_BYTES, FRAME_MS, Output

State: TypeAlias = Literal["pending", "talking", "over"]
EndedBy: TypeAlias = Literal["caller", "rest", "rejected", "referred", "vendor"]
CONFIGURE_S = 10.0
_SILENCE = b"\xff" * FRAME_BYTES
_NO_SOUND = ("response.output_audio.delta", "response.output_audio.done")
_NOT_ON_A_SIDEBAND = "input_audio_buffer.append"


class Sideband(Protocol):
    """A socket that watches the call."""

    def put(self, text: str) -> None: ...

    def close(self, code: int, reason: str = "") -> None: ...


@dataclass(slots=True)
class Trouble:
    """What goes wrong with this call. The defaults are a healthy one."""

    accept_status: int = 200
    accept_delay_s: float = 0.0
    refer_status: int = 200
    follows_refer: bool = True
    """The caller's side does what the REFER asks for."""
    hangup_status: int = 200
    refuse_sidebands: int = 0
    """So many joins are answered with 503 ..."""
    unknown_sidebands: int = 0
    """So many joins, before those, are answered with 404: the call is not known there yet."""
    breaking_sidebands: int = 0
    """So many joins are granted and closed at once."""
    lost: frozenset[str] = frozenset()
    """Events of these types do not reach the sidebands."""


class RefusedError(Exception):
    """What the REST API answers instead."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True, eq=False)
class SipCall:
    """`model_url`: of the lab's realtime model, with http://."""

    model_url: str
    api_key: str
    trouble: Trouble = field(default_factory=Trouble)
    call_id: str = field(default_factory=lambda: f"rtc_{secrets.token_hex(12)}")
    state: State = "pending"
    ended_by: EndedBy | None = None
    sip_code: int = 0
    """Of a call that was rejected."""
    referred_to: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every REST request, with its body, also those that were refused."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """All that was sent to sidebands or would have been, had there been one."""
    commands: list[dict[str, Any]] = field(default_factory=list)
    """All that sidebands sent."""
    sidebands: list[Sideband] = field(default_factory=list)
    joined: int = 0
    """How many sidebands there have been."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    output: Output = field(init=False)
    _speech: deque[bytes] = field(default_factory=deque)
    _upstream: ClientConnection | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _session: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.output = Output(self._buffer_event)

    # The caller

    def say(self, ulaw: bytes) -> None:
        """Speak, after what is being said already."""
        for at in range(0, len(ulaw), FRAME_BYTES):
            self._speech.append(ulaw[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff"))

    def press(self, keys: str) -> None:
        for key in keys:
            self.emit(
                {
                    "type": "input_audio_buffer.dtmf_event_received",
                    "event": key,
                    "received_at": int(time.time()),
                }
            )

    def hang_up(self) -> None:
        self._end("caller")

    @property
    def quiet(self) -> bool:
        """Neither side is saying anything."""
        return not self._speech and not self.output.playing

    # REST. All of these raise `RefusedError`.

    async def accept(self, body: dict[str, Any]) -> None:
        self._check("pending", "decision_already_made")
        if body.get("type") != "realtime" or not isinstance(body.get("model"), str):
            raise RefusedError(400, "invalid_value", "expected type 'realtime' and a model")
        if self.trouble.accept_status != 200:
            raise RefusedError(self.trouble.accept_status, "server_error", "try again")
        self.state = "talking"
        await asyncio.sleep(self.trouble.accept_delay_s)
        await self._connect(body)
        if self.state != "talking":
            await self._leave()
            raise RefusedError(404, "call_id_not_found", "the caller has given up")
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._tick())]

    def reject(self, body: dict[str, Any]) -> None:
        self._check("pending", "decision_already_made")
        self.sip_code = int(body.get("status_code", 603))
        self._end("rejected")

    def refer(self, body: dict[str, Any]) -> None:
        self._check("talking", "call_not_active")
        target = str(body.get("target_uri", ""))
        if not target.startswith(("tel:", "sip:", "sips:")):
            raise RefusedError(400, "invalid_value", "target_uri: expected tel: or sip:")
        if self.trouble.refer_status != 200:
            raise RefusedError(self.trouble.refer_status, "refer_failed", "the provider refused")
        self.referred_to = target
        if self.trouble.follows_refer:
            asyncio.get_running_loop().call_later(0.2, self._end, "referred")

    def hangup(self) -> None:
        self._check("talking", "call_not_active")
        if self.trouble.hangup_status != 200:
            raise RefusedError(self.trouble.hangup_status, "server_error", "try again")
        self._end("rest")

    def _check(self, state: State, code: str) -> None:
        if self.state == "over":
            raise RefusedError(404, "call_id_not_found", "no such call")
        if self.state != state:
            raise RefusedError(409, code, f"the call is {self.state}")

    # Sidebands

    def join(self, sideband: Sideband) -> None:
        self.joined += 1
        self.sidebands.append(sideband)
        sideband.put(json.dumps({"type": "session.created", "session": self._session}))

    def drop_sidebands(self, code: int = 0) -> int:
        """Break every sideband; `code` 0: without a word. Returns how many there were."""
        hit, self.sidebands = self.sidebands, []
        for sideband in hit:
            sideband.close(code)
        return len(hit)

    async def command(self, text: str) -> None:
        """What a sideband says."""
        event = json.loads(text)
        self.commands.append(event)
        kind = event.get("type")
        if kind == "output_audio_buffer.clear":
            await self._cut()
        elif kind == _NOT_ON_A_SIDEBAND:
            error = {"type": "invalid_request_error", "code": "invalid_value", "message": kind}
            self.emit({"type": "error", "error": error})
        else:
            await self._send(event)

    def emit(self, event: Mapping[str, Any]) -> None:
        kept = {"event_id": f"event_{secrets.token_hex(8)}", **event}
        self.events.append(kept)
        if kept["type"] in self.trouble.lost:
            return
        text = json.dumps(kept)
        for sideband in self.sidebands:
            sideband.put(text)

    def _buffer_event(self, kind: str, response_id: str) -> None:
        self.emit({"type": kind, "response_id": response_id})

    # The session

    async def _connect(self, body: dict[str, Any]) -> None:
        """With what the call was accepted with. Raises `RefusedError` for what no session takes."""
        url = f"ws{self.model_url.removeprefix('http')}/realtime?model={body['model']}"
        headers = {"Authorization": f"Bearer {self.api_key}"}
        self._upstream = await connect(url, additional_headers=headers, compression=None)
        session = copy.deepcopy({key: value for key, value in body.items() if key != "model"})
        audio = session.setdefault("audio", {})
        for side in ("input", "output"):
            audio.setdefault(side, {})["format"] = {"type": "audio/pcmu"}
        await self._send({"type": "session.update", "session": session})
        async with asyncio.timeout(CONFIGURE_S):
            while True:
                event = json.loads(await self._upstream.recv())
                if event["type"] == "error":
                    await self._leave()
                    self.state = "pending"
                    raise RefusedError(400, "invalid_value", str(event["error"]["message"]))
                if event["type"] == "session.updated":
                    self._session = event["session"]
                    return

    async def _read(self) -> None:
        assert self._upstream is not None
        with contextlib.suppress(ConnectionClosed):
            async for text in self._upstream:
                event = json.loads(text)
                kind = event["type"]
                if kind == _NO_SOUND[0]:
                    audio = base64.b64decode(event["delta"])
                    self.output.add(event["response_id"], event["item_id"], audio)
                elif kind not in _NO_SOUND:
                    self.emit(event)
                if kind == "input_audio_buffer.speech_started":
                    await self._cut()
                elif kind == "response.done":
                    self.output.complete(event["response"]["id"])
            self._end("vendor")

    async def _tick(self) -> None:
        """The caller speaks and hears, 20 ms at a time."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while self.state == "talking":
            frame = self._speech.popleft() if self._speech else _SILENCE
            audio = base64.b64encode(frame).decode()
            await self._send({"type": "input_audio_buffer.append", "audio": audio})
            self.output.frame()
            due_s += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    async def _cut(self) -> None:
        cut = self.output.clear()
        if cut is not None and cut[1]:
            item_id, heard_ms = cut
            truncate = {"item_id": item_id, "content_index": 0, "audio_end_ms": heard_ms}
            await self._send({"type": "conversation.item.truncate", **truncate})

    async def _send(self, event: Mapping[str, Any]) -> None:
        if self._upstream is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._upstream.send(json.dumps(event))

    def _end(self, by: EndedBy) -> None:
        if self.state == "over":
            return
        self.state, self.ended_by = "over", by
        for sideband in self.sidebands:
            sideband.close(1000)
        self.sidebands = []
        self.over.set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _leave(self) -> None:
        if self._upstream is not None:
            await self._upstream.close()

    async def close(self) -> None:
        """When the lab closes."""
        self._end("vendor")
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._leave()
