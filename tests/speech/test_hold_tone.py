"""The sound of waiting is quiet, loops without a click, and is taken for no other tone."""

import numpy as np
import numpy.typing as npt

from app.speech.hold_tone import HOLD_TONE_MS, hold_tone
from telecodecs import (
    BYTES_PER_MS,
    FRAME_BYTES,
    ULAW_SILENCE,
    DtmfDetector,
    ulaw_dbfs,
    ulaw_peak,
    ulaw_to_pcm,
)

Floats = npt.NDArray[np.float64]


def samples(ulaw: bytes) -> Floats:
    return np.frombuffer(ulaw_to_pcm(ulaw), "<i2").astype(np.float64)


def clicks(ulaw: bytes) -> list[int]:
    """Where there is more above 2 kHz than the notes and the noise of μ-law account for."""
    heard, window = samples(ulaw), np.hanning(160)
    found = []
    for start in range(0, len(heard) - 160, 40):
        spectrum = np.abs(np.fft.rfft(heard[start : start + 160] * window)) ** 2
        if spectrum[40:].sum() > 0.002 * spectrum.sum() + 40_000:
            found.append(start)
    return found


def test_it_is_four_seconds_of_whole_frames() -> None:
    assert len(hold_tone()) == HOLD_TONE_MS * BYTES_PER_MS == 32_000
    assert len(hold_tone()) % FRAME_BYTES == 0


def test_it_is_quiet() -> None:
    assert abs(ulaw_dbfs(hold_tone()) + 30) < 0.2
    assert ulaw_peak(hold_tone()) < 32_768 * 10 ** (-14 / 20)


def test_it_is_silent_where_it_begins_again() -> None:
    loop = hold_tone()

    assert loop[: 50 * BYTES_PER_MS] == ULAW_SILENCE * (50 * BYTES_PER_MS)
    assert loop[-50 * BYTES_PER_MS :] == ULAW_SILENCE * (50 * BYTES_PER_MS)


def test_there_is_no_click_in_it_or_at_its_seam() -> None:
    assert clicks(hold_tone() * 2) == []


def test_a_cut_into_it_would_be_heard_by_the_same_measure() -> None:
    assert clicks(hold_tone()[3_000:4_000] * 2) != []


def test_each_note_dies_away_before_it_ends() -> None:
    sound = hold_tone().rstrip(ULAW_SILENCE)

    assert ulaw_peak(sound[-30 * BYTES_PER_MS :]) <= 16


def test_it_is_no_key() -> None:
    assert DtmfDetector().push(hold_tone() * 3) == []


def test_it_has_nothing_where_dial_ringing_and_busy_tones_are() -> None:
    power = np.abs(np.fft.rfft(samples(hold_tone()))) ** 2
    hz = np.fft.rfftfreq(len(hold_tone()), 1 / 8_000)
    network = ((hz > 340) & (hz < 490)) | ((hz > 610) & (hz < 630))

    assert power[network].sum() < 0.02 * power.sum()
    assert power[(hz < 300) | (hz > 3_400)].sum() < 0.001 * power.sum()
