"""A recording holds what was heard, in step, and nothing of what was private; it is valid whenever
the process dies, and no disk ever holds a call up."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import telecodecs
from app.bridge import recorder as module
from app.bridge.recorder import LAG_MS, Pen, Recorder
from app.call.generation import Generation
from telecodecs import ULAW_SILENCE, pcm_to_ulaw, read_wav

FRAME = b"c" * 160


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def sides(path: Path) -> tuple[bytes, bytes]:
    rate_hz, channels, pcm = read_wav(path)
    assert (rate_hz, channels) == (8_000, 2)
    frames = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    left, right = frames[:, 0].tobytes(), frames[:, 1].tobytes()
    return pcm_to_ulaw(left), pcm_to_ulaw(right)


def talk(recorder: Recorder, clock: Clock, until_ms: int, skew_ms: int = 5_000) -> None:
    """Caller frames of 20 ms, each as it ends; the carrier's clock is ahead."""
    while clock.ms < until_ms:
        recorder.caller(FRAME, clock.ms + 20 + skew_ms)
        clock.ms += 20
        recorder.tick(clock.ms)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110 - a thread does it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("encoding", ["ulaw", "pcm"])
async def test_both_sides_stand_in_step_on_the_calls_clock(
    tmp_path: Path, encoding: telecodecs.WavEncoding
) -> None:
    clock = Clock()
    clock.ms = 40
    path = tmp_path / "calls" / "recording.wav"
    recorder = Recorder(path, Pen(), clock, encoding=encoding)
    talk(recorder, clock, 200)
    spoken = Generation(1)
    spoken.clock.restarted(0, 5_090, 5_090)
    spoken.clock.played(800, 5_200, 5_200)
    recorder.bot(spoken, 0, b"b" * 800, 0)
    recorder.marked()
    await recorder.close()
    left, right = sides(path)
    assert left == ULAW_SILENCE * 320 + FRAME * 8
    assert right == ULAW_SILENCE * 800 + b"b" * 800
    assert recorder.as_json() == {
        "by": "own",
        "file": "recording.wav",
        "from_ms": 0,
        "to_ms": 200,
        "pauses": [],
        "fault": "",
    }


async def test_gaps_on_the_carriers_clock_are_silence(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path / "r.wav", Pen(), clock)
    recorder.caller(FRAME, 1_020)
    recorder.caller(FRAME, 1_120)
    await recorder.close()
    assert sides(tmp_path / "r.wav")[0] == FRAME + ULAW_SILENCE * 640 + FRAME


async def test_a_pause_is_silence_as_long_as_itself_on_both_sides(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path / "r.wav", Pen(), clock)
    talk(recorder, clock, 1_000)
    recorder.pause(600, "private digits")
    talk(recorder, clock, 2_000)
    recorder.resume(2_000)
    talk(recorder, clock, 6_000)
    await recorder.close()
    left, _ = sides(tmp_path / "r.wav")
    silent = ULAW_SILENCE * (8 * 1_400)
    assert left == FRAME * 30 + silent + FRAME * 200
    assert recorder.as_json()["pauses"] == [
        {"from_ms": 600, "why": "private digits", "to_ms": 2_000}
    ]


async def test_nothing_is_written_before_it_can_no_longer_be_taken_back(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "r.wav"
    recorder = Recorder(path, Pen(), clock)
    talk(recorder, clock, 3_000)
    recorder.keep_back(1_400)
    talk(recorder, clock, 9_000)
    await until(lambda: path.exists() and path.stat().st_size > 58)
    recorder.pause(1_400, "private digits")
    await recorder.close()
    left, _ = sides(path)
    assert len(left) == 8 * 9_000
    assert left[: 8 * 1_400] == FRAME * 70
    assert not left[8 * 1_400 :].strip(ULAW_SILENCE)


async def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        recorder = Recorder(tmp_path / "calls" / "CA1" / "r.wav", Pen(), Clock())
        recorder.caller(FRAME, 20)
        await recorder.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(recorder.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(recorder.path.parent.stat().st_mode) == 0o700


async def test_a_disk_that_is_full_ends_the_recording_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    clock = Clock()
    recorder = Recorder(tmp_path / "r.wav", Pen(), clock, on_fault=told.append)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(telecodecs.StereoWavWriter, "write", full)
    talk(recorder, clock, LAG_MS + 1_500)
    await asyncio.sleep(0.05)
    talk(recorder, clock, LAG_MS + 9_000)
    await recorder.close()
    assert told == [recorder.fault] == ["No space left on device"]


async def test_a_disk_that_hangs_holds_nobody_up_and_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, told = threading.Event(), list[str]()
    monkeypatch.setattr(telecodecs.StereoWavWriter, "write", lambda *_: stuck.wait(20))
    monkeypatch.setattr(module, "BACKLOG_MS", 3_000)
    clock = Clock()
    recorder = Recorder(tmp_path / "r.wav", Pen(), clock, on_fault=told.append)
    talk(recorder, clock, LAG_MS + 2_000)
    assert told == []
    talk(recorder, clock, LAG_MS + 8_000)
    assert told == ["the disk is too slow"]
    stuck.set()
    await recorder.close()


async def test_a_call_without_any_sound_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.wav", Pen(), Clock())
    await recorder.close()
    assert not recorder.path.exists()
    assert recorder.as_json()["file"] is None


KILLED = """
import asyncio, sys
from pathlib import Path
from app.bridge.recorder import Pen, Recorder

async def main():
    ms = 0
    recorder = Recorder(Path(sys.argv[1]), Pen(), lambda: ms)
    for _ in range(500):
        recorder.caller(b"c" * 160, ms + 20)
        ms += 20
        recorder.tick(ms)
        await asyncio.sleep(0)
        if ms % 1000 == 0:
            await asyncio.sleep(0.05)
    print("recorded", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_process_that_is_killed_leaves_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, env=env
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"recorded\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left, right = sides(path)
    assert len(left) == len(right) >= 8 * 5_000
    assert left == b"c" * len(left)
