"""Where sound begins and ends in a piece of μ-law: the ground truth about a caller's words."""

from telecodecs.g711 import BYTES_PER_MS
from telecodecs.levels import FULL_SCALE, ulaw_peak

AUDIBLE_DBFS = -45.0
"""A sample is audible from this peak on: comfort noise stays below, the first breath of a word goes
above."""

_LEAST = FULL_SCALE * 10 ** (AUDIBLE_DBFS / 20)
_AUDIBLE = bytes(ulaw_peak(bytes([code])) >= _LEAST for code in range(256))


def audible_span(ulaw: bytes) -> tuple[float, float] | None:
    """When the first audible sample begins and the last one ends, in ms; None if there is none."""
    loud = ulaw.translate(_AUDIBLE)
    first = loud.find(1)
    if first < 0:
        return None
    return first / BYTES_PER_MS, (loud.rfind(1) + 1) / BYTES_PER_MS
