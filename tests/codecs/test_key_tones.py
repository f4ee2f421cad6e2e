"""The tone of a key is told within 20 ms of its start, also under a voice, and no voice is taken
for one."""

from pathlib import Path

import numpy as np
import pytest

import app.lab.speech
from telecodecs import FRAME_BYTES, ULAW_SILENCE, KeyToneGate, dtmf_tone, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.dtmf import KEYS

VOICES = Path(app.lab.speech.__file__).parent / "voices"


def voices() -> bytes:
    return b"".join(path.read_bytes() for path in sorted(VOICES.glob("*.ulaw")))


def heard(ulaw: bytes, *, strict: bool = False) -> list[bool]:
    """By frame."""
    gate = KeyToneGate()
    hears = gate.suspects if strict else gate.hears
    return [hears(ulaw[at : at + FRAME_BYTES]) for at in range(0, len(ulaw), FRAME_BYTES)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("level_dbfs", [-10.0, -30.0])
@pytest.mark.parametrize("strict", [False, True])
def test_a_tone_is_told_in_its_first_whole_frame_wherever_it_begins(
    key: str, level_dbfs: float, strict: bool
) -> None:
    for early in range(0, FRAME_BYTES, 16):
        tone = dtmf_tone(key, 100, 0, level_dbfs)
        line = ULAW_SILENCE * (2 * FRAME_BYTES + early) + tone
        frames = heard(line.ljust(10 * FRAME_BYTES, ULAW_SILENCE), strict=strict)
        whole = -(-(2 * FRAME_BYTES + early) // FRAME_BYTES)
        assert all(frames[whole : (len(line) // FRAME_BYTES)]), early
        assert not any(frames[:2])


@pytest.mark.parametrize("strict", [False, True])
def test_voices_are_hardly_ever_taken_for_keys(strict: bool) -> None:
    frames = heard(voices(), strict=strict)
    assert len(frames) > 5_000
    assert sum(frames) <= (0.01 * len(frames) if strict else 0)


def test_a_tone_is_told_under_a_voice_as_loud_as_itself() -> None:
    speech = np.frombuffer(ulaw_to_pcm(voices()), "<i2").astype(float)
    chance, told, whole = np.random.default_rng(5), 0, 0
    for number in range(120):
        at = int(chance.integers(0, len(speech) - 2_000))
        voice = speech[at : at + 1_600]
        voice = voice * (32_768 * 10 ** (-16 / 20) / (float(np.sqrt((voice**2).mean())) + 1))
        pcm = dtmf_tone(KEYS[number % 12], 100, 0, -16.0, encoding="pcm")
        voice[480:1_280] += np.frombuffer(pcm, "<i2")
        mixed = np.clip(np.rint(voice), -32_768, 32_767).astype("<i2").tobytes()
        frames = heard(pcm_to_ulaw(mixed), strict=True)[3:8]
        told, whole = told + sum(frames), whole + len(frames)
    assert told >= 0.95 * whole


def test_what_is_too_soft_or_too_short_is_no_tone() -> None:
    assert not any(heard(dtmf_tone("5", 200, 0, -60.0)))
    assert heard(b"") == []
    assert not KeyToneGate().hears(dtmf_tone("5", 5, 0))
