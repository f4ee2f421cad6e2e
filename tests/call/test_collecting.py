"""A call of collect_digits has one output and one answer, whatever the caller does meanwhile: keys,
words, nothing, another session, another worker. In virtual time, with a model that answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.call.call import Call
from app.call.caller_side import HIDDEN_KEYS
from app.call.collect_tool import BEGIN_ANEW, SPOKE, UNSAFE
from app.call.commands import AddUserText, Command, CreateResponse, RunTool, SendToolOutput
from app.call.events import (
    CallerTranscribed,
    HangUpRequested,
    KeyPressed,
    KeysUnsafe,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    StreamStarted,
    ToolCall,
)
from app.call.floor import FloorSettings
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from app.call.responses import ResponseSettings
from app.call.turn_end import TurnEndSettings
from tests.call.handover_play import of, play, until
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_model import Answer, Say

SETTINGS = CallSettings(
    greeting="Greet.",
    language="en",
    patience=PatienceSettings(hold_ms=60_000, after_ms=8_000),
    floor=FloorSettings(keys=True),
)
QUESTION_MS = 2_000


def wanted(call_id: str = "d1", **arguments: Any) -> ToolCall:
    return ToolCall(call_id, f"item-{call_id}", "collect_digits", json.dumps(arguments))


def asking(*tools: ToolCall, settings: CallSettings = SETTINGS, **arguments: Any) -> VirtualLine:
    """The agent's first words are a question, with the tool called in the same answer."""
    line = VirtualLine(1, settings=settings)
    calls = tools or (wanted(**arguments),)
    line.model.script.append(Answer((Say("question", QUESTION_MS),), calls))
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 800),))
    line.open()
    return line


def asked_of(line: VirtualLine) -> VirtualLine:
    """The question was heard to its end."""
    while len(line.carrier.played) < QUESTION_MS * 8:
        line.run_for(10)
    line.run_for(200)
    return line


def press(line: VirtualLine, keys: str, every_ms: int = 300) -> None:
    for key in keys:
        line.deliver(KeyPressed(key))
        line.run_for(every_ms)


def outputs(line: VirtualLine) -> dict[str, Any]:
    """By call id what the model was told; a second output of a call is an error."""
    told = of(SendToolOutput, list(line.commands()))
    assert len({output.call_id for output in told}) == len(told)
    return {output.call_id: json.loads(output.output) for output in told}


def wishes(line: VirtualLine) -> list[str]:
    return [command.instructions for command in of(CreateResponse, list(line.commands()))]


def is_over(line: VirtualLine, answers: int) -> None:
    """The call goes on, with as many answers as were due."""
    assert line.shell.ended is None
    assert not line.model.refused
    assert line.model.responses == answers
    assert not line.call.history.open_tools


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


# Words


def test_words_instead_of_keys_end_it_and_are_answered_once() -> None:
    line = asked_of(asking(max_digits=4))
    line.speak(1_500, "It is four seven one one.")
    line.run_for(5_000)

    assert outputs(line) == {"d1": {"ok": False, "reason": SPOKE}}
    assert wishes(line) == ["Greet."], "the model answers words by itself"
    is_over(line, answers=2)
    press(line, "5")
    line.run_for(3_000)
    assert of(AddUserText, list(line.commands())), "keys are free again"


def test_a_tool_that_came_back_after_the_words_is_answered_all_the_same() -> None:
    line = asking(wanted(max_digits=4), ToolCall("b1", "item-b1", "book", "{}"))
    line.tool_ms["book"] = 4_000
    asked_of(line)
    line.speak(1_000, "I have no number.")
    line.run_for(9_000)

    assert set(outputs(line)) == {"d1", "b1"}
    assert wishes(line) == ["Greet.", ""]


def test_a_tool_that_came_back_before_the_words_were_known_is_answered_too() -> None:
    line = asking(wanted(max_digits=4), ToolCall("b1", "item-b1", "book", "{}"))
    line.tool_ms["book"] = 4_300
    asked_of(line)
    line.speak(1_000)
    line.run_for(2_500)
    assert set(outputs(line)) == {"b1"}
    assert wishes(line) == ["Greet."]
    line.deliver(CallerTranscribed("caller-1", "I have no number."))
    line.run_for(3_000)

    assert set(outputs(line)) == {"d1", "b1"}
    assert wishes(line) == ["Greet.", ""]


