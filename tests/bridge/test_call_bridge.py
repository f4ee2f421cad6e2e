"""One call between a carrier and a model: it ends once, closes both sides whatever broke, and never
takes another call with it. What sockets can show is in the whole calls (tests/lab_calls)."""

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.bridge import call_bridge, legs
from app.bridge.call_bridge import CallBridge
from app.bridge.call_record import open_journal
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.errands import Runners
from app.bridge.pacer import Pacer
from app.bridge.ports import Observer
from app.call.call import Call
from app.call.commands import Command, CreateResponse, EndCall, OpenLeg, SendToolOutput
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    Effect,
    Event,
    ItemAdded,
    ModelClosed,
    ModelFault,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    ToolCall,
)
from app.call.phases import CallSettings
from app.carriers.clock import CarrierClock
from app.carriers.twilio.media_door import MediaStream
from app.models.ports import Incoming
from app.tools.tool import Manner
from tests.bridge.fake_model import FakeModel

SETTINGS = CallSettings(greeting="Say hello.")
FRAME = "f" * 216
"""Base64 of 160 bytes, as far as a bridge is concerned."""


@dataclass(frozen=True, slots=True)
class Said:
    ok: bool
    output: str
    effect: Effect | None = None
    proof: str = ""


class Tools:
    """One tool that does what a test says."""

    def __init__(self, work: Callable[[], Awaitable[Said]]) -> None:
        self._work = work
        self.cancelled = 0
        self.called_off: list[str] = []

    async def run(self, name: str, arguments_json: str, *, run_id: str) -> Said:
        try:
            return await self._work()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def cancel(self, run_id: str) -> None:
        self.called_off.append(run_id)

    def manner(self, name: str) -> Manner:
        return Manner()

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        return [{"name": name} for name in ("load_tools", *loaded)]


async def booked() -> Said:
    return Said(True, "booked")


@dataclass
class World:
    """A call and its neighbours."""

    model: FakeModel
    sent: list[dict[str, Any]]
    """Messages to the carrier."""
    bridge: CallBridge
    ending: "asyncio.Task[EndCall]"
    broken: Callable[[str, str], None] = field(default=lambda cause, detail: None)

    async def ended(self) -> EndCall:
        return await asyncio.wait_for(asyncio.shield(self.ending), 60)

    async def model_says(self, *events: Event, audio: bytes | None = None) -> None:
        for event in events:
            self.model.says.put_nowait(Incoming(event, audio))
        await self.model_is_heard()

    async def model_is_heard(self) -> None:
        """All that the model said was taken, or the call is over."""
        async with asyncio.timeout(60):
            while self.model.says.qsize() and not self.ending.done():  # noqa: ASYNC110
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    def frame(self, tick: int = 0) -> None:
        self.bridge.media(FRAME, bytes(160), 20 * tick)


@asynccontextmanager
async def in_call(
    *,
    pacer: Pacer | None = None,
    tools: Tools | None = None,
    folder: Path | None = None,
    observers: Sequence[Observer] = (),
    open_model: Callable[[OpenLeg], Awaitable[FakeModel]] | None = None,
) -> AsyncIterator[World]:
    model, sent = FakeModel(), list[dict[str, Any]]()

    async def opened(leg: OpenLeg) -> FakeModel:
        return model

    async def send(message: str | bytes) -> None:
        sent.append(json.loads(message))

    bridge = CallBridge(
        started=StreamStarted("CA1", "MZ1"),
        settings=SETTINGS,
        open_model=open_model or opened,
        runners=Runners(tools or Tools(booked)),
        dialect=MediaStream("MZ1"),
        writer=lambda broken: CarrierWriter(send, broken),
        clock=CarrierClock(0),
        pacer=pacer or Pacer(),
        journal=None if folder is None else open_journal(folder, "CA1", "MZ1", SETTINGS),
        observers=observers,
    )
    world = World(model, sent, bridge, asyncio.create_task(bridge.run()))
    await world.model_is_heard()
    try:
        yield world
    finally:
        bridge.carrier_closed("hangup")
        await world.ended()
        await bridge.finish()


