"""Streaming sample rate conversion of 16-bit PCM (little-endian, one channel)."""

from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import soxr

Quality: TypeAlias = Literal["LQ", "MQ", "HQ"]
MIN_RATE_HZ: Final = 4_000
MAX_RATE_HZ: Final = 192_000
_INT16: Final = np.dtype("<i2")
_FULL_SCALE: Final = 32_768.0


class Resampler:
    """Converts one stream of PCM from one rate to another, piece by piece.

    The output is the same bit for bit however the input is cut, also inside a sample: the state
    (filter, phase, half a sample) stays between calls. Use one Resampler for each stream.

    The audio is not moved in time, but it is held back: soxr filters in blocks, so output comes in
    bursts, after as much as this many ms of input (HQ, soxr 1.1; the mean is about half of it):
    8 to 16 kHz or back 118, 8 to 24 or back 76, 16 to 24 or back 40, 8 to 48 or back 180.
    `delay_ms` says what is held back now, `flush()` gives it up. "MQ" is no faster; "LQ" halves
    the delay but loses 8 dB at 3.4 kHz when one side is at 8 kHz.

    Raises ValueError for a rate outside 4,000 to 192,000 Hz.
    """

    def __init__(self, from_hz: int, to_hz: int, *, quality: Quality = "HQ") -> None:
        for rate_hz in (from_hz, to_hz):
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise ValueError(
                    f"Expected a sample rate from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz; got {rate_hz}."
                )
        self.from_hz: Final = from_hz
        self.to_hz: Final = to_hz
        # Floats inside: given 16-bit samples soxr adds dither, and digital silence would come out
        # as noise that a voice activity detector and a level meter can see.
        self._soxr = (
            None
            if from_hz == to_hz
            else soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=quality)
        )
        self._half_sample = b""
        self._n_in = 0
        self._n_out = 0

    @property
    def delay_ms(self) -> float:
        """How much of the input so far has not come out yet, in ms."""
        return (self._n_in / self.from_hz - self._n_out / self.to_hz) * 1000

    def push(self, pcm: bytes) -> bytes:
        """Take the next piece of input, of any length; return what is ready, maybe nothing."""
        pcm = self._half_sample + pcm if self._half_sample else pcm
        whole_bytes = len(pcm) & ~1
        self._half_sample = pcm[whole_bytes:]
        return self._convert(pcm[:whole_bytes], last=False)

    def flush(self) -> bytes:
        """End the stream: return the rest, and be ready for a new stream.

        Raises ValueError if the input ended in the middle of a sample; the stream is then reset.
        """
        if self._half_sample:
            self.reset()
            raise ValueError(
                "Expected 16-bit PCM, so an even number of bytes in all; the stream ended after "
                "half a sample. Is it really 16-bit PCM, and did it arrive completely?"
            )
        rest = self._convert(b"", last=True)
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the stream so far, with what was held back, and be ready for a new one."""
        if self._soxr is not None:
            self._soxr.clear()
        self._half_sample = b""
        self._n_in = self._n_out = 0

    def _convert(self, pcm: bytes, *, last: bool) -> bytes:
        self._n_in += len(pcm) // 2
        if self._soxr is not None:
            samples = np.frombuffer(pcm, _INT16).astype(np.float32) / np.float32(_FULL_SCALE)
            pcm = _to_int16(self._soxr.resample_chunk(samples, last=last))
        self._n_out += len(pcm) // 2
        return pcm


def _to_int16(samples: npt.NDArray[np.float32]) -> bytes:
    """Round and clip: a filter overshoots at the edges of loud audio, and a wrap would crack."""
    scaled = np.clip(np.rint(samples * np.float32(_FULL_SCALE)), -_FULL_SCALE, _FULL_SCALE - 1)
    pcm: bytes = scaled.astype(_INT16).tobytes()
    return pcm
