"""While a slow tool runs the agent says its line once, in silence only, and the sound follows:
never over the caller or the agent itself. In virtual time."""

from dataclasses import replace

import pytest

from app.call.commands import PlayPhrase
from app.call.phases import CallSettings
from app.call.wait_words import ANY_TOOL
from tests.call.test_tool_sound import BY_MODEL, BY_VOICE, last_word_ms, line_with, sounds, speaks
from tests.call.virtual_line import VirtualLine

WORDS, USUAL = "Let me look at the book.", "One moment."
AFTER_MS = 1_500


def with_words(settings: CallSettings, **words: str) -> CallSettings:
    return replace(settings, wait_words=words, wait_words_after_ms=AFTER_MS)


EITHER = pytest.mark.parametrize(
    "settings",
    [with_words(s, book=WORDS) for s in (BY_MODEL, BY_VOICE)],
    ids=["by model", "by voice"],
)


def asked(line: VirtualLine) -> list[str]:
    return [c.text for c in line.commands() if isinstance(c, PlayPhrase)]


@EITHER
@pytest.mark.parametrize("seed", range(6))
def test_the_line_is_said_once_after_a_silence_and_the_sound_follows(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, 12_000, seed=seed)
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
    line = line_with(settings, 12_000)
    line.run_until(10_000)
    assert asked(line) == [WORDS]
    assert len(sounds(line)) == 1
    assert line.heard_phrase(WORDS) == []


@EITHER
def test_it_is_never_said_while_the_caller_speaks(settings: CallSettings) -> None:
    line = line_with(settings, 20_000)
    line.phrases = {WORDS: 1_000}
    line.run_until(last_word_ms(line) + 500)
    speaks(line, 4_000, "And while you do that, let me tell you a story.")
    line.run_until(18_000)
    said = line.heard_phrase(WORDS)
    assert said
    assert said[0][0] >= line.frames_of("a0")[-1] + AFTER_MS - 100, "after the answer to them"


@EITHER
def test_a_quick_tool_says_nothing(settings: CallSettings) -> None:
    line = line_with(settings, 1_500)
    line.phrases = {WORDS: 1_000}
    line.run_until(12_000)
    assert asked(line) == []


def test_the_agents_usual_line_is_for_tools_without_one() -> None:
    line = line_with(with_words(BY_MODEL, **{ANY_TOOL: USUAL}), 9_000)
    line.run_until(12_000)
    assert asked(line) == [USUAL]

    line = line_with(with_words(BY_MODEL, other=WORDS), 9_000)
    line.run_until(12_000)
    assert asked(line) == []