def record(folder: Path) -> dict[str, Any]:
    text = (folder / "calls" / "CA1" / "timeline.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


# What goes through


async def test_caller_audio_is_handed_on_as_it_came_and_at_once() -> None:
    async with in_call() as world:
        world.frame(0)
        world.bridge.media("another", bytes(80), 20)
        assert world.model.told[:1] == [(FRAME, 160)]
        assert world.model.told[-1] == ("another", 80)


async def test_the_model_is_asked_to_greet_when_both_sides_are_there() -> None:
    async with in_call() as world:
        assert world.model.told == []
        world.frame(0)
        assert world.model.told == [(FRAME, 160), CreateResponse("create-1", "Say hello.")]


async def test_the_pacer_knows_the_hearts_deadline_after_every_step() -> None:
    async with in_call() as world:
        world.frame(0)
        await world.model_says(
            ResponseCreated("resp_1", "create-1"), ItemAdded("resp_1", "item_1", "message")
        )
        await world.model_says(AudioReceived("resp_1", "item_1", 8_000), audio=b"\x11" * 8_000)
        bridge = world.bridge
        assert bridge.call.due_ms is not None
        # On a busy machine the next look at the carrier can come before it.
        look_ms = bridge._checked_ms + call_bridge.PADDING_CHECK_MS
        assert bridge.due_at_s == bridge._began_s + min(bridge.call.due_ms, look_ms) / 1000


async def test_model_audio_becomes_whole_frames_for_the_carrier_with_marks_around() -> None:
    async with in_call() as world:
        world.frame(0)
        await world.model_says(
            ResponseCreated("resp_1", "create-1"), ItemAdded("resp_1", "item_1", "message")
        )
        await world.model_says(AudioReceived("resp_1", "item_1", 250), audio=b"\x11" * 250)
        await world.model_says(ResponseFinished("resp_1", "completed"))
        await asyncio.sleep(0)
        events = [message["event"] for message in world.sent]
        assert events == ["mark", "media", "media", "mark"]
        assert {message["streamSid"] for message in world.sent} == {"MZ1"}


# How it ends


async def test_an_operator_ends_a_quiet_call_at_once() -> None:
    async with in_call() as world:
        world.frame(0)
        await world.model_says(
            ResponseCreated("resp_1", "create-1"), ResponseFinished("resp_1", "completed")
        )
        world.bridge.hang_up("operator")
        assert (await world.ended()).reason is EndReason.OPERATOR_HUNG_UP


async def test_the_first_end_counts_and_nothing_happens_after_it() -> None:
    async with in_call() as world:
        world.frame(0)
        world.bridge.carrier_closed("hangup")
        world.bridge.carrier_closed("lost", "too late")
        told, sent = len(world.model.told), len(world.sent)
        world.bridge.key("1")
        world.bridge.mark("e0.0")
        assert (await world.ended()).reason is EndReason.CALLER_HUNG_UP
        assert (len(world.model.told), len(world.sent)) == (told, sent)


@pytest.mark.parametrize("side", ["carrier", "model"])
async def test_both_sides_are_closed_whoever_ended_it(side: str) -> None:
    async with in_call() as world:
        if side == "carrier":
            world.bridge.carrier_closed("lost")
        else:
            world.model.says.put_nowait(Incoming(ModelClosed("refused")))
        await world.ended()
        await world.bridge.finish()
        assert world.model.closed == 1
        world.bridge._writer.write("too late")
        assert world.sent == []


@pytest.mark.parametrize(
    ("cause", "reason"),
    [("stalled", EndReason.CARRIER_STALLED), ("lost", EndReason.CARRIER_LOST)],
)
async def test_a_carrier_socket_that_breaks_while_sending_ends_the_call(
    cause: str, reason: EndReason, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_bridge, "LAST_WORD_S", 0.01)
    async with in_call() as world:
        world.bridge._carrier_broken(cause, "it took nothing")
        assert await world.ended() == EndCall(reason, "it took nothing")


async def test_who_hangs_up_while_we_write_has_hung_up() -> None:
    async with in_call() as world:
        world.bridge._carrier_broken("lost", "ClientDisconnected")
        assert not world.ending.done()
        world.bridge.carrier_closed("hangup")
        assert (await world.ended()).reason is EndReason.CALLER_HUNG_UP


async def test_the_last_word_after_a_fatal_error_says_why_the_model_ended() -> None:
    async with in_call() as world:
        fatal = ModelFault("invalid_api_key", "no such key", "fatal")
        await world.model_says(fatal, ModelClosed("refused", "no such key"))
        assert await world.ended() == EndCall(EndReason.MODEL_REFUSED, "no such key")


async def test_an_expired_session_is_no_fault_that_ends_the_call() -> None:
    async with in_call() as world:
        fatal = ModelFault("session_expired", "60 min", "fatal")
        await world.model_says(fatal, ModelClosed("expired", "60 min"))
        assert [leg.closed_by for leg in world.bridge.call.timeline.legs] == ["expired", None]
        assert not world.ending.done()


async def test_a_fatal_error_without_a_last_word_ends_the_call_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(legs, "LAST_WORD_S", 0.01)
    async with in_call() as world:
        await world.model_says(ModelFault("insufficient_quota", "pay", "fatal"))
        assert await world.ended() == EndCall(EndReason.MODEL_FAILED, "insufficient_quota")


# Faults of ours


class Broken(RuntimeError):
    """What a fault of ours raises."""


async def fault_in_a_command(world: World) -> None:
    world.frame(0)
    world.model.fault = Broken()
    await world.model_says(*tool_turn("book_table"))


async def fault_on_the_media_path(world: World) -> None:
    world.frame(0)
    world.model.fault = Broken()

    async def read() -> None:
        world.frame(1)

    reader = asyncio.create_task(read())
    reader.add_done_callback(world.bridge.watch)
    await asyncio.wait([reader])


async def fault_in_the_model_reader(world: World) -> None:
    world.model.says.put_nowait(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fault",
    [
        fault_in_a_command,
        fault_on_the_media_path,
        fault_in_the_model_reader,
    ],
)
async def test_a_fault_of_ours_ends_its_call_as_internal_error_and_no_other(
    fault: Callable[[World], Awaitable[None]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pacer = Pacer()
    async with in_call(pacer=pacer) as other, in_call(pacer=pacer, folder=tmp_path) as world:
        other.frame(0)
        await fault(world)
        end = await world.ended()
        assert end.reason is EndReason.INTERNAL_ERROR
        await world.bridge.finish()
        assert world.model.closed == 1
        assert record(tmp_path)["end_reason"] == "internal_error"
        assert record(tmp_path)["end_fault"] == "us"
        told = len(other.model.told)
        other.frame(1)
        assert len(other.model.told) == told + 1
        assert not other.ending.done()
    [error] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert error.exc_info is not None
    assert error.__dict__["fields"]["call"] == "CA1"


class Loud:
    """An observer that cannot stand what it sees."""

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        raise Broken


async def test_an_observer_that_fails_ends_the_call_that_it_observes_and_no_other() -> None:
    pacer = Pacer()
    async with in_call(pacer=pacer) as other, in_call(pacer=pacer, observers=[Loud()]) as world:
        assert (await world.ended()).reason is EndReason.INTERNAL_ERROR
        other.frame(0)
        assert not other.ending.done()


async def test_a_call_that_fails_when_its_time_comes_does_not_stop_the_clock_of_the_others() -> (
    None
):
    pacer = Pacer(tick_ms=1)
    async with in_call(pacer=pacer) as broken, in_call(pacer=pacer) as other:
        for world in (broken, other):
            world.frame(0)
        broken.bridge.caller = None  # type: ignore[assignment]
        broken.bridge._checked_ms = other.bridge._checked_ms = -1_000
        assert (await broken.ended()).reason is EndReason.INTERNAL_ERROR
        async with asyncio.timeout(60):
            while other.bridge._checked_ms < 0:  # noqa: ASYNC110 - the clock tells nobody
                await asyncio.sleep(0)
        assert not other.ending.done()


async def test_a_model_that_cannot_even_be_asked_for_is_our_fault() -> None:
    async def opening(_leg: OpenLeg) -> FakeModel:
        raise Broken

    async with in_call(open_model=opening) as world:
        assert (await world.ended()).reason is EndReason.INTERNAL_ERROR


async def test_a_record_that_cannot_be_written_does_not_change_how_the_call_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_call(folder=tmp_path) as world:
        world.frame(0)
        await asyncio.to_thread(shutil.rmtree, tmp_path / "calls")
        world.bridge.carrier_closed("hangup")
        assert (await world.ended()).reason is EndReason.CALLER_HUNG_UP
    assert "the call's record could not be written" in [r.message for r in caplog.records]


# Tools


def tool_turn(*names: str) -> tuple[Event, ...]:
    calls = tuple(ToolCall(f"call_{n}", f"item_{n}", name, "{}") for n, name in enumerate(names))
    return (
        ResponseCreated("resp_1", "create-1"),
        ResponseFinished("resp_1", "completed", tool_calls=calls),
    )


async def test_what_a_tool_says_reaches_the_model_whether_it_worked_or_not() -> None:
    async def refused() -> Said:
        return Said(False, "no table is free")

    async with in_call(tools=Tools(refused)) as world:
        world.frame(0)
        await world.model_says(*tool_turn("book_table"))
        await asyncio.sleep(0)
        outputs = [told for told in world.model.told if isinstance(told, SendToolOutput)]
        assert [output.output for output in outputs] == ["no table is free"]
        assert isinstance(world.model.told[-1], CreateResponse)


async def test_a_toolbox_that_raises_is_a_fault_of_ours() -> None:
    async def raising() -> Said:
        raise Broken

    async with in_call(tools=Tools(raising)) as world:
        world.frame(0)
        await world.model_says(*tool_turn("book_table"))
        assert (await world.ended()).reason is EndReason.INTERNAL_ERROR


async def test_a_tool_that_still_runs_when_the_call_ends_is_stopped() -> None:
    async def endless() -> Said:
        await asyncio.Event().wait()
        raise AssertionError("it was never set")

    tools = Tools(endless)
    async with in_call(tools=tools) as world:
        world.frame(0)
        await world.model_says(*tool_turn("book_table", "book_table"))
        await asyncio.sleep(0)
    assert tools.cancelled == 2


async def test_the_tools_of_a_topic_are_offered_before_its_output_is_told() -> None:
    async def loaded() -> Said:
        return Said(True, "loaded", Effect("topics", "billing"))

    async with in_call(tools=Tools(loaded)) as world:
        world.frame(0)
        await world.model_says(*tool_turn("load_tools"))
        await asyncio.sleep(0)
        assert world.model.offered == [["load_tools", "billing"]]
        assert isinstance(world.model.told[-1], CreateResponse)


async def test_caller_audio_flows_while_a_tool_runs() -> None:
    async def endless() -> Said:
        await asyncio.Event().wait()
        raise AssertionError("it was never set")

    async with in_call(tools=Tools(endless)) as world:
        world.frame(0)
        await world.model_says(*tool_turn("book_table"))
        world.frame(1)
        assert world.model.told[-1] == (FRAME, 160)


# The carrier's silence


class Held(Pacer):
    """A clock that says how late it is."""

    def __init__(self, lag_ms: int) -> None:
        super().__init__()
        self.lag_ms = lag_ms


@pytest.mark.parametrize(("lag_ms", "padded"), [(0, True), (call_bridge.HELD_UP_MS, False)])
async def test_no_silence_is_written_for_frames_that_only_we_are_late_to_read(
    lag_ms: int, padded: bool
) -> None:
    async with in_call(pacer=Held(lag_ms)) as world:
        world.frame(0)
        world.bridge._check_carrier(now_ms=1_000)
        silence = [told for told in world.model.told if isinstance(told, tuple)][1:]
        assert [kind for kind, _ in silence] == (["silence"] if padded else [])


async def test_a_carrier_that_sends_nothing_at_all_is_given_up() -> None:
    async with in_call() as world:
        world.frame(0)
        world.bridge._check_carrier(call_bridge.CARRIER_SILENCE_LIMIT_MS + 1_000)
        assert (await world.ended()).reason is EndReason.CARRIER_STALLED