def test_words_that_the_model_has_answered_by_asking_for_keys_again_end_nothing() -> None:
    line = asked_of(asking(max_digits=2))
    line.model.script.append(Answer((Say("please", 500),), (wanted("d2", max_digits=2),)))
    line.speak(1_000)
    line.run_for(2_500)
    assert set(outputs(line)) == {"d1"}
    line.deliver(CallerTranscribed("caller-1", "Which number do you mean?"))
    press(line, "47")
    line.run_for(2_000)

    assert outputs(line)["d2"]["digits"] == "47"


def test_digits_read_aloud_while_they_are_typed_end_nothing() -> None:
    line = asked_of(asking(max_digits=4))
    press(line, "4", 50)
    line.speak(800, "Four, seven.")
    press(line, "7", 1_500)
    press(line, "11")
    line.run_for(3_000)

    assert outputs(line)["d1"]["digits"] == "4711"


@pytest.mark.parametrize("text", ["Okay.", "Mm-hm.", "(coughs)"])
def test_a_voice_that_only_listens_ends_nothing(text: str) -> None:
    line = asked_of(asking(max_digits=2))
    line.speak(400, text)
    line.run_for(4_000)
    assert not outputs(line)
    press(line, "47")
    line.run_for(3_000)

    assert outputs(line)["d1"]["digits"] == "47"


def test_a_caller_who_looks_for_the_number_is_given_time() -> None:
    line = asked_of(asking(max_digits=2, first_digit_s=5))
    line.speak(1_000, "One moment, let me find my card.")
    line.run_for(40_000)
    assert not outputs(line)
    assert wishes(line) == ["Greet."]
    while len(wishes(line)) == 1:
        line.run_for(10)
    assert line.heap.now_ms < 75_000, "not for ever"
    assert "pressed no key" in wishes(line)[1]
    line.run_for(2_000)
    press(line, "47")
    line.run_for(1_000)

    assert outputs(line)["d1"]["digits"] == "47"


def test_a_moment_is_over_with_the_first_key() -> None:
    line = asked_of(asking(min_digits=2, first_digit_s=5, retries=1))
    line.speak(1_000, "One moment, let me find my card.")
    line.run_for(3_000)
    press(line, "4#")
    line.run_for(12_000)

    assert outputs(line)["d1"]["reason"] == "no_input"


def test_words_known_before_the_model_begins_its_answer_get_no_second_one() -> None:
    line = asked_of(asking(max_digits=4))
    line.model.server_answers = False
    line.speak(1_000)
    while not line.call.responses.owed or line.call.floor.caller_speaking:
        line.run_for(1)
    line.deliver(CallerTranscribed("caller-1", "I have no number."))
    line.run_for(100)
    line.model.respond("")
    line.run_for(3_000)

    assert outputs(line)["d1"]["reason"] == SPOKE
    assert wishes(line) == ["Greet."]


def test_words_that_are_never_known_count_as_an_answer() -> None:
    line = asked_of(asking(max_digits=4))
    line.speak(1_500)
    line.run_for(4_000)
    assert not outputs(line)
    line.run_for(2_000)

    assert outputs(line)["d1"]["reason"] == SPOKE


def test_a_sound_that_nobody_answers_and_whose_words_never_come_leaves_no_silence() -> None:
    settings = replace(SETTINGS, floor=FloorSettings(by="voice", keys=True))
    line = asking(settings=settings, max_digits=4)
    line.model.server_answers = line.model.server_cancels = False
    while not line.call.history.open_tools:
        line.run_for(10)
    line.speak(300)
    line.run_for(12_000)

    assert outputs(line) == {"d1": {"ok": False, "reason": SPOKE}}
    assert wishes(line) == ["Greet.", ""]


def test_where_we_end_the_turns_the_model_is_told_before_it_answers_the_words() -> None:
    settings = replace(
        SETTINGS,
        floor=FloorSettings(by="voice", keys=True),
        turn_end=TurnEndSettings(),
        responses=ResponseSettings(server_answers=False, server_cancels=False),
    )
    line = VirtualLine(1, settings=settings)
    line.model.decides = line.model.server_answers = line.model.server_cancels = False
    line.model.script.append(Answer((Say("question", QUESTION_MS),), (wanted(max_digits=4),)))
    line.model.endless = lambda: Answer((Say("done", 800),))
    line.open()
    asked_of(line)
    line.voice(1_500, "It is four seven one one.")
    line.run_for(5_000)

    assert outputs(line) == {"d1": {"ok": False, "reason": SPOKE}}
    told = [type(c) for c in line.commands() if isinstance(c, SendToolOutput | CreateResponse)]
    assert told == [CreateResponse, SendToolOutput, CreateResponse]
    is_over(line, answers=2)


