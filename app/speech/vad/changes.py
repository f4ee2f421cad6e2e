"""What voice detection tells of: a voice began, a voice stopped.

All positions are milliseconds on the stream's own axis: the audio fed since it was opened, silence
included.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    began_ms: int
    """Start of the first window that counted as voice."""
    axis_ms: int
    """How much audio had been fed when this was told."""
    level_dbfs: float
    """RMS level from `began_ms` to the window that decided."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    ended_ms: int
    """End of the last window that counted as voice."""
    axis_ms: int
    voiced_ms: int
    """How much between the beginning and the end was voice."""


VoiceChange: TypeAlias = VoiceStarted | VoiceStopped
