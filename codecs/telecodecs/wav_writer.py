"""Writing calls to WAV files while they happen, without keeping them in memory.

The files are at 8 kHz, 16-bit PCM by default: twice the size of μ-law, but browsers and phones play
it too, and decoding μ-law loses nothing.
"""

import os
import struct
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

import numpy as np

from telecodecs.g711 import SAMPLE_RATE_HZ, ulaw_to_pcm
from telecodecs.wav import TAG_PCM, TAG_ULAW, WavPath

WavEncoding: TypeAlias = Literal["pcm", "ulaw"]

_MOST_HEADER_BYTES: Final = 58
_SAMPLE_BYTES: Final[dict[WavEncoding, int]] = {"pcm": 2, "ulaw": 1}
_PATCH_EVERY_FRAMES: Final = SAMPLE_RATE_HZ
_MAX_DATA_BYTES: Final = 2**32 - 1 - _MOST_HEADER_BYTES


class _WavWriter:
    """A WAV file that grows. One second of audio at most is lost if the process is killed.

    The sizes in the header are brought up to date every second of audio, always after the audio
    itself is with the operating system: the file is a valid WAV at any instant.
    """

    def __init__(
        self, path: WavPath, channels: int, encoding: WavEncoding = "pcm", mode: int = 0o666
    ) -> None:
        def opened(name: str, flags: int) -> int:
            return os.open(name, flags, mode)

        self._file = open(path, "wb", opener=opened)  # noqa: SIM115 - it lives as long as the call
        self._channels = channels
        self._encoding = encoding
        self._n_frames = 0
        self._n_frames_in_header = 0
        self._patch_header()

    @property
    def duration_ms(self) -> int:
        """Length of the audio written so far."""
        return self._n_frames * 1000 // SAMPLE_RATE_HZ

    def close(self) -> None:
        """Finish the header and close the file. Closing twice does nothing."""
        if not self._file.closed:
            self._patch_header()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, audio: bytes | bytearray) -> None:
        """In the file's encoding."""
        frame_bytes = self._channels * _SAMPLE_BYTES[self._encoding]
        if self._n_frames * frame_bytes + len(audio) > _MAX_DATA_BYTES:
            raise ValueError("A WAV file holds at most 4 GiB. Begin a new file.")
        self._file.write(audio)
        self._n_frames += len(audio) // frame_bytes
        if self._n_frames - self._n_frames_in_header >= _PATCH_EVERY_FRAMES:
            self._patch_header()

    def _patch_header(self) -> None:
        self._file.seek(0)  # seeking hands buffered audio to the system before the sizes grow
        self._file.write(_header(self._channels, self._n_frames, self._encoding))
        self._file.seek(0, os.SEEK_END)
        self._n_frames_in_header = self._n_frames


class StereoWavWriter(_WavWriter):
    """A call as it goes: the caller left, the bot right.

    Writing blocks for one small file write per second of audio. Raises OSError if the disk does.
    `mode`: permissions of a file that is made.
    """

    def __init__(self, path: WavPath, encoding: WavEncoding = "pcm", *, mode: int = 0o666) -> None:
        super().__init__(path, 2, encoding, mode)

    def write(self, left_ulaw: bytes, right_ulaw: bytes) -> None:
        """Append pieces that were heard at the same time, so of the same length.

        Raises ValueError if their lengths differ (pad with ULAW_SILENCE) or the file is closed.
        """
        if len(left_ulaw) != len(right_ulaw):
            raise ValueError(
                f"Expected aligned pieces of one length; got {len(left_ulaw)} bytes for the left "
                f"and {len(right_ulaw)} for the right. Pad the shorter with ULAW_SILENCE."
            )
        if self._encoding == "ulaw":
            pairs = bytearray(2 * len(left_ulaw))
            pairs[0::2], pairs[1::2] = left_ulaw, right_ulaw
            self._append(pairs)
            return
        frames = np.empty((len(left_ulaw), 2), "<i2")
        frames[:, 0] = np.frombuffer(ulaw_to_pcm(left_ulaw), "<i2")
        frames[:, 1] = np.frombuffer(ulaw_to_pcm(right_ulaw), "<i2")
        self._append(frames.tobytes())


class MonoWavWriter(_WavWriter):
    """One side of a call, or any telephone audio. Raises OSError if the disk does."""

    def __init__(self, path: WavPath) -> None:
        super().__init__(path, channels=1)

    def write(self, ulaw: bytes) -> None:
        """Append a piece of any length. Raises ValueError if the file is closed."""
        self._append(ulaw_to_pcm(ulaw))


def _header(channels: int, n_frames: int, encoding: WavEncoding) -> bytes:
    sample_bytes = _SAMPLE_BYTES[encoding]
    frame_bytes = channels * sample_bytes
    data_bytes = n_frames * frame_bytes
    tag = TAG_PCM if encoding == "pcm" else TAG_ULAW
    kind = struct.pack(
        "<HHIIHH",
        tag,
        channels,
        SAMPLE_RATE_HZ,
        SAMPLE_RATE_HZ * frame_bytes,
        frame_bytes,
        sample_bytes * 8,
    )
    # Whatever is not PCM must name the size of its extension, none, and the length in samples.
    kind += b"" if encoding == "pcm" else struct.pack("<H", 0)
    fact = b"" if encoding == "pcm" else struct.pack("<4sII", b"fact", 4, n_frames)
    chunks = struct.pack("<4sI", b"fmt ", len(kind)) + kind + fact
    chunks += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks) + data_bytes, b"WAVE") + chunks
