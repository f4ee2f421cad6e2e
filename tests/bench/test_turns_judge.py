"""Invariant: what was heard of an answer is read from the sound alone: a pause, what was said twice
and what was left out are found to the frame, in coded audio and in a voice."""

from app.lab.phone.truth import Played
from app.lab.speech.coded import coded_audio
from bench.turns_cases import Case, spoken_answer
from bench.turns_judge import Outcome, Stretch, next_answer_ms, stretches_of
from bench.turns_stage import FIRST

CODED = coded_audio(FIRST, 0, 2_000, quiet=False)
VOICE = spoken_answer()
PAUSE: list[bytes | None] = [None] * 20
CASE = Case("clean", "cough", 1, 7, 0)


def frames(sound: bytes, from_ms: int, to_ms: int) -> list[bytes | None]:
    return [sound[at * 8 : at * 8 + 160] for at in range(from_ms, to_ms, 20)]


def faded(sound: bytes, from_ms: int, to_ms: int) -> list[bytes | None]:
    """The first frame comes back softly."""
    return [b"\x7e" * 160, *frames(sound, from_ms + 20, to_ms)]


def played(parts: list[bytes | None]) -> Played:
    log = Played(first_ms=140)
    for number, frame in enumerate(parts):
        log.tick(frame, number / 50)
    return log


def stretches(sound: bytes, parts: list[bytes | None], *, coded: bool) -> list[Stretch]:
    return stretches_of(played(parts), sound, None, coded=coded)


def test_a_resumed_answer_shows_where_it_went_on() -> None:
    for sound, coded in ((CODED, True), (VOICE, False)):
        parts = [*frames(sound, 0, 600), *PAUSE, *faded(sound, 580, 2_000)]
        assert stretches(sound, parts, coded=coded) == [Stretch(0, 600), Stretch(580, 2_000)]


def test_what_is_left_out_or_said_twice_shows() -> None:
    for sound, coded in ((CODED, True), (VOICE, False)):
        skipped = [*frames(sound, 0, 600), *PAUSE, *faded(sound, 700, 1_500)]
        twice = [*frames(sound, 0, 600), *PAUSE, *faded(sound, 300, 1_500)]
        for parts, from_ms in ((skipped, 700), (twice, 300)):
            found = stretches(sound, parts, coded=coded)
            assert found[1].from_ms == from_ms
            assert not outcome(found).resumed_well


def test_the_tolerance_is_a_word_back_and_no_word_forward() -> None:
    assert outcome([Stretch(0, 600), Stretch(400, 2_000)]).resumed_well
    assert not outcome([Stretch(0, 600), Stretch(399, 2_000)]).resumed_well
    assert outcome([Stretch(0, 600), Stretch(640, 2_000)]).resumed_well
    assert not outcome([Stretch(0, 600), Stretch(641, 2_000)]).resumed_well


def test_another_answer_ends_the_first_one() -> None:
    other = coded_audio(FIRST + 1, 0, 400, quiet=False)
    log = played([*frames(CODED, 0, 600), *PAUSE, *frames(other, 0, 400)])
    next_ms = next_answer_ms(log)
    assert next_ms == 140 + 600 + 400
    assert stretches_of(log, CODED, next_ms, coded=True) == [Stretch(0, 600)]
    assert next_answer_ms(played(frames(CODED, 0, 600))) is None


def test_the_truncation_error_is_against_the_farthest_place_heard() -> None:
    assert outcome([Stretch(0, 600), Stretch(580, 900)], told_ms=910).truncation_error_ms == 10
    assert outcome([Stretch(0, 600)]).truncation_error_ms is None


def outcome(found: list[Stretch], told_ms: int | None = None) -> Outcome:
    return Outcome(CASE, False, False, stretches=tuple(found), told_ms=told_ms)
