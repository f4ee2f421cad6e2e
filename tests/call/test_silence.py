"""A caller who says nothing is asked, then given up; one who asked for a moment is left
alone, and one who comes back keeps the call. In virtual time, with a model that answers."""

from dataclasses import replace
from itertools import pairwise

from app.call.commands import CreateResponse
from app.call.endings import EndReason
from app.call.events import CallerTranscribed, KeyPressed
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from tests.call.virtual_line import VirtualLine
from tests.call.virtual_model import Answer, Say

PATIENCE = PatienceSettings(
    prompts=("Ask once.", "Ask twice."),
    give_up="Say goodbye.",
    warning="Warn.",
    too_long="Time is over.",
    after_ms=8_000,
    hold_ms=60_000,
)
SETTINGS = CallSettings(greeting="Greet.", language="en", patience=PATIENCE)


def line_with(settings: CallSettings = SETTINGS) -> VirtualLine:
    line = VirtualLine(1, settings=settings)
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 1_000),))
    line.open()
    return line


def asked(line: VirtualLine) -> list[str]:
    return [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]


def test_who_says_nothing_is_asked_twice_and_given_up() -> None:
    line = line_with()
    line.run_until(60_000)

    assert asked(line) == ["Greet.", "Ask once.", "Ask twice.", "Say goodbye."]
    assert line.shell.ended is not None
    assert line.shell.ended.reason is EndReason.NO_INPUT
    assert 28_000 < (line.call.timeline.ended_ms or 0) < 31_000
    assert [turn.cause for turn in line.call.timeline.turns[1:]] == ["silence"] * 3


def test_counting_begins_when_the_question_was_played() -> None:
    line = line_with()
    line.run_until(60_000)
    prompts = [note.at_ms for note in line.call.timeline.notes if note.kind == "silence"]
    for before, after in pairwise(prompts):
        assert 9_000 <= after - before <= 10_500, "8 s of quiet and 1 s of question"


def test_an_answer_begins_the_count_anew() -> None:
    line = line_with()
    line.run_until(12_000)
    line.speak(800)
    line.run_until(21_000)
    assert asked(line) == ["Greet.", "Ask once."]
    line.run_until(24_000)
    assert asked(line) == ["Greet.", "Ask once.", "Ask once."]


def test_a_key_is_an_answer_too() -> None:
    line = line_with()
    line.run_until(12_000)
    line.deliver(KeyPressed("1"))
    line.run_until(24_000)
    assert asked(line) == ["Greet.", "Ask once.", "", "Ask once."]


def test_who_asks_for_a_moment_is_left_alone_for_longer() -> None:
    line = line_with()
    line.run_until(4_000)
    line.speak(1_000, "Hold on a moment, please.")
    line.run_until(60_000)
    assert asked(line) == ["Greet."]
    line.run_until(80_000)
    assert "Ask once." in asked(line)


def test_who_comes_back_is_asked_again_after_the_usual_time() -> None:
    line = line_with()
    line.run_until(4_000)
    line.speak(1_000, "One second.")
    line.run_until(20_000)
    line.speak(1_000, "Here I am again. It is 4711.")
    line.run_until(34_000)
    assert "Ask once." in asked(line)


def test_a_goodbye_to_a_silent_caller_is_called_off_when_they_speak() -> None:
    line = line_with()
    while "Say goodbye." not in asked(line):
        line.run_for(50)
    line.run_for(300)
    line.speak(1_000, "Wait, I am here!")
    line.run_for(6_000)
    assert line.shell.ended is None


def test_a_long_call_is_warned_and_ended_in_words() -> None:
    limits = replace(PATIENCE, after_ms=0, max_call_ms=30_000, warn_before_ms=10_000)
    line = line_with(replace(SETTINGS, patience=limits))
    line.run_until(60_000)
    assert asked(line) == ["Greet.", "Warn.", "Time is over."]
    assert line.shell.ended is not None
    assert line.shell.ended.reason is EndReason.TOO_LONG
    assert 30_000 <= (line.call.timeline.ended_ms or 0) <= 33_000


def test_the_end_of_the_time_is_not_called_off() -> None:
    limits = replace(PATIENCE, after_ms=0, max_call_ms=10_000, warn_before_ms=0)
    line = line_with(replace(SETTINGS, patience=limits))
    line.run_until(10_300)
    line.speak(5_000)
    line.run_until(20_000)
    assert line.shell.ended is not None


def test_noise_without_words_does_not_keep_a_wish_for_a_moment_from_ending() -> None:
    line = line_with()
    line.run_until(4_000)
    line.speak(1_000, "Hold on.")
    line.run_until(10_000)
    line.deliver(CallerTranscribed("caller-9", ""))
    line.run_until(40_000)
    assert asked(line) == ["Greet."]
