"""G.711 telephone audio: μ-law and A-law to 16-bit PCM, back, and to each other.

PCM here is always 16-bit signed little-endian, one channel, on the usual scale: G.711's 14-bit
μ-law and 13-bit A-law values times 4 and times 8. Source: ITU-T G.711, tables 1 to 4.

Where a sample lies exactly on a decision value, G.711 leaves the choice open; we take the interval
above it on the signed axis for both laws, as ITU-T's own software (G.191) does.
"""

import sys
import warnings
from typing import Final

import numpy as np
import numpy.typing as npt

with warnings.catch_warnings():
    # Python 3.11 and 3.12 announce that audioop leaves in 3.13. There audioop-lts takes over
    # under the same name, so this one notice is settled; all others stay audible.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import audioop

if sys.byteorder != "little":
    raise ImportError("telecodecs needs a little-endian host: audioop works in host byte order.")

SAMPLE_RATE_HZ: Final = 8000
BYTES_PER_MS: Final = 8
FRAME_MS: Final = 20
FRAME_BYTES: Final = 160
"""One 20 ms frame of μ-law or A-law."""
ULAW_SILENCE: Final = b"\xff"
"""One byte of μ-law silence (+0)."""
ALAW_SILENCE: Final = b"\xd5"
"""One byte of A-law silence: the smallest positive value, since A-law has no zero."""

_ULAW_FULL_LOAD_DBM0: Final = 3.17
_ALAW_FULL_LOAD_DBM0: Final = 3.14
_ULAW_DECISIONS: Final[npt.NDArray[np.int64]] = np.array(
    [0] + [((16 + n % 16) << (n // 16 + 1)) - 33 for n in range(1, 128)] + [8159]
)
"""Decision values x0..x128 on the 14-bit scale (G.711 table 2a)."""
_ALAW_DECISIONS: Final[npt.NDArray[np.int64]] = np.array(
    [2 * n for n in range(16)] + [(16 + n % 16) << (n // 16) for n in range(16, 128)] + [4096]
)
"""Decision values x0..x128 on the 13-bit scale (G.711 table 1a)."""


def ulaw_to_pcm(ulaw: bytes) -> bytes:
    """Decode μ-law: two bytes of PCM for each byte."""
    pcm: bytes = audioop.ulaw2lin(ulaw, 2)
    return pcm


def alaw_to_pcm(alaw: bytes) -> bytes:
    """Decode A-law: two bytes of PCM for each byte."""
    pcm: bytes = audioop.alaw2lin(alaw, 2)
    return pcm


def pcm_to_ulaw(pcm: bytes) -> bytes:
    """Encode as μ-law: one byte for each sample.

    Raises ValueError if `pcm` ends in the middle of a sample.
    """
    require_whole_samples(pcm)
    return _PCM_TO_ULAW.take(np.frombuffer(pcm, _UINT16)).tobytes()


def pcm_to_alaw(pcm: bytes) -> bytes:
    """Encode as A-law: one byte for each sample.

    Raises ValueError if `pcm` ends in the middle of a sample.
    """
    require_whole_samples(pcm)
    alaw: bytes = audioop.lin2alaw(pcm, 2)
    return alaw


def ulaw_to_alaw(ulaw: bytes) -> bytes:
    """Convert as G.711 table 3 says, which is not quite decoding and encoding again."""
    return ulaw.translate(_ULAW_TO_ALAW)


def alaw_to_ulaw(alaw: bytes) -> bytes:
    """Convert as G.711 table 4 says, which is not quite decoding and encoding again."""
    return alaw.translate(_ALAW_TO_ULAW)


def require_whole_samples(pcm: bytes) -> None:
    """Raise ValueError if `pcm` is not a whole number of 16-bit samples."""
    if len(pcm) % 2:
        raise ValueError(
            f"Expected 16-bit PCM, so an even number of bytes; got {len(pcm)}. "
            "Keep the odd byte and put it before the next piece."
        )


def _pcm_to_ulaw_table() -> npt.NDArray[np.uint8]:
    """The μ-law code of every sample, indexed by the sample read as unsigned.

    audioop's encoder rounds negative samples towards minus infinity before it quantises, which puts
    381 of them strictly inside one interval into the next one out (-1 decodes to -8, not to 0).
    """
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int64)
    magnitudes = np.where(samples < 0, -1 - samples, samples)
    levels = np.searchsorted(_ULAW_DECISIONS[:128] * 4, magnitudes, side="right") - 1
    return (np.where(samples < 0, 0x7F, 0xFF) - levels).astype(np.uint8)


def _quantised(decisions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return (decisions[:-1] + decisions[1:]) / 2


def _nearest(
    values: npt.NDArray[np.float64], levels: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    return np.array([int(np.abs(levels - value).argmin()) for value in values], dtype=np.int64)


def _cross_law_tables() -> tuple[bytes, bytes]:
    """Tables 3 and 4 of G.711 as 256-byte translations, μ to A and A to μ.

    They pair the nearest output values at equal power in dBm0, with one exception each way that
    keeps a double conversion from touching more than the last bit (G.711, note 3 to the tables).
    """
    ulaw_levels = _quantised(_ULAW_DECISIONS)
    ulaw_levels[0] = 0.0  # the two intervals around zero share one output value
    same_power = 10 ** ((_ULAW_FULL_LOAD_DBM0 - _ALAW_FULL_LOAD_DBM0) / 20) * 4096 / 8159
    alaw_levels = _quantised(_ALAW_DECISIONS) / same_power
    to_alaw, to_ulaw = _nearest(ulaw_levels, alaw_levels), _nearest(alaw_levels, ulaw_levels)
    to_alaw[80], to_ulaw[79] = 80, 79
    codes = range(256)
    return (
        bytes((code & 0x80 | int(to_alaw[~code & 0x7F])) ^ 0x55 for code in codes),
        bytes(code & 0x80 | 0x7F - int(to_ulaw[(code ^ 0x55) & 0x7F]) for code in codes),
    )


_UINT16: Final = np.dtype("<u2")
_PCM_TO_ULAW: Final = _pcm_to_ulaw_table()
_ULAW_TO_ALAW, _ALAW_TO_ULAW = _cross_law_tables()
