"""Invariant: the recogniser's samples are the caller's sound, twice as dense and not moved."""

import numpy as np

from app.lab.speech.ear_worker import widened
from app.lab.speech.fit import PAD_MS
from telecodecs import pcm_to_ulaw, ulaw_to_pcm


def tone(hz: float, n: int = 8000) -> bytes:
    samples = 8000 * np.sin(2 * np.pi * hz * np.arange(n) / 8000)
    return pcm_to_ulaw(samples.astype("<i2").tobytes())


def test_the_line_is_kept_and_a_faint_image_stands_above_it() -> None:
    body = widened(tone(3000))[PAD_MS * 16 : -PAD_MS * 16].astype(float)
    spectrum = np.abs(np.fft.rfft(body * np.hanning(len(body))))
    at = {hz: spectrum[round(hz * len(body) / 16_000)] for hz in (3000, 5000)}
    assert 0.08 < at[5000] / at[3000] < 0.12


def test_every_other_sample_is_the_line_itself() -> None:
    ulaw = tone(700)
    line = np.frombuffer(ulaw_to_pcm(ulaw), dtype="<i2").astype(float)
    body = widened(ulaw)[PAD_MS * 16 : -PAD_MS * 16 : 2].astype(float)
    inner = slice(100, -100)  # soxr rings where the tone begins and ends
    assert np.abs(body[inner] - (0.9 + 0.2) * line[inner]).max() < 40
    assert not widened(tone(700))[: PAD_MS * 16 - 400].any()
