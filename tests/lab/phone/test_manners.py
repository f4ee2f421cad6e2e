"""A difficult caller is the same for the same seed, says what was asked, and pauses as long."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.phone.caller import Caller
from app.lab.phone.impairments import Impairments
from app.lab.phone.manners import (
    SENTENCES,
    backchannel,
    breath,
    cough,
    hesitate,
    hold_on,
    interrupting_clips,
    spell,
    talk_over,
)
from app.lab.phone.said import Spoken
from app.lab.phone.script import Interrupt, Say, SayPieces, Script, Step, Wait
from app.lab.speech.voices import voice_clip
from telecodecs.levels import ulaw_peak
from tests.docs.pages import codes, example, page, table

SEEDS = st.integers(0, 5_000)


def performed(*steps: Step) -> list[Spoken]:
    caller = Caller(Script(steps), lambda kind, at_ms, text: None)
    for tick in range(2_000):
        caller.tick(tick * 20, b"\x10" * 160)
    return caller.spoken


@given(seed=SEEDS)
def test_sounds_beside_the_words_have_their_kind_and_vary_with_the_seed(seed: int) -> None:
    made = [cough(900, seed), breath(900, seed), backchannel(900, seed)]
    assert [one.kind for one in made] == ["cough", "breath", "backchannel"]
    assert all(one.after_ms == 900 for one in made)
    assert made == [cough(900, seed), breath(900, seed), backchannel(900, seed)]


@pytest.mark.parametrize("make", [cough, breath, backchannel])
def test_many_seeds_give_many_sounds(make: Callable[[int, int], Interrupt]) -> None:
    sounds = {make(500, seed).audio for seed in range(40)}
    assert len(sounds) > 30


def test_every_sound_stays_audible() -> None:
    for seed in range(60):
        for one in (cough(1, seed), breath(1, seed), backchannel(1, seed)):
            assert ulaw_peak(one.audio) > 1_500


@given(seed=SEEDS, first_ms=st.integers(0, 2_000), more_ms=st.integers(0, 3_000))
def test_talking_over_comes_at_a_point_within_its_bounds(
    seed: int, first_ms: int, more_ms: int
) -> None:
    one = talk_over(seed, (first_ms, first_ms + more_ms))
    assert first_ms <= one.after_ms <= first_ms + more_ms
    assert one == talk_over(seed, (first_ms, first_ms + more_ms))
    assert one.kind == "interruption"


def test_interruptions_come_at_different_points_with_different_words() -> None:
    made = [talk_over(seed) for seed in range(60)]
    assert len({one.after_ms for one in made}) > 40
    assert len({one.text for one in made}) > 12
    assert len(interrupting_clips()) > 30


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, least_ms=st.integers(400, 900), more_ms=st.integers(0, 600))
def test_a_hesitation_pauses_as_long_as_asked(seed: int, least_ms: int, more_ms: int) -> None:
    step = hesitate(seed, (least_ms, least_ms + more_ms))
    assert step == hesitate(seed, (least_ms, least_ms + more_ms))
    (one,) = performed(step)
    assert one.kind == "hesitation"
    assert len(one.pauses_ms) == len(step.pieces) - 1
    for begin_ms, end_ms in one.pauses_ms:
        assert least_ms - 1 <= end_ms - begin_ms <= least_ms + more_ms + 45


def test_all_sentences_can_be_said_by_both_voices() -> None:
    texts = {hesitate(seed, voice=voice).text for seed in range(200) for voice in ("slt", "rms")}
    assert len(texts) == len(SENTENCES)
    assert "i would like to ... book a table" in texts


@settings(max_examples=20, deadline=None)
@given(digits=st.text("0123456789", min_size=1, max_size=8), seed=SEEDS)
def test_a_number_is_spelt_digit_by_digit(digits: str, seed: int) -> None:
    step = spell(digits, seed)
    words = "zero one two three four five six seven eight nine".split()  # noqa: SIM905
    said = step.text.split(" ... ")
    assert said == ["my number is", *(words[int(digit)] for digit in digits)]
    (one,) = performed(step)
    assert one.kind == "spelling"
    assert all(149 <= end - begin <= 645 for begin, end in one.pauses_ms)
    assert all(one[1] < other[0] for one, other in pairwise(one.pauses_ms))


@pytest.mark.parametrize("wrong", ["", "12a", "+1", "²"])
def test_only_digits_are_spelt(wrong: str) -> None:
    with pytest.raises(ValueError, match="digits from 0 to 9"):
        spell(wrong, 1)


def test_holding_asks_first_and_is_silent_then() -> None:
    say, wait = hold_on(3, silence_ms=12_000)
    assert isinstance(say, Say)
    assert (say.kind, wait) == ("hold", Wait(12_000))
    assert {hold_on(seed)[0] for seed in range(30)} > {say}


@pytest.mark.parametrize("voice", ["slt", "rms", "awb"])
def test_a_caller_keeps_one_voice(voice: str) -> None:
    names = interrupting_clips(voice)
    assert names
    assert {voice_clip(name).voice for name in names} == {voice}
    for seed in range(20):
        assert isinstance(backchannel(500, seed, voice), Interrupt)
    assert isinstance(hold_on(1, voice=voice)[0], Say)


def test_a_voice_that_nobody_has_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="awb, rms, slt, got 'nobody'"):
        talk_over(1, voice="nobody")
    with pytest.raises(ValueError, match="least <= most"):
        hesitate(1, (900, 400))
    with pytest.raises(ValueError, match="first <= last"):
        talk_over(1, (900, 400))


def test_the_example_of_the_lab_page_is_such_a_caller() -> None:
    names: dict[str, object] = {}
    exec(example(page("lab"), "difficult").text, names)  # it opens no socket
    script, line = names["script"], names["street"]
    assert isinstance(script, Script) and isinstance(line, Impairments)
    assert [getattr(step, "kind", "") for step in script.steps] == [
        *("", "hesitation", "cough", "interruption", "", ""),
    ]
    assert line.noise is not None


def test_every_manner_stands_on_the_lab_page() -> None:
    told = {name for row in table(page("lab"), "### Difficult callers") for name in codes(row[0])}
    assert {re.split(r"\(", name)[0].lstrip("*") for name in told} == {
        one.__name__ for one in (talk_over, backchannel, cough, breath, hesitate, spell, hold_on)
    }


def test_pieces_are_one_utterance() -> None:
    assert isinstance(spell("12", 1), SayPieces)
    assert len(performed(spell("12", 1), Wait(500), hesitate(1))) == 2
