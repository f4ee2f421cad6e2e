"""Invariant: no two coughs are alike, each is as long as a cough, and a seed repeats its own."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.speech.throat import Samples, clearing, coughing, murmuring, sighing

RATE_HZ = 8_000
KINDS: dict[str, tuple[Callable[[int, int], Samples], float, float]] = {
    "cough": (coughing, 0.2, 0.6),
    "clearing": (clearing, 0.2, 0.85),
    "sigh": (sighing, 0.5, 1.35),
    "mm_hm": (murmuring, 0.2, 0.6),
}


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 10_000))
def test_a_sound_has_its_length_and_repeats_with_its_seed(name: str, seed: int) -> None:
    make, least_s, most_s = KINDS[name]
    samples = make(RATE_HZ, seed)
    assert least_s <= len(samples) / RATE_HZ <= most_s
    assert np.isfinite(samples).all()
    assert samples.std() > 0
    assert np.array_equal(samples, make(RATE_HZ, seed))
    assert not np.array_equal(samples[:1000], make(RATE_HZ, seed + 1)[:1000])


@pytest.mark.parametrize("seed", range(8))
def test_a_hum_lies_low_breath_and_coughs_do_not(seed: int) -> None:
    assert centre_hz(murmuring(RATE_HZ, seed)) < 450
    assert centre_hz(sighing(RATE_HZ, seed)) > 600
    assert centre_hz(coughing(RATE_HZ, seed)) > 600


@pytest.mark.parametrize("seed", range(12))
def test_a_cough_begins_with_a_burst(seed: int) -> None:
    power = coughing(RATE_HZ, seed) ** 2
    assert np.argmax(np.convolve(power, np.ones(160), "valid")) < 0.08 * RATE_HZ


def centre_hz(samples: Samples) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    return float((hz * power).sum() / power.sum())
