"""Invariant: every call that somebody wants to know of has one record and one of each event, over
all workers, however and wherever its end was noticed; and none before it is over."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis

from app.after.epilogue import Epilogue
from app.after.extraction import Extractor
from app.after.intake import OVER, AfterCalls, Times
from app.after.ledger_here import LedgerHere
from app.after.ports import Ledger
from app.agents.after_table import AfterCall
from app.bridge.keeper import packed as packed_state
from app.call.endings import EndReason
from app.call.events import Snapshot
from app.live import names
from app.live.after_calls import AfterLedger
from app.models.openai_answer import TextFailed
from app.outgoing.events import CallSummarised, OutgoingEvent, data_of
from tests.after.talk import BOOKING, QUICK, TABLE, FakeModel, ended, held_call
from tests.after.test_checking import RIGHT
from tests.live.store import Clock, Store, store_on

SOON = Times(grace_s=0.05, stream_s=0.2, look_s=0.05, quiet_s=60.0, close_s=0.2)
SAID = (
    "Agent: Harbour Table, how may I help you?",
    "Caller: A table for four on the twenty-seventh, in the garden please.",
    'Tool: book_table|{"guests": 4}|{"code": "77"}',
    "Agent: It is booked. Which number can we call you on?",
    "Caller: It's +1 555 010 0123.",
)


@dataclass
class House:
    """Several workers, one store, and what they told."""

    ledger: Callable[[], Ledger]
    clock: Clock
    folder: Path
    settle: Callable[[], Any]
    model: FakeModel = field(default_factory=lambda: FakeModel(json.dumps(RIGHT)))
    table: AfterCall | None = TABLE
    told: dict[str, OutgoingEvent] = field(default_factory=dict)
    """As an outbox keeps them: once by type and call."""
    emitted: list[str] = field(default_factory=list)
    disk_works: bool = True
    carrier: dict[str, bool] = field(default_factory=dict)
    workers: list[AfterCalls] = field(default_factory=list)

    def worker(self) -> AfterCalls:
        epilogue = Epilogue(
            table_of=lambda agent: self.table if agent == "desk" else None,
            extractor=Extractor(self.model, lambda model: None, QUICK),
            model="m",
            tell=self._tell,
            data_dir=self.folder,
        )
        made = AfterCalls(
            self.ledger(),
            epilogue,
            lambda agent: agent == "desk",
            carrier_says=self._carrier_says,
            times=SOON,
            now_s=self.clock,
        )
        self.workers.append(made)
        return made

    async def quiet(self) -> None:
        """Until nobody does anything any more."""
        for _ in range(3):
            for each in self.workers:
                while each._tasks:
                    await asyncio.gather(*each._tasks, return_exceptions=True)
            await self.settle()

    def events(self, call: str = "CA1") -> list[str]:
        return [event.type for event in self.told.values() if event.call_id == call]

    def data(self, kind: str, call: str = "CA1") -> dict[str, Any]:
        return data_of(self.told[f"{kind}/{call}"], numbers=True)

    def record(self, call: str = "CA1") -> Any:
        return json.loads((self.folder / "calls" / call / "after.json").read_text("utf-8"))

    async def _tell(self, event: OutgoingEvent) -> bool:
        if self.disk_works:
            self.emitted.append(event.type)
            self.told.setdefault(f"{event.type}/{event.call_id}", event)
        return self.disk_works

    async def _carrier_says(self, call_id: str) -> bool | None:
        return self.carrier.get(call_id)


@pytest.fixture(params=["shared", "alone"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    clock = Clock()
    if request.param == "alone":
        here = LedgerHere(clock)
        made = House(lambda: here, clock, tmp_path, lambda: asyncio.sleep(0))
        yield made
    else:
        async with shared_house(tmp_path, clock) as made:
            yield made
    for worker in made.workers:
        await worker.close()


class shared_house:
    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self.store: Store

    async def __aenter__(self) -> House:
        self._redis = FakeAsyncRedis()
        self._stack = store_on(self._redis)
        self.store = store = await self._stack.__aenter__()
        clock = self._clock
        made = House(
            lambda: AfterLedger(store.asker, store.outbox, clock),
            clock,
            self._folder,
            store.settle,
        )
        return made

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.__aexit__(None, None, None)
        await self._redis.aclose()


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[tuple[House, Store]]:
    """Workers of several processes on one store."""
    context = shared_house(tmp_path, Clock())
    async with context as made:
        yield made, context.store
        for worker in made.workers:
            await worker.close()


def begin(worker: AfterCalls, call: str = "CA1") -> None:
    worker.offered(
        call, agent="desk", direction="inbound", caller="+15550100001", called="+15550100002"
    )
    worker.stream_began(call, agent="desk", direction="inbound")


def end(worker: AfterCalls, reason: EndReason, call: str = "CA1") -> None:
    held = held_call(*SAID, call_id=call, reason=reason)
    worker.stream_over(held, ended(reason), agent="desk", direction="inbound")


ALL = ["call.started", "call.ended", "call.summarised"]


@pytest.mark.parametrize("reason", sorted(OVER))
async def test_a_stream_that_ends_for_good_ends_the_call(house: House, reason: EndReason) -> None:
    worker = house.worker()
    begin(worker)
    await house.quiet()
    house.clock.now_s += 42
    end(worker, reason)
    await house.quiet()
    assert house.events() == ALL
    assert house.data("call.ended")["reason"] == reason.value
    assert house.data("call.ended")["duration_s"] == 42
    assert house.data("call.summarised")["disposition"] == "booked"
    record = house.record()
    assert record["fields"]["guests"] == 4
    assert (record["reason"], record["agent"], record["asked"]) == (reason.value, "desk", 1)


@pytest.mark.parametrize("reason", sorted(set(EndReason) - OVER))
async def test_any_other_end_waits_for_the_carriers_word(house: House, reason: EndReason) -> None:
    worker = house.worker()
    begin(worker)
    end(worker, reason)
    await house.quiet()
    assert house.events() == ["call.started"]
    worker.call_over("CA1", state="completed", duration_s=77)
    await house.quiet()
    assert house.events() == ALL
    assert house.data("call.ended") | {"reason": "completed", "duration_s": 77} == house.data(
        "call.ended"
    )
    assert house.model.asked[0]["text"] == BOOKING.as_text().replace(', "day": "2026-11-27"', "")


async def test_the_carriers_word_after_the_heart_s_changes_nothing(house: House) -> None:
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.AGENT_HUNG_UP)
    await house.quiet()
    for _ in range(3):
        worker.call_over("CA1", state="completed")
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    assert sorted(house.emitted) == sorted(ALL)
    assert len(house.model.asked) == 1


async def test_the_carriers_word_that_comes_first_waits_for_the_stream(house: House) -> None:
    worker = house.worker()
    begin(worker)
    await house.quiet()
    worker.call_over("CA1", state="completed", duration_s=9)
    await asyncio.sleep(0.1)
    assert "call.ended" not in house.events(), "its stream is still here"
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    assert house.data("call.ended")["reason"] == "caller_hung_up"
    assert house.data("call.ended")["duration_s"] == 9
    assert len(house.model.asked) == 1


async def test_many_workers_that_notice_the_end_write_one_record(
    shared: tuple[House, Store],
) -> None:
    house, _ = shared
    workers = [house.worker() for _ in range(4)]
    begin(workers[0])
    await house.quiet()
    end(workers[0], EndReason.CALLER_HUNG_UP)
    for worker in workers:
        worker.call_over("CA1", state="completed")
    await house.quiet()
    assert sorted(house.emitted) == sorted(ALL)
    assert len(house.model.asked) == 1


async def test_a_call_that_was_handed_on_is_finished_by_whoever_hears_of_its_end(
    shared: tuple[House, Store],
) -> None:
    house, store = shared
    carried, other = house.worker(), house.worker()
    begin(carried)
    end(carried, EndReason.DRAINED)
    await house.quiet()
    await store.redis.delete(names.state("CA1"))  # a long talk with a person: it has expired
    house.workers.remove(carried)
    await carried.close()
    other.call_over("CA1", state="completed", duration_s=3_000)
    await house.quiet()
    assert house.events() == ALL
    assert house.data("call.summarised")["fields"]["guests"] == 4
    assert house.data("call.summarised")["direction"] == "inbound"
    assert await store.redis.exists(names.after_said("CA1")) == 0


async def test_the_newest_stream_tells_what_was_said(shared: tuple[House, Store]) -> None:
    house, _ = shared
    first, second = house.worker(), house.worker()
    begin(first)
    short = held_call("Caller: Hello?")
    first.stream_over(short, ended(EndReason.CARRIER_LOST), agent="desk")
    await house.quiet()
    second.stream_began("CA1", agent="desk", direction="inbound")
    await house.quiet()
    end(second, EndReason.MODEL_LOST)
    await house.quiet()
    first.call_over("CA1", state="completed")
    await house.quiet()
    assert "table for four" in house.model.asked[0]["text"]
    assert house.emitted.count("call.started") == 1


async def test_a_worker_that_was_killed_leaves_its_calls_to_the_others(
    shared: tuple[House, Store],
) -> None:
    house, store = shared
    killed, other = house.worker(), house.worker()
    begin(killed)
    await house.quiet()
    house.workers.remove(killed)
    state = packed_state(Snapshot("CA1", "inbound", "", BOOKING.entries))
    await store.redis.set(names.state("CA1"), state)
    await store.redis.set(names.owner("CA1"), "killed")
    house.clock.now_s += 120
    house.carrier["CA1"] = True
    await other.look()
    await house.quiet()
    assert "call.ended" not in house.events(), "it is still carried, as far as anybody knows"
    await store.redis.delete(names.owner("CA1"))
    house.carrier["CA1"] = False
    await other.look()
    await house.quiet()
    assert "call.ended" not in house.events(), "the carrier says that it goes on"
    house.carrier["CA1"] = True
    await other.look()
    await house.quiet()
    assert house.events() == ALL
    assert house.data("call.summarised")["disposition"] == "booked"


async def test_a_call_of_which_the_carrier_says_nothing_is_over_after_a_while(
    house: House,
) -> None:
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.MODEL_LOST)
    await house.quiet()
    for step_s, over in ((120, False), (500, False), (400, True)):
        house.clock.now_s += step_s
        await worker.look()
        await house.quiet()
        assert ("call.ended" in house.events()) is over
    assert house.data("call.ended")["reason"] == "unknown"


async def test_a_worker_that_died_over_the_record_is_replaced_and_not_for_ever(
    shared: tuple[House, Store],
) -> None:
    house, store = shared
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.MODEL_LOST)
    await house.quiet()
    for _ in range(3):  # three workers claimed it and died
        await house.ledger().claim("CA1")
        await store.redis.delete(names.after_claim("CA1"))
    house.clock.now_s += 120
    house.carrier["CA1"] = True
    await worker.look()
    await house.quiet()
    assert house.model.asked == []
    assert house.record()["cause"] == "workers died of it"
    assert house.events() == ALL


async def test_a_disk_that_takes_no_webhook_is_tried_again_later(house: House) -> None:
    worker = house.worker()
    begin(worker)
    await house.quiet()
    house.disk_works = False
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    assert house.events() == ["call.started"]
    house.disk_works = True
    house.clock.now_s += 61
    house.carrier["CA1"] = True
    await worker.look()
    await house.quiet()
    assert house.events() == ALL


async def test_what_the_model_could_not_do_is_told_too(house: House) -> None:
    house.model = FakeModel(TextFailed("refused", "HTTP 401, invalid_api_key"))
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    told = house.data("call.summarised")
    assert (told["status"], told["cause"]) == ("failed", "refused: HTTP 401, invalid_api_key")
    assert house.record()["fields"] == dict.fromkeys(TABLE.fields)


async def test_webhooks_hold_what_they_include_and_nothing_more(house: House) -> None:
    for include, keys in (
        ((), set()),
        (("transcript", "timeline"), {"transcript", "timeline"}),
    ):
        house.table = AfterCall(include=include)  # type: ignore[arg-type]
        call = f"CA{len(include)}"
        worker = house.worker()
        begin(worker, call)
        end(worker, EndReason.CALLER_HUNG_UP, call)
        await house.quiet()
        told = house.data("call.summarised", call)
        assert told.keys() & {"transcript", "timeline"} == keys
        assert told["from"] == "", "the numbers are not included"
    assert told["transcript"][1] == {
        "speaker": "caller",
        "text": "A table for four on the twenty-seventh, in the garden please.",
    }
    assert told["timeline"]["end_reason"] == "caller_hung_up"


async def test_numbers_are_kept_only_where_webhooks_include_them(house: House) -> None:
    house.table = AfterCall(include=("numbers",))
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    assert house.data("call.ended")["from"] == "+15550100001"
    assert "+1555010000" not in json.dumps(house.record())


async def test_an_agent_whose_calls_nobody_wants_to_know_of_leaves_no_trace(
    shared: tuple[House, Store],
) -> None:
    house, store = shared
    worker = house.worker()
    worker.offered("CA1", agent="other", direction="inbound")
    worker.stream_began("CA1", agent="other", direction="inbound")
    worker.stream_over(held_call(*SAID), ended(), agent="other")
    worker.call_over("CA1", state="completed")
    await house.quiet()
    assert house.emitted == []
    assert await store.redis.keys("*") == [names.after_over("CA1").encode()]
    assert not (house.folder / "calls").exists()


async def test_a_fault_of_ours_costs_one_record_and_is_logged(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("app.after.epilogue.CallSummarised", broken)
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.CALLER_HUNG_UP)
    await house.quiet()
    house.clock.now_s += 120
    await worker.look()
    await house.quiet()
    assert len(house.model.asked) == 1
    assert "a call's record failed inside the bot" in caplog.text


async def test_a_worker_that_ends_leaves_what_it_did_not_finish(house: House) -> None:
    asked, release = asyncio.Event(), asyncio.Event()
    write = house.model.__call__

    class Slow(FakeModel):
        async def __call__(self, *args: Any, **more: Any) -> Any:
            asked.set()
            await release.wait()
            return await write(*args, **more)

    fast, house.model = house.model, Slow("")
    worker = house.worker()
    begin(worker)
    end(worker, EndReason.CALLER_HUNG_UP)
    await asyncio.wait_for(asked.wait(), 60)
    await worker.close()
    house.workers.remove(worker)
    await house.quiet()
    assert "call.summarised" not in house.events()
    house.model = fast
    house.clock.now_s += 120
    house.carrier["CA1"] = True
    other = house.worker()
    await other.look()
    await house.quiet()
    assert house.events() == ALL


def test_the_event_tells_its_result() -> None:
    event = CallSummarised(call_id="CA1", agent="desk", result={"summary": "x"})
    assert data_of(event, numbers=False)["summary"] == "x"
