"""Invariant: a caller's wordless sounds are the same each time and sound for as long as theirs."""

import numpy as np
import pytest

from app.lab.speech.noises import NOISES


@pytest.mark.parametrize("name", sorted(NOISES))
def test_a_noise_is_the_same_each_time_and_lasts_a_plausible_time(name: str) -> None:
    make = NOISES[name].make
    samples = make(8000)
    assert np.array_equal(samples, make(8000))
    assert 0.2 < len(samples) / 8000 <= 2.0
    assert np.isfinite(samples).all()
    assert samples.std() > 0


def test_a_hum_is_low_and_a_cough_is_not() -> None:
    def centre_hz(name: str) -> float:
        power = np.abs(np.fft.rfft(NOISES[name].make(8000))) ** 2
        hz = np.fft.rfftfreq(2 * (len(power) - 1), 1 / 8000)
        return float((hz * power).sum() / power.sum())

    assert centre_hz("hum") < 250
    assert centre_hz("mm_hm") < 300
    assert centre_hz("cough") > 700
