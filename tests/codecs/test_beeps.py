"""The beep of an answering machine is told once, soon after its end and where it was; voices, keys,
melodies, noises and tones of lines and fax machines are none."""

from pathlib import Path

import numpy as np
import pytest

import app.lab.speech
from telecodecs import BYTES_PER_MS, ULAW_SILENCE, dtmf_tone, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.beeps import LEAST_BEEP_MS, MOST_BEEP_MS, Beep, BeepDetector
from telecodecs.dtmf import KEYS

VOICES = Path(app.lab.speech.__file__).parent / "voices"
QUIET = ULAW_SILENCE * (500 * BYTES_PER_MS)
SECOND_TONE_HZ = 620


def tone(*hz: float, ms: int = 300, level_dbfs: float = -14.0, fade_ms: int = 0) -> bytes:
    seconds = np.arange(ms * BYTES_PER_MS) / 8_000
    wave = np.sum([np.sin(2 * np.pi * each * seconds) for each in hz], axis=0)
    wave = wave * 32_768 * 10 ** (level_dbfs / 20) * 2**0.5 / len(hz)
    if fade_ms:
        n = fade_ms * BYTES_PER_MS
        wave[:n] *= np.linspace(0, 1, n)
        wave[-n:] *= np.linspace(1, 0, n)
    return pcm_to_ulaw(np.rint(wave).astype("<i2").tobytes())


def noise(ms: int, level_dbfs: float, seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).normal(0, 32_768 * 10 ** (level_dbfs / 20), ms * 8)
    return pcm_to_ulaw(np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes())


def mixed(*sounds: bytes) -> bytes:
    length = max(map(len, sounds))
    pcm = [np.frombuffer(ulaw_to_pcm(s.ljust(length, ULAW_SILENCE)), "<i2") for s in sounds]
    total = np.sum(np.array(pcm, dtype=np.int64), axis=0)
    return pcm_to_ulaw(np.clip(total, -32_768, 32_767).astype("<i2").tobytes())


def voice(ms: int = 2_000) -> bytes:
    return next(iter(sorted(VOICES.glob("*.ulaw")))).read_bytes()[: ms * BYTES_PER_MS]


def heard(ulaw: bytes, step: int = 160) -> list[tuple[int, Beep]]:
    """With how much audio it took."""
    detector = BeepDetector()
    return [
        (at + step, beep)
        for at in range(0, len(ulaw), step)
        for beep in detector.push(ulaw[at : at + step])
    ]


@pytest.mark.parametrize("hz", [400, 425, 440, 850, 1_000, 1_400, 2_000])
@pytest.mark.parametrize("ms", [LEAST_BEEP_MS, 300, 1_000, 2_400])
@pytest.mark.parametrize("fade_ms", [0, 10])
def test_a_beep_is_told_where_it_was_and_soon(hz: int, ms: int, fade_ms: int) -> None:
    for early in (0, 37, 101):
        for level_dbfs in (-10.0, -32.0):
            before = voice() + QUIET[: 1_600 + early]
            beep = tone(hz, ms=ms, level_dbfs=level_dbfs, fade_ms=fade_ms)
            ((at, found),) = heard(before + beep + QUIET)
            end = len(before) + len(beep)
            slack = (20 + fade_ms) * BYTES_PER_MS
            assert abs(found.start_sample - len(before)) <= slack
            assert abs(found.end_sample - end) <= slack
            assert abs(found.hz - hz) < 2
            assert at - end <= 160 * BYTES_PER_MS, "the message begins soon after it"
            assert 1_000 <= found.sound_before_ms <= 2_000


@pytest.mark.parametrize("step", [1, 7, 160, 800, 100_000])
def test_it_is_the_same_however_the_sound_is_cut(step: int) -> None:
    sound = voice(1_000) + QUIET[:800] + tone(1_000) + QUIET
    (found,) = (beep for _, beep in heard(sound, step))
    (whole,) = BeepDetector().push(sound + ULAW_SILENCE * 800)
    assert found == whole


def test_a_noisy_line_hides_no_beep() -> None:
    for seed in range(10):
        line = mixed(QUIET + tone(1_000, ms=400, level_dbfs=-16.0) + QUIET, noise(1_400, -32, seed))
        assert len(heard(line)) == 1, seed


def test_voices_are_never_taken_for_beeps() -> None:
    files = [path.read_bytes() for path in sorted(VOICES.glob("*.ulaw"))]
    assert sum(map(len, files)) > 200 * 8_000
    assert [heard(file + QUIET) for file in files if heard(file + QUIET)] == []


def test_what_is_too_short_too_long_or_too_soft_is_none() -> None:
    for sound in (tone(1_000, ms=90), tone(1_000, ms=MOST_BEEP_MS + 200)):
        assert heard(QUIET + sound + QUIET) == []
    assert heard(QUIET + tone(1_000, level_dbfs=-50.0) + QUIET) == []


@pytest.mark.parametrize("hz", [300, 2_100, 2_600])
def test_a_tone_out_of_its_band_is_none(hz: int) -> None:
    assert heard(QUIET + tone(hz, ms=500) + QUIET) == []


@pytest.mark.parametrize("pair", [(350, 440), (480, SECOND_TONE_HZ), (440, 480)])
def test_the_tones_of_lines_are_none(pair: tuple[int, int]) -> None:
    assert heard(QUIET + tone(*pair, ms=500) + QUIET) == []


def test_keys_are_none() -> None:
    assert heard(QUIET + dtmf_tone(KEYS, 200, 100) + QUIET) == []


def test_a_tone_that_glides_or_swells_is_none() -> None:
    seconds = np.arange(400 * BYTES_PER_MS) / 8_000
    glide = np.sin(2 * np.pi * (600 * seconds + 500 * seconds**2)) * 6_000
    swell = np.sin(2 * np.pi * 800 * seconds) * np.linspace(500, 9_000, len(seconds))
    for wave in (glide, swell):
        assert heard(QUIET + pcm_to_ulaw(np.rint(wave).astype("<i2").tobytes()) + QUIET) == []


def test_a_tone_that_something_else_follows_at_once_is_none() -> None:
    """A melody's note, a vowel, the three tones of a number that is not in service."""
    melody = b"".join(tone(hz, ms=200) for hz in (523, 587, 659, 698, 784))
    assert heard(QUIET + melody + voice() + QUIET) == []
    assert heard(QUIET + tone(1_000) + noise(400, -18) + QUIET) == []
    special = tone(985, ms=330) + tone(1_428, ms=330) + tone(1_777, ms=330) + voice()
    assert heard(special + QUIET) == []


def test_noise_and_silence_are_none() -> None:
    assert heard(noise(5_000, -20.0) + QUIET) == []
    assert heard(QUIET * 4) == []
    assert heard(b"") == []


def test_two_beeps_are_two() -> None:
    found = heard(voice(500) + QUIET + tone(1_000) + QUIET + tone(1_000) + QUIET)
    assert len(found) == 2
