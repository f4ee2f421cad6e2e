"""Of all sessions of a call only the one that carries it is listened to; a change of sessions hands
over what was said before the first byte of what is said now; what is closed says nothing more."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from app.bridge import legs
from app.bridge.caller_path import CallerPath
from app.bridge.legs import Legs
from app.call.commands import CreateResponse, OpenLeg, TakeLeg
from app.call.events import (
    Entry,
    Event,
    ModelClosed,
    ModelFault,
    ModelReady,
    RateLimits,
    SpeechStarted,
    SpeechStopped,
)
from app.models.ports import Incoming, ModelSession
from tests.bridge.fake_model import FakeModel
from tests.bridge.test_caller_path import GapClock

FRAME = b64encode(b"\x7e" * 160).decode()
VOICE = Entry("caller", "c1", audio_start_ms=0, audio_end_ms=20)
WORDS = Entry("agent", "a1", "Good day.")
FATAL = ModelFault("session_expired", "60 min", "fatal")


class Stuck(FakeModel):
    """A session whose closing takes for ever unless it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()

    async def close(self) -> None:
        await self.let_go.wait()
        await super().close()


class World:
    """The sessions of a call, and what the heart heard of them."""

    def __init__(self) -> None:
        self.models: dict[int, FakeModel] = {}
        self.heard: list[Event] = []
        self.audio: list[bytes | None] = []
        self.faults: list[BaseException] = []
        self.caller = CallerPath(GapClock())
        self.legs = Legs(self._open_model, self.caller, self.step, self._spawn)

    async def _open_model(self, command: OpenLeg) -> ModelSession:
        model = self.models.setdefault(command.leg, FakeModel())
        return cast(ModelSession, model)

    def _spawn(self, work: Awaitable[None]) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults.append(error)

    def step(self, event: Event, audio: bytes | None = None) -> None:
        self.heard.append(event)
        self.audio.append(audio)

    async def open(self, leg: int) -> FakeModel:
        """A session that is ready."""
        self.legs.open(OpenLeg(leg, 0))
        await settle()
        assert self.heard[-1] == ModelReady("sess_1", "fake", leg=leg)
        return self.models[leg]

    async def says(self, leg: int, *events: Event, audio: bytes | None = None) -> list[Event]:
        """What the heart hears of what this session says."""
        before = len(self.heard)
        for event in events:
            self.models[leg].says.put_nowait(Incoming(event, audio))
        await settle()
        return self.heard[before:]

    def take(self, leg: int, *entries: Entry, heard_ms: int = 0) -> None:
        self.legs.take(TakeLeg(leg, entries, heard_ms, None, "operator"))

    def frame(self) -> None:
        self.caller.media(FRAME, bytes(160), 0, 0)


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def in_call() -> AsyncIterator[World]:
    world = World()
    try:
        yield world
        assert world.faults == []
    finally:
        await world.legs.close_all()


async def carried() -> World:
    """Leg 1 carries the call."""
    world = World()
    await world.open(1)
    world.take(1)
    return world


async def test_a_session_that_stands_by_hears_nothing_and_is_heard_of_nothing() -> None:
    async with in_call() as world:
        first, second = await world.open(1), await world.open(2)
        world.take(1)
        world.frame()
        world.legs.send(CreateResponse("create-1"))
        assert first.told == [(FRAME, 160), CreateResponse("create-1")]
        assert (second.told, second.entries) == ([], [])
        assert await world.says(2, RateLimits({"tokens": 1})) == []
        assert await world.says(1, RateLimits({"tokens": 1})) == [RateLimits({"tokens": 1})]


async def test_the_next_session_is_told_what_was_before_it_hears_what_is_now() -> None:
    order: list[str] = []

    class Noting(FakeModel):
        def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
            super().tell(entry, ulaw)
            order.append(entry.kind)

        def send_audio(self, payload_b64: str, n_bytes: int) -> None:
            super().send_audio(payload_b64, n_bytes)
            order.append("audio")

    async with in_call() as world:
        first = await world.open(1)
        world.take(1)
        world.frame()
        world.models[2] = Noting()
        second = await world.open(2)
        world.take(2, VOICE, WORDS)
        world.frame()
        assert order == ["caller", "agent", "audio", "audio"]
        assert [(entry.kind, len(ulaw)) for entry, ulaw in second.entries] == [
            ("caller", 160),
            ("agent", 0),
        ]
        await settle()
        assert (first.closed, second.closed) == (1, 0)
        assert len(first.told) == 1


async def test_what_a_closed_session_still_says_is_not_heard() -> None:
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        world.legs.close(1)
        assert await world.says(1, RateLimits(), ModelClosed("lost")) == []
        assert (world.legs.leg, world.legs.session) == (0, None)
        world.frame()
        world.legs.send(CreateResponse("create-1"))
        assert world.models[1].told == []


async def test_a_session_that_is_gone_is_told_of_once_with_its_leg() -> None:
    async with in_call() as world:
        await world.open(1)
        await world.open(2)
        world.take(1)
        assert await world.says(2, ModelClosed("lost", "reset")) == [
            ModelClosed("lost", "reset", leg=2)
        ]
        assert world.legs.leg == 1
        assert await world.says(1, ModelClosed("expired")) == [ModelClosed("expired", leg=1)]
        assert world.legs.session is None
        await settle()
        assert [model.closed for model in world.models.values()] == [1, 1]


