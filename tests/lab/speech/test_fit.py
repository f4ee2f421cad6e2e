"""Invariant: a phrase is believed only when its words explain the sound, and all of it."""

import numpy as np
import pytest

from app.lab.speech.fit import FRAME_SAMPLES, LIMIT, PAD_MS, Word, accepts, coverage, misfit

PAD = np.zeros(PAD_MS * 16, dtype=np.int16)


def sound(*levels_and_frames: tuple[float, int]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    rng = np.random.default_rng(1)
    parts = [rng.normal(0, level, n * FRAME_SAMPLES) for level, n in levels_and_frames]
    return np.concatenate([PAD, *(part.astype(np.int16) for part in parts), PAD])


def word(first_frame: int, end_frame: int, per_frame: float, n_phones: int = 5) -> Word:
    return Word(first_frame, end_frame, n_phones, -per_frame / 1e4 * (end_frame - first_frame))


def test_the_misfit_is_the_score_per_frame_of_the_words() -> None:
    words = [word(20, 50, 10.0), word(50, 60, 30.0)]
    assert misfit(words, covered=1.0) == pytest.approx(15.0)


def test_sound_outside_the_words_counts_against_the_phrase() -> None:
    words = [word(20, 60, 10.0, n_phones=12)]
    assert accepts(misfit(words, covered=1.0))
    assert not accepts(misfit(words, covered=0.5))


def test_short_phrases_are_judged_more_mildly() -> None:
    assert accepts(misfit([word(20, 40, LIMIT + 3, n_phones=3)], covered=1.0))
    assert not accepts(misfit([word(20, 60, LIMIT + 3, n_phones=9)], covered=1.0))


def test_coverage_is_the_share_of_the_loud_frames() -> None:
    samples = sound((2000, 40), (2, 20), (2000, 40))
    assert coverage([word(20, 60, 1.0)], samples) == pytest.approx(0.5, abs=0.02)
    assert coverage([word(20, 60, 1.0), word(80, 120, 1.0)], samples) == 1.0


def test_line_noise_between_words_need_not_be_covered() -> None:
    samples = sound((150, 30), (2000, 60), (150, 30))
    assert coverage([word(50, 110, 1.0)], samples) == 1.0


def test_steady_noise_is_sound_that_words_must_explain() -> None:
    assert coverage([word(20, 60, 1.0)], sound((2000, 80))) == pytest.approx(0.5, abs=0.02)


def test_silence_has_nothing_to_cover() -> None:
    assert coverage([], sound((0, 50))) == 1.0
