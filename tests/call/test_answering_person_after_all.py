"""Who turns out to be a person is talked with, whatever was said of a machine before; and nobody is
taken for a person by a sound without words.

In virtual time, byte by byte.
"""

from dataclasses import replace

import pytest

from app.call.answer_machine import AnswerState
from app.call.answer_side import AFTER_A_MESSAGE
from app.call.commands import AddUserText
from app.call.events import (
    Answered,
    AnsweredBy,
    KeyPressed,
    VoiceStarted,
)
from app.call.phases import CallSettings
from tests.call.answered_line import (
    BY_VOICE,
    EITHER,
    NOTICE,
    OURS,
    a_message_was_left,
    beeps,
    line_with,
    record,
    speaks,
    takes,
    whole,
)
from tests.call.handover_play import of


@EITHER
@pytest.mark.parametrize("seed", range(6))
def test_whoever_speaks_into_the_message_is_talked_with(settings: CallSettings, seed: int) -> None:
    line = line_with(settings, seed=seed)
    line.run_until(2_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(line.chance.uniform(3_200, 4_200))
    spoke_ms = line.heap.now_ms
    speaks(line, 1_100, "Hello, I am here!")
    line.run_until(14_000)

    assert line.call.answer.state is AnswerState.PICKED_UP
    (message,) = takes(line)
    assert 0 < len(message) < whole()
    assert message[-1] <= spoke_ms + 2_500
    assert line.shell.ended is None
    assert record(line).picked_up_ms is not None
    assert record(line).messages[0].why == "a person picked up"
    (note,) = of(AddUserText, list(line.commands()))
    assert note.text == AFTER_A_MESSAGE
    answers = [item for item in line.model.items if line.heard(item)]
    assert answers, "they are answered"
    lines = [str(said) for said in line.call.transcript.lines if said.speaker == "agent"]
    assert any(text.endswith("[interrupted]") and text.startswith("This is") for text in lines)


@pytest.mark.parametrize("settings", [BY_VOICE, OURS], ids=["by voice", "our turns"])
@pytest.mark.parametrize("ms", [100, 400])
def test_a_short_sound_without_words_does_not_touch_the_message(
    settings: CallSettings, ms: int
) -> None:
    line = line_with(settings)
    line.run_until(2_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(3_500)
    line.voice(ms, "", model_hears=False)
    line.run_until(20_000)
    a_message_was_left(line, 2_000)
    assert len(takes(line)) == 1


@EITHER
def test_what_began_before_the_message_does_not_count(settings: CallSettings) -> None:
    """The end of the machine's greeting, where the verdict was a moment early."""
    line = line_with(settings)
    line.run_until(1_000)
    speaks(line, 3_000, "Leave a message.")
    line.run_until(3_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(20_000)
    a_message_was_left(line, 3_000)
    assert takes(line)[0][0] < 3_300
    assert len(takes(line)) == 1


@pytest.mark.parametrize("settings", [BY_VOICE, OURS], ids=["by voice", "our turns"])
def test_a_voice_that_had_stopped_the_agent_when_the_verdict_came_does_not_stop_the_message(
    settings: CallSettings,
) -> None:
    line = line_with(settings)
    line.run_until(700)
    line.voice(3_000, "Leave a message.")
    line.run_until(1_200)
    assert line.call.playout.holding
    line.deliver(Answered("machine_end_beep"))
    line.run_until(20_000)
    a_message_was_left(line, 1_200)
    assert len(takes(line)) == 1


def test_a_voice_that_is_noticed_late_began_when_it_began() -> None:
    line = line_with()
    line.run_until(3_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(3_100)
    line.deliver(VoiceStarted(2_900, 3_100))
    line.run_until(20_000)
    a_message_was_left(line, 3_000)


@EITHER
@pytest.mark.parametrize("first", [(), ("machine_start",)])
def test_a_silence_that_our_ears_do_not_hear_is_not_believed(
    settings: CallSettings, first: tuple[AnsweredBy, ...]
) -> None:
    line = line_with(settings)
    line.run_until(1_000)
    speaks(line, 4_000, "Leave a message.")
    line.run_until(2_000)
    for verdict in (*first, "machine_end_silence"):
        line.deliver(Answered(verdict))
    line.run_until(5_500)
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert len(takes(line)) == 1


@EITHER
def test_a_greeting_that_went_on_after_a_pause_is_a_machine_again_at_its_beep(
    settings: CallSettings,
) -> None:
    line = line_with(settings)
    line.run_until(2_000)
    line.deliver(Answered("machine_end_silence"))
    line.run_until(3_000)
    speaks(line, 3_000, "Please leave a message after the tone.")
    line.run_until(6_300)
    assert line.call.answer.state is AnswerState.PICKED_UP
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)


@EITHER
def test_a_key_is_a_persons(settings: CallSettings) -> None:
    line = line_with(settings)
    line.run_until(2_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(3_500)
    line.deliver(KeyPressed("9"))
    assert line.call.answer.state is AnswerState.PERSON
    line.run_until(9_000)
    assert line.shell.ended is None
    assert [item for item in line.model.items if line.heard(item)]


@EITHER
@pytest.mark.parametrize("at_ms", [1_000, 4_200])
def test_the_carrier_may_think_better_of_it(settings: CallSettings, at_ms: int) -> None:
    line = line_with(settings)
    line.run_until(800)
    line.deliver(Answered("machine_start"))
    line.run_until(at_ms)
    line.deliver(Answered("human"))
    line.run_until(9_000)
    assert line.call.answer.state is AnswerState.PERSON
    assert line.shell.ended is None
    assert [item for item in line.model.items if line.heard(item)]


@EITHER
@pytest.mark.parametrize("at_ms", [400, 2_600])
def test_a_person_after_all_hears_the_notices_before_anything_else(
    settings: CallSettings, at_ms: int
) -> None:
    line = line_with(replace(settings, notices=(NOTICE,)))
    line.run_until(at_ms)
    line.deliver(Answered("machine_end_silence"))
    line.run_until(at_ms + 1_500)
    speaks(line, 1_300, "Hello, I am here!")
    line.run_until(16_000)

    (*_, said) = takes(line, NOTICE)
    assert len(said) == whole(NOTICE)
    assert said[0] > takes(line)[0][-1]
    answers = [line.frames_of(item)[0] for item in line.model.items if line.heard(item)]
    assert answers
    assert min(answers) > said[-1]
    assert not line.call.notices.under_way
