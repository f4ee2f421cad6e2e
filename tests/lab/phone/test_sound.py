"""Speech is audible, noise and silence are not; a recording keeps both sides side by side."""

import wave
from pathlib import Path

import pytest

from app.lab.phone.sound import Recording, amplified, any_audio, audible, comfort_noise, load_clip
from app.lab.speech.voices import voice_clip
from telecodecs.g711 import pcm_to_ulaw, ulaw_to_pcm
from telecodecs.levels import ulaw_dbfs, ulaw_peak


def test_speech_is_audible_and_noise_is_not() -> None:
    loud = pcm_to_ulaw(
        b"".join(((-1) ** n * 3000).to_bytes(2, "little", signed=True) for n in range(160))
    )
    assert audible(loud)
    assert not audible(b"\xff" * 160)
    assert not audible(b"\x7f" * 160)
    assert not any(audible(frame) for frame in comfort_noise(seed=1))
    assert any_audio(b"\xff")


def test_comfort_noise_is_not_silence_and_depends_on_its_seed() -> None:
    assert comfort_noise(1) != comfort_noise(2)
    assert all(len(frame) == 160 and len(set(frame)) > 2 for frame in comfort_noise(1))


def test_a_clip_is_raw_mulaw_or_a_wav(tmp_path: Path) -> None:
    audio = bytes(range(256))
    raw = tmp_path / "clip.ulaw"
    raw.write_bytes(audio)
    assert load_clip(raw) == audio
    with wave.open(str(tmp_path / "clip.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(ulaw_to_pcm(audio))
    assert ulaw_to_pcm(load_clip(tmp_path / "clip.wav")) == ulaw_to_pcm(audio)
    (tmp_path / "no.wav").write_bytes(b"no")
    with pytest.raises(ValueError, match="RIFF"):
        load_clip(tmp_path / "no.wav")


def test_sound_is_made_softer_or_louder_by_decibels() -> None:
    clip = voice_clip("when_open_slt").ulaw
    assert ulaw_dbfs(amplified(clip, -12)) == pytest.approx(ulaw_dbfs(clip) - 12, abs=0.2)
    assert ulaw_dbfs(amplified(clip, 3)) == pytest.approx(ulaw_dbfs(clip) + 3, abs=0.4)
    assert ulaw_peak(amplified(clip, 40)) == 32124


def test_a_recording_has_the_caller_left_and_what_was_heard_right(tmp_path: Path) -> None:
    recording = Recording()
    recording.add(b"\x00" * 160, b"")
    recording.add(b"", b"\x80" * 100)
    recording.write_wav(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav"), "rb") as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 320)
        pcm = file.readframes(320)
    left = [int.from_bytes(pcm[at : at + 2], "little", signed=True) for at in range(0, 1280, 4)]
    right = [int.from_bytes(pcm[at : at + 2], "little", signed=True) for at in range(2, 1280, 4)]
    assert left == [-32124] * 160 + [0] * 160
    assert right == [0] * 160 + [32124] * 100 + [0] * 60
