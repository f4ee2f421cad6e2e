"""While a slow tool runs the agent says its line once, in silence only, and the sound follows:
never over the caller or the agent itself. In virtual time."""

from dataclasses import replace

import pytest

from app.call.commands import PlayPhrase
from app.call.crew import Colleague
from app.call.events import (
    Effect,
    Event,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    ToolBegan,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings
from tests.call.handover_play import of, play, talking, until
from tests.call.test_tool_sound import BY_MODEL, BY_VOICE, last_word_ms, line_with, sounds, speaks
from tests.call.virtual_line import VirtualLine

WORDS = "Let me look at the book."
AFTER_MS = 1_500
EITHER = pytest.mark.parametrize(
    "settings",
    [replace(s, wait_words_after_ms=AFTER_MS) for s in (BY_MODEL, BY_VOICE)],
    ids=["by model", "by voice"],
)


def asked(line: VirtualLine) -> list[str]:
    return [c.text for c in line.commands() if isinstance(c, PlayPhrase)]


@EITHER
@pytest.mark.parametrize("seed", range(6))
def test_the_line_is_said_once_after_a_silence_and_the_sound_follows(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, 12_000, seed=seed, words=WORDS)
    line.phrases = {WORDS: 1_000}
    line.run_until(24_000)

    said = line.heard_phrase(WORDS)
    assert [at for _, at in said] == list(range(0, 8_000, 160))
    assert AFTER_MS - 20 <= said[0][0] - last_word_ms(line) <= AFTER_MS + 300
    ((began_ms, _),) = sounds(line)
    assert began_ms >= said[-1][0] + settings.tool_sound_after_ms
    assert asked(line) == [WORDS]
    assert line.call.transcript.lines[2].text == WORDS
    assert line.frames_of("a0"), "and the answer comes"
    assert line.model.refused == []


@EITHER
def test_a_line_that_is_not_at_hand_is_not_waited_for(settings: CallSettings) -> None:
    line = line_with(settings, 12_000, words=WORDS)
    line.run_until(10_000)
    assert asked(line) == [WORDS]
    assert len(sounds(line)) == 1
    assert line.heard_phrase(WORDS) == []


@EITHER
def test_it_is_never_said_while_the_caller_speaks(settings: CallSettings) -> None:
    line = line_with(settings, 20_000, words=WORDS)
    line.phrases = {WORDS: 1_000}
    line.run_until(last_word_ms(line) + 500)
    speaks(line, 4_000, "And while you do that, let me tell you a story.")
    line.run_until(18_000)
    said = line.heard_phrase(WORDS)
    assert said
    assert said[0][0] >= line.frames_of("a0")[-1] + AFTER_MS - 100, "after the answer to them"


@EITHER
def test_a_quick_tool_says_nothing(settings: CallSettings) -> None:
    line = line_with(settings, 1_500, words=WORDS)
    line.phrases = {WORDS: 1_000}
    line.run_until(12_000)
    assert asked(line) == []


def test_a_tool_without_words_is_waited_for_in_silence() -> None:
    line = line_with(BY_MODEL, 9_000, cancellable=True)
    line.run_until(12_000)
    assert asked(line) == []


# Another agent

LOOKS = ToolCall("t1", "i1", "look", "{}")
HANDS_OVER = ToolCall("t2", "i2", "hand_over", "{}")
TAKES_OVER = ToolFinished("t2", "{}", effect=Effect("agent", "dates"))
ITS_WORDS = "Let me open the calendar."


def handed_over(*began: Event) -> list[str]:
    """The lines of a call whose first agent began to look for something, then handed it over."""
    call = talking(colleagues=(Colleague("dates"),), quiet_wait_ms=500)
    play(call, 100, ResponseCreated("r1"))
    play(call, 110, ResponseFinished("r1", "completed", tool_calls=(LOOKS, HANDS_OVER)))
    play(call, 120, ToolBegan("t1", WORDS), TAKES_OVER, ModelReady("s", "m", leg=2))
    until(call, 700)
    assert call.handover.speaker == "dates", "though the first tool still runs"
    again = ResponseFinished("r2", "completed", tool_calls=(replace(LOOKS, call_id="t3"),))
    play(call, 710, ResponseCreated("r2"), again, *began)
    return [c.text for c in of(PlayPhrase, until(call, 9_000))]


def test_an_agent_that_took_over_says_its_own_words() -> None:
    assert handed_over(ToolBegan("t3", ITS_WORDS)) == [ITS_WORDS]


def test_and_not_those_of_the_agent_before_it() -> None:
    assert handed_over() == []