def test_words_said_before_it_began_do_not_end_it() -> None:
    line = VirtualLine(1, settings=SETTINGS)
    line.model.script.append(Answer((Say("greeting", 300),)))
    line.model.script.append(Answer((), (wanted(max_digits=2),), think_ms=20))
    line.model.endless = lambda: Answer((Say("done", 500),))
    line.open()
    line.run_until(2_000)
    line.speak(1_000, "I want to type my number.")
    line.run_for(1_600)
    assert line.call.history.open_tools
    line.run_for(1_000)
    press(line, "47")
    line.run_for(2_000)

    assert outputs(line)["d1"]["digits"] == "47"


# Private digits


def in_record(line: VirtualLine) -> str:
    """All that is done and kept because of the keys."""
    call, done = line.call, list(line.commands())
    return f"{done} {call.snapshot()} {call.timeline.as_json()} {call.transcript.as_json()}"


def test_of_a_private_number_only_its_length_is_told() -> None:
    line = asked_of(asking(min_digits=8, max_digits=8, masked=True))
    press(line, "83719264")
    line.run_for(3_000)

    assert outputs(line)["d1"] == {
        "ok": True,
        "digits": "••••••••",
        "count": 8,
        "masked": True,
        "reason": "length",
    }
    assert "count" in in_record(line)
    assert "8371" not in in_record(line)


def test_a_key_is_recorded_as_hidden_where_it_is_private_and_as_itself_elsewhere() -> None:
    line = asked_of(asking(min_digits=2, max_digits=2, masked=True))
    shown = []
    for key in "47#9":
        line.deliver(KeyPressed(key))
        shown.append(line.call.keypad.shown)
    line.run_for(5_000)
    line.deliver(KeyPressed("5"))

    assert shown == list("••#•")
    assert line.call.keypad.shown == "5"


def test_private_keys_that_came_before_the_tool_are_to_be_hidden_afterwards() -> None:
    call = Call(SETTINGS)
    play(call, 0, StreamStarted("call", "stream"), ModelReady("s", "m"))
    play(call, 1_000, KeyPressed("4"), KeyPressed("7"))
    assert call.keypad.undecided
    done = ResponseFinished("r1", "completed", tool_calls=(wanted(min_digits=4, masked=True),))
    play(call, 1_500, ResponseCreated("r1"), done)

    assert not call.keypad.undecided
    assert call.keypad.take_to_hide() == ("•", "•")
    assert call.keypad.take_to_hide() == ()


def test_a_pin_that_is_typed_after_all_is_told_of_but_not_told() -> None:
    line = asked_of(asking(min_digits=4, masked=True))
    line.speak(1_000, "Wait, where did I put it.")
    line.run_for(3_000)
    assert outputs(line)["d1"]["reason"] == SPOKE
    press(line, "8371")
    line.run_for(3_000)

    (told,) = of(AddUserText, list(line.commands()))
    assert told.text == HIDDEN_KEYS
    assert wishes(line)[-1] == ""
    assert "8371" not in in_record(line)


# Sessions, workers, the end


def test_another_session_goes_on_with_the_keys() -> None:
    line = asked_of(asking(max_digits=4))
    line.on_open = lambda model, leg: setattr(
        model, "endless", lambda: Answer((Say(f"b{model.responses}", 500),))
    )
    press(line, "47", 100)
    line.drop()
    line.run_for(100)
    press(line, "11", 100)
    line.run_for(4_000)

    assert line.call.handover.relay.leg == 2
    told = [entry for entry in line.shell.taken[-1].entries if entry.kind == "tool"]
    assert told[0].output is None or "4711" in told[0].output
    assert "4711" in str([use for use in line.call.history.log if hasattr(use, "output")])
    assert not line.call.history.open_tools
    assert not line.model.refused


