"""Words instead of keys end a call of collect_digits if they are an answer to it, once, and only
then. In virtual time, with a model that answers."""

from dataclasses import replace

import pytest

from app.call.collect_tool import SPOKE
from app.call.commands import AddUserText, CreateResponse, SendToolOutput
from app.call.events import (
    CallerTranscribed,
    ToolCall,
)
from app.call.floor import FloorSettings
from app.call.responses import ResponseSettings
from app.call.turn_end import TurnEndSettings
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
from tests.call.virtual_model import Answer, Say


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
