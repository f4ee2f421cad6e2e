"""A recording is a valid WAV at any instant of the call, and holds what was written so far."""

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import telecodecs
from telecodecs.g711 import FRAME_BYTES, ULAW_SILENCE, ulaw_to_pcm
from telecodecs.wav import load_as_ulaw, read_wav
from telecodecs.wav_writer import MonoWavWriter, StereoWavWriter

LEFT = bytes(range(160))
RIGHT = bytes(range(255, 95, -1))


def channels_of(path: Path) -> tuple[bytes, bytes]:
    """Left and right as PCM, read by the standard library's own WAV reader."""
    with wave.open(str(path)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (2, 2, 8000)
        frames = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, 2)
    return frames[:, 0].tobytes(), frames[:, 1].tobytes()


def test_caller_is_left_and_bot_is_right(tmp_path: Path) -> None:
    with StereoWavWriter(tmp_path / "call.wav") as writer:
        writer.write(LEFT, RIGHT)
        writer.write(RIGHT, LEFT)
    left, right = channels_of(tmp_path / "call.wav")
    assert left == ulaw_to_pcm(LEFT + RIGHT)
    assert right == ulaw_to_pcm(RIGHT + LEFT)


def test_our_reader_and_the_standard_librarys_agree(tmp_path: Path) -> None:
    with StereoWavWriter(tmp_path / "call.wav") as writer:
        writer.write(LEFT, RIGHT)
    with wave.open(str(tmp_path / "call.wav")) as reader:
        assert read_wav(tmp_path / "call.wav") == (8_000, 2, reader.readframes(160))


def test_mono_audio_survives_the_round_trip_exactly(tmp_path: Path) -> None:
    spoken = bytes(code for code in range(256) if code != 0x7F)  # -0 comes back as +0
    with MonoWavWriter(tmp_path / "side.wav") as writer:
        writer.write(spoken[:100])
        writer.write(spoken[100:])
    assert load_as_ulaw(tmp_path / "side.wav") == spoken


@pytest.mark.parametrize("n_frames", [0, 1, 49, 50, 51, 137])
def test_the_file_is_valid_after_every_piece_and_at_most_a_second_behind(
    tmp_path: Path, n_frames: int
) -> None:
    path = tmp_path / "call.wav"
    writer = StereoWavWriter(path)
    for _ in range(n_frames):
        writer.write(LEFT, RIGHT)
    left, right = channels_of(path)
    assert ulaw_to_pcm(LEFT * n_frames).startswith(left)
    assert ulaw_to_pcm(RIGHT * n_frames).startswith(right)
    assert n_frames * FRAME_BYTES - len(left) // 2 < 8_000
    assert writer.duration_ms == n_frames * 20
    writer.close()
    assert channels_of(path)[0] == ulaw_to_pcm(LEFT * n_frames)


def test_a_killed_process_leaves_a_readable_recording(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from telecodecs import StereoWavWriter\n"
        "writer = StereoWavWriter(sys.argv[1])\n"
        "for _ in range(175): writer.write(b'\\x10' * 160, b'\\x20' * 160)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "call.wav"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path(telecodecs.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == -9
    left, right = channels_of(path)
    assert 2_500 < len(left) / 16 <= 3_500
    assert set(np.frombuffer(left, "<i2")) == set(np.frombuffer(ulaw_to_pcm(b"\x10"), "<i2"))
    assert set(np.frombuffer(right, "<i2")) == set(np.frombuffer(ulaw_to_pcm(b"\x20"), "<i2"))
    rate_hz, channels, pcm = read_wav(path)
    assert (rate_hz, channels, len(pcm)) == (8_000, 2, len(left) * 2)


def test_the_file_grows_while_the_call_runs(tmp_path: Path) -> None:
    with StereoWavWriter(tmp_path / "call.wav") as writer:
        sizes = []
        for _ in range(5):
            for _ in range(50):
                writer.write(LEFT, RIGHT)
            sizes.append((tmp_path / "call.wav").stat().st_size)
    assert sizes == [44 + 32_000 * seconds for seconds in range(1, 6)]


def test_pieces_that_are_not_aligned_are_refused_and_leave_the_file_whole(tmp_path: Path) -> None:
    with StereoWavWriter(tmp_path / "call.wav") as writer:
        writer.write(LEFT, RIGHT)
        with pytest.raises(ValueError, match=r"160 bytes for the left and 159 for the right"):
            writer.write(LEFT, RIGHT[:-1])
        writer.write(ULAW_SILENCE * 160, RIGHT)
    assert channels_of(tmp_path / "call.wav")[1] == ulaw_to_pcm(RIGHT * 2)


def test_writing_after_close_is_refused_and_closing_twice_is_not(tmp_path: Path) -> None:
    writer = MonoWavWriter(tmp_path / "side.wav")
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed file"):
        writer.write(LEFT)


def test_ulaw_files_keep_every_byte_and_are_valid_at_any_instant(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    with StereoWavWriter(path, "ulaw", mode=0o600) as writer:
        assert path.stat().st_size in (0, 58)
        writer.write(LEFT * 100, RIGHT * 100)
        sound = path.read_bytes()[58:]
        assert sound[0::2][:160] == LEFT[: len(sound) // 2]
    content = path.read_bytes()
    assert content[58:][0::2] == LEFT * 100
    assert content[58:][1::2] == RIGHT * 100
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert read_wav(path)[:2] == (8_000, 2)
    assert path.stat().st_mode & 0o777 == 0o600
