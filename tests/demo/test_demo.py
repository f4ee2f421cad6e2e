"""`earshot demo` holds a real call and exits 0 only if it went as scripted."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import earshot
from app.lab.speech.voices import voice_clip
from telecodecs.wav import read_wav
from telecodecs.wav_writer import MonoWavWriter

pytestmark = pytest.mark.lab_call

ROOT = Path(__file__).parents[2]
LIMIT_S = 300
"""A call lasts 40 s at most."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A demo that was held to its end."""

    exit_code: int
    output: str
    folder: Path


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    code = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
    return subprocess.Popen(
        [sys.executable, "-m", "app", "demo", "--out", str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": code},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Ended]]:
    """Calls take their time: both are held at once."""
    folder = tmp_path_factory.mktemp("demos")
    recording = folder / "mine.wav"
    with MonoWavWriter(recording) as writer:
        writer.write(voice_clip("opening_hours_rms").ulaw)
    running = {
        "scripted": started(folder / "scripted"),
        "own": started(folder / "own", "--caller", str(recording)),
    }
    try:
        outputs = {
            name: process.communicate(timeout=LIMIT_S)[0] for name, process in running.items()
        }
        yield {
            name: Ended(process.returncode, outputs[name], folder / name)
            for name, process in running.items()
        }
    finally:
        for process in running.values():
            process.kill()
            process.communicate()


def test_the_scripted_call_goes_as_scripted(demos: Mapping[str, Ended]) -> None:
    demo = demos["scripted"]
    assert demo.exit_code == 0, demo.output
    assert "opening hours" in demo.output
    assert "[interrupted]" in demo.output
    assert "book_table(party_size=4" in demo.output
    (folder,) = (demo.folder / "calls").iterdir()
    rate_hz, channels, pcm = read_wav(folder / "call.wav")
    assert (rate_hz, channels) == (8_000, 2)
    assert any(pcm)
    timeline = json.loads((folder / "timeline.json").read_text())
    assert timeline["end_reason"] == "agent_hung_up"
    replayed = CliRunner().invoke(earshot, ["replay", str(folder / "events.jsonl")])
    assert replayed.exit_code == 0, replayed.output


def test_a_callers_own_recording_is_answered(demos: Mapping[str, Ended]) -> None:
    demo = demos["own"]
    assert demo.exit_code == 0, demo.output
    assert "open every day" in demo.output


def test_a_recording_that_is_no_wav_is_told_in_a_line(tmp_path: Path) -> None:
    recording = tmp_path / "mine.wav"
    recording.write_bytes(b"not a wav")
    result = CliRunner().invoke(earshot, ["demo", "--caller", str(recording)])
    assert result.exit_code == 1
    assert "mine.wav" in result.output
    assert "Traceback" not in result.output
