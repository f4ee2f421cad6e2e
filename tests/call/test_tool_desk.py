"""Every tool call gets one output, and every group of them one answer."""

import json

from app.call.collect_tool import COLLECT_TOOL
from app.call.commands import RunTool, SendToolOutput
from app.call.events import ToolCall, ToolFinished
from app.call.tool_desk import HANG_UP_TOOL, ToolDesk, refuse


def call(call_id: str, name: str = "book") -> ToolCall:
    return ToolCall(call_id, f"item-{call_id}", name, "{}")


def done(desk: ToolDesk, call_id: str) -> bool:
    """Whether the output is the last of its group."""
    commands, last = desk.finished(ToolFinished(call_id, "out"))
    assert commands == [SendToolOutput(f"output-{call_id}", call_id, "out")]
    return last


def test_each_call_is_run_with_its_own_arguments() -> None:
    commands = ToolDesk().start((ToolCall("c1", "i1", "book", '{"n": 2}'), call("c2", "cancel")))

    assert commands == [RunTool("c1", "book", '{"n": 2}'), RunTool("c2", "cancel", "{}")]


def test_only_the_last_output_of_a_group_asks_for_an_answer() -> None:
    desk = ToolDesk()
    desk.start((call("c1"), call("c2"), call("c3")))

    assert [done(desk, name) for name in ("c2", "c1", "c3")] == [False, False, True]


def test_a_slow_tool_does_not_hold_up_a_later_group() -> None:
    desk = ToolDesk()
    desk.start((call("slow"),))
    desk.start((call("quick"),))

    assert done(desk, "quick")
    assert done(desk, "slow")


def test_an_output_that_nobody_waits_for_is_dropped() -> None:
    desk = ToolDesk()
    desk.start((call("c1"),))
    done(desk, "c1")

    assert desk.finished(ToolFinished("c1", "again")) == ([], False)
    assert desk.finished(ToolFinished("unknown", "x")) == ([], False)


def test_hanging_up_beside_other_tools_is_refused_and_the_others_run() -> None:
    desk = ToolDesk()
    refusal, run = desk.start((call("h", HANG_UP_TOOL), call("c1")))

    assert isinstance(refusal, SendToolOutput)
    assert json.loads(refusal.output)["ok"] is False
    assert run == RunTool("c1", "book", "{}")
    assert done(desk, "c1")


def test_digits_are_no_errand_but_a_call_of_their_group() -> None:
    desk = ToolDesk()
    assert desk.start((call("d", COLLECT_TOOL), call("c1"))) == [RunTool("c1", "book", "{}")]

    assert not done(desk, "c1")
    assert desk.busy
    assert desk.came_back("d", "out") == ([SendToolOutput("output-d", "d", "out")], True)
    assert desk.came_back("d", "out") == ([], False)


def test_nobody_waits_for_a_tool_while_only_digits_are_collected() -> None:
    desk = ToolDesk()
    desk.start((call("d", COLLECT_TOOL), call("c1")))
    assert desk.at_work
    done(desk, "c1")

    assert desk.busy
    assert not desk.at_work


def test_a_second_number_in_one_answer_is_refused_and_the_first_is_collected() -> None:
    desk = ToolDesk()
    (refusal,) = desk.start((call("d1", COLLECT_TOOL), call("d2", COLLECT_TOOL)))

    assert isinstance(refusal, SendToolOutput)
    assert refusal.call_id == "d2"
    assert done(desk, "d1")


def test_a_refusal_says_why() -> None:
    assert json.loads(refuse("c1", "busy").output) == {"ok": False, "reason": "busy"}
