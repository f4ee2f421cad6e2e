"""A call of collect_digits has one output and one answer, whatever the caller presses and whatever
else the model calls. In virtual time, with a model that answers."""

from dataclasses import replace

import pytest

from app.call.commands import AddUserText, RunTool
from app.call.events import (
    ToolCall,
)
from app.call.patience import PatienceSettings
from tests.call.collecting_play import (
    QUESTION_MS,
    SETTINGS,
    asked_of,
    asking,
    is_over,
    outputs,
    press,
    wanted,
    wishes,
)
from tests.call.handover_play import of
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_model import Answer

# Keys


def test_the_digits_are_one_output_and_get_one_answer() -> None:
    line = asked_of(asking(min_digits=4, max_digits=4))
    press(line, "4711")
    line.run_for(5_000)

    assert outputs(line) == {"d1": {"ok": True, "digits": "4711", "reason": "length"}}
    assert wishes(line) == ["Greet.", ""]
    assert of(AddUserText, list(line.commands())) == []
    assert of(RunTool, list(line.commands())) == []
    is_over(line, answers=2)
    assert line.heard("a0") == 6_400


def test_the_end_key_that_follows_the_last_digit_cuts_no_answer() -> None:
    line = asked_of(asking(max_digits=4))
    press(line, "4711", 150)
    line.run_for(150)
    assert line.call.responses.busy
    press(line, "#")
    line.run_for(5_000)

    assert line.heard("a0") == 6_400
    is_over(line, answers=2)


def test_a_caller_who_knows_the_question_types_into_it() -> None:
    line = asking(min_digits=4, max_digits=4)
    while len(line.carrier.played) < 4_000:
        line.run_for(10)
    press(line, "4711")
    line.run_for(5_000)

    assert outputs(line)["d1"]["digits"] == "4711"
    assert line.heard("question") < QUESTION_MS * 8 / 2
    is_over(line, answers=2)


def test_the_run_stands_in_the_turn_that_asked_for_it_and_the_answer_in_one_of_keys() -> None:
    line = asked_of(asking(max_digits=2))
    press(line, "47")
    line.run_for(3_000)

    asked, answered = line.call.timeline.turns
    (run,) = asked.tools
    assert (run.name, run.ok, answered.cause) == ("collect_digits", True, "keys")
    assert run.finished_ms is not None


# Tries


def test_the_first_key_is_waited_for_from_the_end_of_the_question_on() -> None:
    line = asking(first_digit_s=5, retries=0)
    asked_of(line)
    ended_ms = line.heap.now_ms - 200
    while not outputs(line):
        line.run_for(10)

    assert 5_000 <= line.heap.now_ms - ended_ms <= 5_300
    assert outputs(line)["d1"] == {"ok": False, "digits": "", "reason": "no_input"}


def test_a_caller_who_presses_nothing_is_asked_again_until_the_tries_are_used_up() -> None:
    line = asking(first_digit_s=5, retries=2)
    line.run_until(60_000)

    first, second, third, last = wishes(line)[:4]
    assert (first, last) == ("Greet.", "")
    assert second == third
    assert "pressed no key" in second
    assert outputs(line)["d1"]["reason"] == "no_input"
    causes = [turn.cause for turn in line.call.timeline.turns]
    assert causes[:4] == ["greeting", "silence", "silence", "silence"]


def test_a_short_entry_is_asked_for_again_and_the_next_try_counts() -> None:
    line = asked_of(asking(min_digits=4, max_digits=6, terminator="*"))
    press(line, "47*")
    line.run_for(200)
    assert "4 or more are needed" in wishes(line)[-1]
    assert "* at the end" in wishes(line)[-1]
    assert not outputs(line)
    line.run_for(3_000)
    press(line, "4711*")
    line.run_for(3_000)

    assert outputs(line) == {"d1": {"ok": True, "digits": "4711", "reason": "terminator"}}
    is_over(line, answers=3)


def test_while_keys_are_collected_nobody_asks_whether_the_caller_is_there() -> None:
    patience = PatienceSettings(prompts=("Still there?",), after_ms=2_000)
    settings = replace(SETTINGS, patience=patience)
    line = asked_of(asking(settings=settings, first_digit_s=20, inter_digit_s=20))
    line.run_for(15_000)
    press(line, "4")
    line.run_for(15_000)
    assert "Still there?" not in wishes(line)
    press(line, "#")
    line.run_for(10_000)

    assert "Still there?" in wishes(line)


# Other tools


@pytest.mark.parametrize("slow_ms", [100, 12_000])
def test_other_tools_of_the_answer_and_the_digits_get_one_answer_together(slow_ms: int) -> None:
    line = asking(wanted(max_digits=2), ToolCall("b1", "item-b1", "book", "{}"))
    line.tool_ms["book"] = slow_ms
    asked_of(line)
    press(line, "47")
    line.run_for(20_000)

    assert set(outputs(line)) == {"d1", "b1"}
    assert wishes(line)[:2] == ["Greet.", ""]
    assert [c.call_id for c in of(RunTool, list(line.commands()))] == ["b1"]
    assert "a0" in line.model.items


def test_two_numbers_at_once_are_asked_for_one_after_the_other() -> None:
    line = asked_of(asking(wanted("d1", max_digits=2), wanted("d2", max_digits=4)))
    assert outputs(line)["d2"]["ok"] is False
    press(line, "47")
    line.run_for(3_000)

    assert outputs(line)["d1"]["digits"] == "47"
    is_over(line, answers=2)


def again(line: VirtualLine, call: ToolCall) -> None:
    """The model, asked for something else, calls the tool once more."""
    line.model.script.append(Answer((), (call,)))
    line.model.respond("")
    line.run_for(400)


def test_a_model_that_calls_it_again_means_the_same_keys() -> None:
    line = asked_of(asking(max_digits=4))
    press(line, "47", 100)
    again(line, wanted("d2", max_digits=4))
    press(line, "11")
    line.run_for(3_000)

    told = outputs(line)
    assert (told["d1"]["ok"], told["d2"]["digits"]) == (False, "4711")
    assert wishes(line) == ["Greet.", ""]
    is_over(line, answers=3)


def test_a_model_that_asks_for_another_number_gets_that_one() -> None:
    line = asked_of(asking(max_digits=4))
    press(line, "47", 100)
    again(line, wanted("d2", max_digits=2))
    press(line, "12")
    line.run_for(3_000)

    told = outputs(line)
    assert (told["d1"]["ok"], told["d2"]["digits"]) == (False, "12")
    is_over(line, answers=3)


def test_another_tool_that_came_back_is_answered_when_the_number_is_asked_for_again() -> None:
    line = asked_of(asking(wanted(max_digits=4), ToolCall("b1", "item-b1", "book", "{}")))
    assert set(outputs(line)) == {"b1"}
    again(line, wanted("d2", max_digits=4))

    assert set(outputs(line)) == {"b1", "d1"}
    assert wishes(line) == ["Greet.", ""]


def test_arguments_that_cannot_be_meant_are_refused_and_answered() -> None:
    line = asking(max_digits="four")
    line.run_for(6_000)

    told = outputs(line)["d1"]
    assert told["ok"] is False
    assert 'max_digits: expected a whole number from 1 to 40, got "four"' in told["reason"]
    assert line.call.timeline.turns[0].tools[0].ok is False
    press(line, "5")
    line.run_for(2_000)
    (keys,) = of(AddUserText, list(line.commands()))
    assert keys.text.endswith("keys: 5")
