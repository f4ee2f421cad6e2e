"""Invariant: voice is what is clearly above the line's noise, and a noise that stays is learned."""

import numpy as np

from app.speech.vad.energy import EnergyScorer
from telecodecs import pcm_to_ulaw

FRAME = EnergyScorer.window_bytes


def noise(dbfs: float) -> bytes:
    samples = np.random.default_rng(1).normal(0.0, 32_768 * 10 ** (dbfs / 20), FRAME)
    return pcm_to_ulaw(np.rint(samples).astype("<i2").tobytes())


def score(scorer: EnergyScorer, slot: int, dbfs: float, frames: int = 1) -> float:
    return [scorer.score([slot], [noise(dbfs)])[0] for _ in range(frames)][-1]


def test_ten_db_above_the_floor_is_even_odds() -> None:
    scorer = EnergyScorer()
    slot = scorer.open()
    score(scorer, slot, -60, frames=10)
    assert 0.4 < score(scorer, slot, -50) < 0.6
    assert score(scorer, slot, -20) == 1.0
    assert score(scorer, slot, -70) == 0.0


def test_a_noise_that_stays_stops_being_voice_and_a_louder_sound_is_heard_over_it() -> None:
    scorer = EnergyScorer()
    slot = scorer.open()
    assert score(scorer, slot, -40) > 0.8
    assert score(scorer, slot, -40, frames=500) < 0.2
    assert score(scorer, slot, -25) > 0.5


def test_streams_and_reused_slots_have_floors_of_their_own() -> None:
    scorer = EnergyScorer()
    first, second = scorer.open(), scorer.open()
    score(scorer, first, -40, frames=500)
    assert score(scorer, second, -40) > 0.8
    scorer.close(first)
    assert score(scorer, scorer.open(), -40) > 0.8
