"""Invariant: whatever rate a synthesiser speaks at, the telephone gets the same sound at 8 kHz."""

import numpy as np
import pytest

from app.lab.speech.mouth_worker import telephone
from telecodecs import ulaw_to_pcm


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 48_000])
def test_a_tone_keeps_its_length_and_pitch(rate_hz: int) -> None:
    samples = 8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)
    ulaw = telephone(rate_hz, samples.astype("<i2").tobytes())
    assert abs(len(ulaw) - 8_000) <= 1
    heard = np.frombuffer(ulaw_to_pcm(ulaw), dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert abs(int(spectrum.argmax()) * 8_000 / len(heard) - 440) <= 1


def test_no_speech_is_no_audio() -> None:
    assert telephone(22_050, b"") == b""
