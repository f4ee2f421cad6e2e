"""Invariant: what the gate calls silence holds no speech, not even quiet speech, and a quiet line
is silence to it."""

import numpy as np
import pytest

from app.lab.speech.voices import clip_names, voice_clip
from app.speech.vad.gate import Gate
from telecodecs import pcm_to_ulaw, ulaw_to_pcm

WINDOW = 256


def line_noise(dbfs: float, n_windows: int = 400) -> bytes:
    level = 32_768 * 10 ** (dbfs / 20)
    samples = np.random.default_rng(5).normal(0.0, level, n_windows * WINDOW)
    return pcm_to_ulaw(np.rint(samples).astype("<i2").tobytes())


def quieter(ulaw: bytes, db: float) -> bytes:
    samples = np.frombuffer(ulaw_to_pcm(ulaw), "<i2") * 10 ** (-db / 20)
    return pcm_to_ulaw(np.rint(samples).astype("<i2").tobytes())


def share_silent(gate: Gate, ulaw: bytes) -> float:
    windows = [ulaw[at : at + WINDOW] for at in range(0, len(ulaw) - WINDOW + 1, WINDOW)]
    return sum(map(gate.is_silence, windows)) / len(windows)


def test_digital_silence_and_a_quiet_line_are_silence() -> None:
    assert share_silent(Gate(), b"\xff" * WINDOW) == 1.0
    assert share_silent(Gate(), b"\x7f" * WINDOW) == 1.0
    assert share_silent(Gate(), line_noise(-56)) > 0.99


def test_noise_as_loud_as_quiet_speech_is_not() -> None:
    assert share_silent(Gate(), line_noise(-45)) == 0.0


def test_speech_at_40_dbfs_below_full_scale_opens_it_in_its_first_80_ms() -> None:
    """The clips are at -20 dBFS; a window of 32 ms that holds the onset may hold little of it."""
    for name in clip_names("phrase")[::7]:
        clip = voice_clip(name).ulaw
        loud = np.abs(np.frombuffer(ulaw_to_pcm(clip), "<i2")) > 32_768 * 10 ** (-30 / 20)
        onset = int(np.flatnonzero(loud)[0])
        ulaw = quieter(clip, 20)
        windows = [ulaw[at : at + WINDOW] for at in range(onset, onset + 640, WINDOW)]
        assert not all(map(Gate().is_silence, windows)), name


def test_a_click_of_a_few_samples_does_not_open_it() -> None:
    assert Gate(loud_samples=4).is_silence(b"\x00" * 4 + b"\xff" * (WINDOW - 4))
    assert not Gate(loud_samples=4).is_silence(b"\x00" * 5 + b"\xff" * (WINDOW - 5))


def test_its_limit_is_the_magnitude_that_was_asked_for() -> None:
    gate = Gate(peak_dbfs=-40.0, loud_samples=0)
    samples = np.abs(np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(int))
    for code, magnitude in enumerate(samples):
        assert gate.is_silence(bytes([code])) == (magnitude <= 327.68)


@pytest.mark.parametrize(
    "wrong",
    [{"peak_dbfs": -29.0}, {"peak_dbfs": -73.0}, {"loud_samples": -1}, {"hold_windows": -1}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Gate(**wrong)  # type: ignore[arg-type]
