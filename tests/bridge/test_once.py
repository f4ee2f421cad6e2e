"""A tool runs once for each of the model's calls, whichever worker asks, and what is not known to
have happened is not done again."""

import json
from dataclasses import dataclass, field

import pytest

from app.bridge.once import UNKNOWN, OnceTools, Outcome
from app.bridge.ports import ToolOutcome


@dataclass
class Box:
    """Counts how often each tool ran."""

    ran: list[tuple[str, str]] = field(default_factory=list)
    outcome: ToolOutcome = field(default_factory=lambda: Outcome(True, "booked"))
    fault: Exception | None = None

    async def run(self, name: str, arguments_json: str) -> ToolOutcome:
        self.ran.append((name, arguments_json))
        if self.fault is not None:
            raise self.fault
        return self.outcome


@dataclass(frozen=True)
class Known:
    kind: str
    output: str = ""
    ok: bool = True


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

    async def finish(self, call_id: str, tool_call_id: str, output: str, ok: bool) -> None:
        self.runs[call_id, tool_call_id] = Known("finished", output, ok)


def tools(box: Box, memory: Memory | None, call_id: str = "CA1") -> OnceTools:
    return OnceTools(box, call_id, memory)  # type: ignore[arg-type]


async def run(asked: OnceTools, run_id: str = "t1") -> tuple[bool, str]:
    outcome = await asked.run("book", '{"n":2}', run_id=run_id)
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