async def test_what_the_caller_says_while_nobody_carries_the_call_waits_for_the_next_leg() -> None:
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        await world.says(1, ModelClosed("lost"))
        world.frame()
        second = await world.open(2)
        assert second.told == []
        world.take(2)
        assert second.told == [(FRAME, 160)]


async def test_positions_of_a_session_are_put_on_the_axis_of_the_call() -> None:
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        started, stopped = SpeechStarted("c1", 10, 60), SpeechStopped("c1", 50, 60, 5)
        assert await world.says(1, started, stopped) == [started, stopped]
        for _ in range(5):
            world.frame()
        await world.open(2)
        world.take(2, heard_ms=60)
        assert await world.says(2, started, stopped) == [
            SpeechStarted("c1", 70, 120),
            SpeechStopped("c1", 110, 120, 5),
        ]


async def test_audio_goes_with_its_event() -> None:
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        await world.says(1, RateLimits(), audio=b"\x11")
        assert world.audio[-1] == b"\x11"


async def test_the_end_that_follows_a_fatal_error_says_better_why() -> None:
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        heard = await world.says(1, FATAL, RateLimits(), ModelClosed("expired", "60 min"))
        assert heard == [ModelClosed("expired", "60 min", leg=1)]


async def test_a_fatal_error_that_no_end_follows_is_told_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(legs, "LAST_WORD_S", 0.01)
    async with in_call() as world:
        await world.open(1)
        world.take(1)
        world.models[1].says.put_nowait(Incoming(FATAL))
        async with asyncio.timeout(60):
            while FATAL not in world.heard:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.005)


async def test_a_leg_may_be_closed_by_what_it_says_itself() -> None:
    world = World()

    def closes(event: Event, audio: bytes | None = None) -> None:
        World.step(world, event, audio)
        if isinstance(event, RateLimits):
            world.legs.close(1)

    world.legs = Legs(world._open_model, world.caller, closes, world._spawn)
    await world.open(1)
    world.take(1)
    await world.says(1, RateLimits(), ModelFault("x", "m", "harmless"))
    assert isinstance(world.heard[-1], RateLimits), "nothing of it counts any more"
    assert world.models[1].closed == 1
    assert world.faults == []
    await world.legs.close_all()


async def test_a_change_does_not_wait_for_the_old_session_to_close() -> None:
    async with in_call() as world:
        slow = world.models[1] = Stuck()
        await world.open(1)
        world.take(1)
        second = await world.open(2)
        world.take(2)
        world.frame()
        assert second.told == [(FRAME, 160)]
        assert slow.closed == 0
        slow.let_go.set()


async def test_an_attempt_that_is_closed_while_it_opens_never_becomes_a_session() -> None:
    world, opening = World(), asyncio.Event()

    async def open_model(_command: OpenLeg) -> ModelSession:
        opening.set()
        await asyncio.Event().wait()
        raise AssertionError("it was never set")

    world.legs = Legs(open_model, world.caller, world.step, world._spawn)
    world.legs.open(OpenLeg(1, 0))
    await opening.wait()
    world.legs.close(1)
    await settle()
    assert (world.heard, world.faults) == ([], [])
    await world.legs.close_all()


async def test_at_the_end_every_session_is_closed_whatever_it_does() -> None:
    class Failing(FakeModel):
        async def close(self) -> None:
            await super().close()
            raise OSError("broken")

    world = await carried()
    world.models[2] = Failing()
    await world.open(2)
    world.models[3] = Stuck()
    stuck = cast(Stuck, await world.open(3))
    stuck.let_go.set()
    await world.legs.close_all()
    assert [model.closed for model in world.models.values()] == [1, 1, 1]
    assert world.legs.session is None


async def test_a_model_that_cannot_be_asked_for_is_a_fault_of_the_task() -> None:
    world = World()

    async def open_model(_command: OpenLeg) -> ModelSession:
        raise RuntimeError("ours")

    world.legs = Legs(open_model, world.caller, world.step, world._spawn)
    world.legs.open(OpenLeg(1, 0))
    await settle()
    assert [str(fault) for fault in world.faults] == ["ours"]
    await world.legs.close_all()


async def test_every_session_gets_the_tools_that_are_offered_also_one_that_is_opening() -> None:
    async with in_call() as world:
        gate = asyncio.Event()
        opening = world.legs._open_model

        async def slowly(command: OpenLeg) -> ModelSession:
            await gate.wait()
            return await opening(command)

        world.legs.open(OpenLeg(1, 0))
        await settle()
        world.legs._open_model = slowly
        world.legs.open(OpenLeg(2, 0))
        await settle()
        world.legs.offer([{"name": "pay"}])
        gate.set()
        await settle()
        assert [world.models[leg].offered for leg in (1, 2)] == [[["pay"]], [["pay"]]]
        world.legs.open(OpenLeg(3, 0, topics=("billing",)))
        await settle()
        assert world.models[3].offered == [], "it was opened with them"