def test_a_planned_change_waits_for_the_keys() -> None:
    line = asked_of(asking(max_digits=4, inter_digit_s=20))
    line.on_open = lambda model, leg: setattr(
        model, "endless", lambda: Answer((Say(f"b{model.responses}", 500),))
    )
    line.deliver(RolloverRequested())
    press(line, "47", 1_000)
    assert line.call.handover.relay.leg == 1
    press(line, "11", 1_000)
    line.run_for(5_000)

    assert line.call.handover.relay.leg == 2
    assert outputs(line)["d1"]["digits"] == "4711"


def elsewhere(call: Call, *, moved: bool = False) -> tuple[Call, list[Command]]:
    """The call on another worker, its session ready."""
    later = Call(call.settings)
    started = StreamStarted("call", "another", resumed=call.snapshot(moved=moved))
    play(later, 0, started)
    return later, play(later, 300, ModelReady("s", "m"))


@pytest.mark.parametrize("moved", [True, False])
def test_another_worker_has_the_caller_asked_again(moved: bool) -> None:
    line = asked_of(asking(max_digits=4, first_digit_s=5, retries=0))
    press(line, "47", 100)
    later, commands = elsewhere(line.call, moved=moved)
    assert [c.instructions for c in of(CreateResponse, commands)] == [BEGIN_ANEW]
    assert of(RunTool, commands) == []

    told = [c for key in "4711" for c in play(later, 400, KeyPressed(key))]
    (output,) = of(SendToolOutput, told)
    assert (output.call_id, json.loads(output.output)["digits"]) == ("d1", "4711")


def test_on_another_worker_it_does_not_hang() -> None:
    line = asked_of(asking(first_digit_s=5, retries=0))
    later, _ = elsewhere(line.call)
    play(later, 400, ResponseCreated("r1", "create-1"), ResponseFinished("r1", "completed"))
    told = of(SendToolOutput, until(later, 60_000))

    assert [json.loads(output.output)["reason"] for output in told] == ["no_input"]


def test_a_call_that_ends_meanwhile_ends() -> None:
    line = asked_of(asking(first_digit_s=60))
    press(line, "4")
    line.deliver(HangUpRequested("operator"))
    line.run_for(10_000)

    assert line.shell.ended is not None
    assert not outputs(line)
    assert line.call.timeline.turns[0].tools[0].finished_ms is None


def test_nobody_is_asked_again_while_the_call_is_being_ended() -> None:
    settings = replace(SETTINGS, floor=FloorSettings())
    line = asked_of(asking(settings=settings, min_digits=4))
    line.model.script.append(Answer((Say("bye", 3_000),)))
    line.model.respond("")
    line.run_for(600)
    line.deliver(HangUpRequested("operator"))
    press(line, "4#", 10)
    line.run_for(10_000)

    assert wishes(line) == ["Greet."]
    assert line.shell.ended is not None


def test_digits_that_come_while_the_call_is_being_ended_are_answered_by_nobody() -> None:
    settings = replace(SETTINGS, floor=FloorSettings())
    line = asked_of(asking(settings=settings, max_digits=2))
    line.model.script.append(Answer((Say("bye", 3_000),)))
    line.model.respond("")
    line.run_for(600)
    line.deliver(HangUpRequested("operator"))
    press(line, "47", 10)
    line.run_for(10_000)

    assert outputs(line)["d1"]["digits"] == "47"
    assert wishes(line) == ["Greet."]
    assert [turn.cause for turn in line.call.timeline.turns] == ["greeting"]


# Somebody hears the keys


def test_a_private_number_that_somebody_would_hear_is_called_off_and_answered_once() -> None:
    line = asked_of(asking(min_digits=4, max_digits=4, masked=True))
    press(line, "47")
    line.deliver(KeysUnsafe())
    line.run_for(3_000)
    press(line, "11")
    line.run_for(2_000)

    assert outputs(line) == {"d1": {"ok": False, "reason": UNSAFE}}
    is_over(line, answers=2)


def test_any_other_number_is_collected_all_the_same() -> None:
    line = asked_of(asking(min_digits=4, max_digits=4))
    line.deliver(KeysUnsafe())
    press(line, "4711")
    line.run_for(5_000)

    assert outputs(line) == {"d1": {"ok": True, "digits": "4711", "reason": "length"}}
    is_over(line, answers=2)
