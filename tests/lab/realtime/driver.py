"""A lab model with a scripted mind, and a raw client that checks the shape of all it receives."""

import asyncio
import base64
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, get_args

import msgspec
import numpy as np
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_session_create_response import RealtimeSessionCreateResponse
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.realtime.server import LabRealtime
from telecodecs.g711 import pcm_to_ulaw

API_KEY = "sk-lab"
MODEL = "gpt-realtime-2.1"
PATIENCE_S = 10.0
EVENT_CLASSES: dict[str, type[BaseModel]] = {
    get_args(cls.model_fields["type"].annotation)[0]: cls
    for cls in get_args(get_args(RealtimeServerEvent)[0])
}


def tone(ms: int, hz: float = 440.0) -> bytes:
    """μ-law at about -12 dBFS."""
    samples = 12000 * np.sin(2 * np.pi * hz * np.arange(ms * 8) / 8000)
    return pcm_to_ulaw(samples.astype("<i2").tobytes())


def silence(ms: int) -> bytes:
    return b"\xff" * (ms * 8)


UTTERANCE = tone(400) + silence(1000)
"""Enough tone to be speech and enough silence to end the turn."""


def extras(model: BaseModel, path: str = "") -> list[str]:
    """Paths of the fields that a model, or one inside it, does not declare."""
    found = [f"{path}.{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        value = getattr(model, name)
        for member in value if isinstance(value, list) else [value]:
            if isinstance(member, BaseModel):
                found += extras(member, f"{path}.{name}")
    return found


def check_shape(payload: str | bytes) -> dict[str, Any]:
    """The event, after the SDK's own types found nothing missing, wrong or unknown in it."""
    event = msgspec.json.decode(payload, type=dict[str, Any])
    parsed = EVENT_CLASSES[event["type"]].model_validate_json(payload, strict=True)
    unknown = extras(parsed)
    if event["type"].startswith("session."):
        session = msgspec.json.encode(event["session"])
        RealtimeSessionCreateResponse.model_validate_json(session, strict=True)
        only_in_response = {".session.id", ".session.object", ".session.expires_at"}
        unknown = [name for name in unknown if name not in only_in_response]
    assert unknown == [], f"{event['type']} has fields that the API does not know: {unknown}"
    return event


class ScriptedBrain:
    """Says the next line of its script at each reply, and remembers what it was shown."""

    def __init__(self, *script: Sequence[Output]) -> None:
        self.script = list(script)
        self.shown: list[list[Turn]] = []
        self.instructions: list[str] = []

    def hints(self) -> Sequence[str]:
        return ("yes | no",)

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self.shown.append(list(conversation))
        self.instructions.append(instructions)
        return self.script.pop(0) if self.script else [Say("Nothing more to say.")]


class AsideScriptedBrain(ScriptedBrain):
    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self.shown.append(list(conversation))
        return [Say(f"summary of {len(conversation)} turns")]


class ScriptedEar:
    """Hears the next line of its script; None stands for speech outside the grammar."""

    def __init__(self, *script: str | None, delay_s: float = 0.0) -> None:
        self.script = list(script)
        self.utterances: list[bytes] = []
        self.hints: list[Sequence[str]] = []
        self._delay_s = delay_s

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        self.utterances.append(utterance)
        self.hints.append(hints)
        await asyncio.sleep(self._delay_s)
        return self.script.pop(0) if self.script else "hello"


class ToneMouth:
    """60 ms of tone for each character."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    async def say(self, text: str, voice: str) -> bytes:
        self.said.append((text, voice))
        return tone(60 * len(text))


class RawClient:
    """Speaks the wire format over plain websockets; keeps every event it received."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []

    async def send(self, type_: str, **fields: Any) -> None:
        await self.send_json({"type": type_, **fields})

    async def send_json(self, event: dict[str, Any]) -> None:
        await self.socket.send(msgspec.json.encode(event).decode())

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            event = check_shape(await self.socket.recv())
        self.events.append(event)
        return event

    async def until(self, *types: str) -> dict[str, Any]:
        """The first of these events that comes; an `error` nobody waits for fails the test."""
        while (event := await self.next())["type"] not in types:
            assert event["type"] != "error", event
        return event

    async def setup(self, **session: Any) -> dict[str, Any]:
        """Asks for μ-law both ways and the settings given; returns the session it got."""
        audio = session.pop("audio", {})
        pcmu = {"type": "audio/pcmu"}
        sides = {side: {"format": pcmu, **audio.get(side, {})} for side in ("input", "output")}
        await self.send("session.update", session={"type": "realtime", "audio": sides, **session})
        updated: dict[str, Any] = (await self.until("session.updated"))["session"]
        return updated

    async def speak(self, audio: bytes, piece_bytes: int = 160) -> None:
        for start in range(0, len(audio), piece_bytes):
            piece = base64.b64encode(audio[start : start + piece_bytes]).decode()
            await self.send("input_audio_buffer.append", audio=piece)

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


class World:
    """The lab model under test and what drives it."""

    def __init__(self) -> None:
        self.brain = ScriptedBrain()
        self.ear = ScriptedEar()
        self.mouth = ToneMouth()
        self.behaviour = Behaviour(think_ms=0, speed=100.0)
        self.lab: LabRealtime | None = None
        self._stack = AsyncExitStack()

    async def start(self) -> LabRealtime:
        if self.lab is None:
            self.lab = await self._stack.enter_async_context(
                LabRealtime(
                    api_key=API_KEY,
                    brain_factory=lambda: self.brain,
                    ear=self.ear,
                    mouth=self.mouth,
                    behaviour=self.behaviour,
                )
            )
        return self.lab

    async def url(self, query: str = f"?model={MODEL}") -> str:
        lab = await self.start()
        return f"{lab.base_url.replace('http', 'ws', 1)}/realtime{query}"

    async def connect(self, key: str = API_KEY, **options: Any) -> RawClient:
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        url = await self.url(**options)
        socket = connect(url, additional_headers=headers, max_size=None)
        return RawClient(await self._stack.enter_async_context(socket))

    async def session(self, **session: Any) -> RawClient:
        """A client whose session is set up for μ-law."""
        client = await self.connect()
        await client.setup(**session)
        return client

    @property
    def log(self) -> SessionLog:
        assert self.lab is not None
        return self.lab.sessions[-1]

    async def close(self) -> None:
        await self._stack.aclose()
