"""A tool runs once for each of the model's calls, whichever worker asks, and what is not known to
have happened is not done again."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.bridge.once import JOINED, UNKNOWN, OnceTools, Outcome, UnderWay
from app.bridge.ports import ToolOutcome
from app.call.events import Effect
from app.call.tool_desk import CANCELLED
from app.tools.idempotency import idempotency_key
from app.tools.tool import Manner


@dataclass
class Box:
    """Counts how often each tool ran."""

    ran: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    outcome: ToolOutcome = field(default_factory=lambda: Outcome(True, "booked"))
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    """A run waits for it."""
    is_manner: Manner = field(default_factory=Manner)

    async def run(self, name: str, arguments_json: str, *, key: str) -> ToolOutcome:
        self.ran.append((name, arguments_json))
        self.keys.append(key)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return self.outcome

    def manner(self, name: str) -> Manner:
        return self.is_manner

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        return []


@dataclass(frozen=True)
class Known:
    kind: str
    output: str = ""
    ok: bool = True
    effect: Effect | None = None
    proof: str = ""


@dataclass
class Memory:
    """Runs that outlive a worker, as far as `away` lets anybody see them."""

    runs: dict[tuple[str, str], Known] = field(default_factory=dict)
    away: bool = False

    async def begin(self, call_id: str, tool_call_id: str) -> Known:
        if self.away:
            return Known("run")
        known = self.runs.get((call_id, tool_call_id))
        if known is None:
            self.runs[call_id, tool_call_id] = Known("unknown")
            return Known("run")
        return known

    async def finish(
        self,
        call_id: str,
        tool_call_id: str,
        output: str,
        ok: bool,
        effect: Effect | None = None,
        proof: str = "",
    ) -> None:
        self.runs[call_id, tool_call_id] = Known("finished", output, ok, effect, proof)


def tools(box: Box, memory: Memory | None, call_id: str = "CA1") -> OnceTools:
    return OnceTools(box, call_id, memory)  # type: ignore[arg-type]


async def run(asked: OnceTools, run_id: str = "t1", arguments: str = '{"n":2}') -> tuple[bool, str]:
    outcome = await asked.run("book", arguments, run_id=run_id)
    return outcome.ok, outcome.output


@pytest.mark.parametrize("outcome", [Outcome(True, "booked"), Outcome(False, "no table")])
async def test_a_run_that_was_finished_elsewhere_is_answered_from_memory(outcome: Outcome) -> None:
    memory, first, second = Memory(), Box(outcome=outcome), Box()
    told = (outcome.ok, outcome.output)
    assert await run(tools(first, memory)) == told
    assert await run(tools(second, memory)) == told
    assert (first.ran, second.ran) == ([("book", '{"n":2}')], [])


async def test_a_run_of_which_no_end_is_known_is_not_repeated_and_the_model_is_told() -> None:
    memory, box = Memory({("CA1", "t1"): Known("unknown")}), Box()
    assert await run(tools(box, memory)) == (False, UNKNOWN)
    assert box.ran == []
    assert "not done again" in json.loads(UNKNOWN)["error"]


async def test_another_call_and_another_run_are_runs_of_their_own() -> None:
    memory, box = Memory(), Box()
    await run(tools(box, memory))
    await run(tools(box, memory), "t2")
    await run(tools(box, memory, "CA2"))
    assert len(box.ran) == 3


async def test_a_run_that_broke_on_our_side_is_remembered_as_begun() -> None:
    memory, broken, later = Memory(), Box(fault=RuntimeError("ours")), Box()
    with pytest.raises(RuntimeError, match="ours"):
        await run(tools(broken, memory))
    assert await run(tools(later, memory)) == (False, UNKNOWN)
    assert later.ran == []


async def test_with_the_store_away_tools_run_all_the_same() -> None:
    box = Box()
    assert await run(tools(box, Memory(away=True))) == (True, "booked")


async def test_a_process_that_is_alone_remembers_nothing() -> None:
    box = Box()
    asked = tools(box, None)
    assert [await run(asked), await run(asked)] == [(True, "booked")] * 2
    assert len(box.ran) == 2


# The key


async def test_a_run_has_one_key_on_every_worker_and_another_run_another() -> None:
    first, second = Box(), Box()
    await run(tools(first, None))
    await run(tools(second, None))
    await run(tools(second, None), "t2")
    await run(tools(second, None, "CA2"))
    assert first.keys[0] == second.keys[0] == idempotency_key("CA1", "t1")
    assert len({*second.keys}) == 3


async def test_what_can_bear_it_is_tried_again_with_the_same_key() -> None:
    memory = Memory({("CA1", "t1"): Known("unknown")})
    box = Box(is_manner=Manner(idempotent=True))
    assert await run(tools(box, memory)) == (True, "booked")
    assert box.keys == [idempotency_key("CA1", "t1")]


async def test_a_result_has_its_effect_on_every_worker() -> None:
    memory, effect = Memory(), Effect("topics", "billing")
    box = Box(outcome=Outcome(True, "loaded", effect))
    outcomes = [
        await tools(box, memory).run("load", "{}", run_id="t1"),
        await tools(Box(), memory).run("load", "{}", run_id="t1"),
    ]
    assert [outcome.effect for outcome in outcomes] == [effect, effect]


async def test_what_a_run_proved_is_known_to_every_worker() -> None:
    memory, box = Memory(), Box(outcome=Outcome(True, "right", proof="pin"))
    outcomes = [
        await tools(box, memory).run("check", "{}", run_id="t1"),
        await tools(Box(), memory).run("check", "{}", run_id="t1"),
    ]
    assert [outcome.proof for outcome in outcomes] == ["pin", "pin"]


# Twice at a time


async def test_the_same_call_while_it_runs_is_done_once_and_both_are_told() -> None:
    box = Box(gate=asyncio.Event(), outcome=Outcome(True, '"booked"'))
    asked = tools(box, Memory())
    both = asyncio.gather(run(asked, "t1"), run(asked, "t2", ' {"n": 2}'))
    await asyncio.sleep(0)
    assert box.gate is not None
    box.gate.set()
    first, second = await both
    assert first == (True, '"booked"')
    assert json.loads(second[1]) == {"note": JOINED, "result": "booked"}
    assert len(box.ran) == 1


async def test_other_arguments_and_later_calls_are_runs_of_their_own() -> None:
    box = Box()
    asked = tools(box, Memory())
    await asyncio.gather(run(asked, "t1"), run(asked, "t2", '{"n": 3}'))
    await run(asked, "t3")
    assert len(box.ran) == 3


async def test_once_per_call_means_once_per_call_on_every_worker_unless_it_failed() -> None:
    memory, box = Memory(), Box(is_manner=Manner(once_per_call=True))
    box.outcome = Outcome(False, "no table")
    assert await run(tools(box, memory), "t1") == (False, "no table")
    box.outcome = Outcome(True, "booked")
    assert await run(tools(box, memory), "t2") == (True, "booked")
    assert await run(tools(box, memory), "t3") == (True, "booked")
    await run(tools(box, memory, "CA2"), "t4")
    assert len(box.ran) == 3


# Whoever asked has gone


async def test_a_run_outlives_the_stream_that_asked_and_the_next_one_joins_it() -> None:
    box, memory, under_way = Box(gate=asyncio.Event()), Memory(), UnderWay()
    asked = OnceTools(box, "CA1", memory, under_way)  # type: ignore[arg-type]
    gone = asyncio.create_task(run(asked))
    await asyncio.sleep(0)
    gone.cancel()
    again = asyncio.create_task(run(OnceTools(box, "CA1", memory, under_way)))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert box.gate is not None
    box.gate.set()
    assert await again == (True, "booked")
    assert gone.cancelled()
    assert len(box.ran) == 1
    assert under_way == UnderWay()


async def test_a_run_that_was_called_off_is_not_run_again() -> None:
    box, memory = Box(gate=asyncio.Event(), is_manner=Manner(idempotent=True)), Memory()
    asked = tools(box, memory)
    running = asyncio.create_task(run(asked))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked.cancel("t1")
    asked.cancel("t2")
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await run(tools(box, memory)) == (False, CANCELLED)
    assert len(box.ran) == 1
