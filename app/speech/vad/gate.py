"""Clear silence, told from a window of μ-law for half a microsecond: no inference is needed there.

It looks at peaks, not at power: speech is peaky, so even quiet speech lifts some samples over the
limit, while steady line noise of the same power does not.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from telecodecs import ulaw_to_pcm

FULL_SCALE: Final = 32_768
_MAGNITUDES: Final = np.abs(np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(np.int32))


@dataclass(frozen=True, slots=True)
class Gate:
    """Raises ValueError for values out of range."""

    peak_dbfs: float = -46.0
    """Samples up to this magnitude are quiet."""
    loud_samples: int = 4
    """So many louder ones in a window are still silence: clicks of the line."""
    hold_windows: int = 3
    """Windows of silence in a row that are listened to, before it closes."""
    _quiet_codes: bytes = field(init=False, repr=False, compare=False, default=b"")

    def __post_init__(self) -> None:
        if not -72 <= self.peak_dbfs <= -30:
            raise ValueError(
                f"Expected peak_dbfs of -72 (the smallest step of μ-law) to -30, where quiet "
                f"speech would be lost; got {self.peak_dbfs}."
            )
        if self.loud_samples < 0 or self.hold_windows < 0:
            raise ValueError(
                "Expected loud_samples and hold_windows of 0 or more; "
                f"got {self.loud_samples} and {self.hold_windows}."
            )
        limit = FULL_SCALE * 10 ** (self.peak_dbfs / 20)
        object.__setattr__(self, "_quiet_codes", _codes_up_to(limit))

    def is_silence(self, ulaw: bytes | bytearray) -> bool:
        """Whether a window of about 30 ms holds clear silence."""
        return len(ulaw.translate(None, self._quiet_codes)) <= self.loud_samples


def _codes_up_to(magnitude: float) -> bytes:
    return bytes(np.flatnonzero(magnitude >= _MAGNITUDES).astype(np.uint8))
