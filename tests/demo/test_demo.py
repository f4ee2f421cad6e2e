"""`earshot demo` holds a real call and exits 0 only if it went as scripted."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import earshot
from app.lab.speech.voices import voice_clip
from telecodecs.wav import read_wav
from telecodecs.wav_writer import MonoWavWriter

pytestmark = pytest.mark.lab_call


def test_the_scripted_call_goes_as_scripted(tmp_path: Path) -> None:
    result = CliRunner().invoke(earshot, ["demo", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "opening hours" in result.output
    assert "[interrupted]" in result.output
    assert "book_table(party_size=4" in result.output
    (folder,) = (tmp_path / "calls").iterdir()
    rate_hz, channels, pcm = read_wav(folder / "call.wav")
    assert (rate_hz, channels) == (8_000, 2)
    assert any(pcm)
    timeline = json.loads((folder / "timeline.json").read_text())
    assert timeline["end_reason"] == "agent_hung_up"
    replayed = CliRunner().invoke(earshot, ["replay", str(folder / "events.jsonl")])
    assert replayed.exit_code == 0, replayed.output


def test_a_callers_own_recording_is_answered(tmp_path: Path) -> None:
    recording = tmp_path / "mine.wav"
    with MonoWavWriter(recording) as writer:
        writer.write(voice_clip("opening_hours_rms").ulaw)
    result = CliRunner().invoke(
        earshot, ["demo", "--caller", str(recording), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    assert "open every day" in result.output


def test_a_recording_that_is_no_wav_is_told_in_a_line(tmp_path: Path) -> None:
    recording = tmp_path / "mine.wav"
    recording.write_bytes(b"not a wav")
    result = CliRunner().invoke(earshot, ["demo", "--caller", str(recording)])
    assert result.exit_code == 1
    assert "mine.wav" in result.output
    assert "Traceback" not in result.output
