"""How loud a line is comes from its quieter frames: a caller who speaks at once is no noise."""

import numpy as np
import pytest

from app.bridge.noise_meter import MEASURED_BYTES, NoiseMeter
from telecodecs.g711 import pcm_to_ulaw
from telecodecs.levels import ulaw_dbfs


def noise(dbfs: float, ms: int, seed: int = 1) -> bytes:
    amplitude = 32_768 * 10 ** (dbfs / 20)
    samples = np.random.default_rng(seed).normal(0, amplitude, ms * 8).clip(-32_000, 32_000)
    return pcm_to_ulaw(samples.astype("<i2").tobytes())


def measured(audio: bytes) -> list[float]:
    levels: list[float] = []
    meter = NoiseMeter(levels.append)
    for at in range(0, len(audio), 160):
        if meter.measuring:
            meter.feed(audio[at : at + 160])
    return levels


@pytest.mark.parametrize("dbfs", [-60.0, -40.0, -25.0])
def test_steady_noise_is_measured_once_and_right(dbfs: float) -> None:
    [level] = measured(noise(dbfs, 3_000))

    assert level == pytest.approx(ulaw_dbfs(noise(dbfs, 3_000)), abs=2.0)


def test_a_voice_with_pauses_over_a_quiet_line_is_no_noise() -> None:
    line = b"".join(noise(-20, 600, n) + noise(-58, 400, n) for n in range(3))
    [level] = measured(line)

    assert level < -50


def test_nothing_is_told_before_two_seconds() -> None:
    assert measured(noise(-30, 3_000)[: MEASURED_BYTES - 160]) == []
