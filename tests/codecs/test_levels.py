"""Levels are true: known signals measure what theory says, and silence never breaks arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecodecs.g711 import ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.levels import (
    SILENCE_DBFS,
    pcm_dbfs,
    pcm_peak,
    pcm_rms,
    ulaw_dbfs,
    ulaw_peak,
    ulaw_rms,
)


def sine(peak: float) -> bytes:
    """997 Hz: prime to the sample rate, so every sample differs and quantising errors average."""
    t = np.arange(8_000) / 8_000
    return np.rint(peak * np.sin(2 * np.pi * 997 * t)).astype("<i2").tobytes()


def test_full_scale_square_is_0_dbfs_and_full_scale_sine_3_db_less() -> None:
    square = np.array([-32_768] * 160, dtype="<i2").tobytes()
    assert pcm_dbfs(square) == pytest.approx(0.0)
    assert pcm_dbfs(sine(32_767)) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("peak", [32_000, 10_000, 1_000, 100])
def test_ulaw_measures_a_sine_like_pcm_does(peak: int) -> None:
    pcm = sine(peak)
    expected = 20 * math.log10(peak / 32_768) - 3.01
    assert pcm_dbfs(pcm) == pytest.approx(expected, abs=0.05)
    assert ulaw_dbfs(pcm_to_ulaw(pcm)) == pytest.approx(expected, abs=0.15)


def test_0_dbm0_is_where_the_docstring_says() -> None:
    """G.711 table 6: this sequence of μ-law codes is a 1 kHz sine at 0 dBm0."""
    one_period = bytes([0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E])
    assert ulaw_dbfs(one_period * 20) == pytest.approx(-6.2, abs=0.1)


@pytest.mark.parametrize("silence", [b"", bytes(320)])
def test_pcm_silence_and_no_audio_are_the_finite_floor(silence: bytes) -> None:
    assert pcm_dbfs(silence) == pytest.approx(SILENCE_DBFS)
    assert pcm_rms(silence) == pcm_peak(silence) == 0


@pytest.mark.parametrize("silence", [b"", ULAW_SILENCE * 160, b"\x7f" * 160])
def test_ulaw_silence_and_no_audio_are_the_finite_floor(silence: bytes) -> None:
    assert ulaw_dbfs(silence) == pytest.approx(SILENCE_DBFS)
    assert ulaw_rms(silence) == ulaw_peak(silence) == 0


def test_the_quietest_code_once_in_a_frame_is_above_silence() -> None:
    assert ulaw_dbfs(b"\xfe" + ULAW_SILENCE * 159) > SILENCE_DBFS + 3


def test_peak_sees_the_most_negative_sample() -> None:
    assert pcm_peak(np.array([5, -32_768, 7], dtype="<i2").tobytes()) == 32_768
    assert ulaw_peak(bytes([0x00, 0xFF])) == 32_124


@given(st.binary(min_size=1, max_size=400))
def test_ulaw_and_its_decoded_pcm_measure_the_same(ulaw: bytes) -> None:
    pcm = ulaw_to_pcm(ulaw)
    assert ulaw_rms(ulaw) == pytest.approx(pcm_rms(pcm))
    assert ulaw_peak(ulaw) == pcm_peak(pcm)
    assert ulaw_dbfs(ulaw) == pytest.approx(pcm_dbfs(pcm))
    assert SILENCE_DBFS <= ulaw_dbfs(ulaw) <= 0
    assert ulaw_rms(ulaw) <= ulaw_peak(ulaw) + 1e-9


@pytest.mark.parametrize("measure", [pcm_rms, pcm_peak, pcm_dbfs])
def test_half_a_sample_is_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="even number of bytes; got 3"):
        measure(b"\0\0\0")
