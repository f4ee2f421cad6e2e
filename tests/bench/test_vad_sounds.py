"""Invariant: every noise of the voice bench is as loud as it says, and one for each seed."""

import numpy as np
import pytest

from bench.vad_sounds import NOISES, SINGLE_SOUNDS

N = 12 * 8000


@pytest.mark.parametrize("name", NOISES)
def test_a_noise_has_the_length_and_power_that_were_asked_for(name: str) -> None:
    sound = NOISES[name](N, np.random.default_rng(3))
    assert len(sound) == N
    # The telephone's own tones and keys are on at RMS 1, and off between.
    active = sound[np.abs(sound) > 0] if name in {"ringback", "DTMF"} else sound
    assert np.mean(active**2) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize("name", NOISES)
def test_a_seed_makes_one_noise(name: str) -> None:
    first, again, other = (NOISES[name](N, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", SINGLE_SOUNDS)
def test_single_sounds_are_short_vary_and_have_rms_1(name: str) -> None:
    rng = np.random.default_rng(3)
    sounds = [SINGLE_SOUNDS[name](rng) for _ in range(5)]
    assert all(800 < len(sound) < 12_000 for sound in sounds)
    assert all(np.mean(sound**2) == pytest.approx(1.0, rel=0.05) for sound in sounds)
    assert len({sound.tobytes() for sound in sounds}) > 1
