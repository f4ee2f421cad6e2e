"""How far ahead bot audio is released, and how often the carrier says what was played."""

from dataclasses import dataclass
from typing import Literal

from app.call.axis import FRAME_MS


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    lead_ms: int = 200
    """How far ahead of playback audio is released."""
    step_ms: int = 60
    """Audio is topped up when the lead has shrunk by this much."""
    mark_every_ms: int = 200
    fence_timeout_ms: int = 500
    """After this long without a fence the heard position is estimated by the clock."""
    by: Literal["us", "model"] = "us"
    """model: its side holds the telephone, plays what it says and cuts it when the caller speaks;
    we are told of it (served_playout.py)."""

    def __post_init__(self) -> None:
        """Raises `ValueError` where audio could not be released in whole frames."""
        if not FRAME_MS <= self.step_ms < self.lead_ms:
            raise ValueError(
                f"expected {FRAME_MS} <= step_ms < lead_ms, got {self.step_ms} and {self.lead_ms}"
            )
        if self.mark_every_ms < FRAME_MS or self.fence_timeout_ms <= 0:
            raise ValueError(
                f"expected mark_every_ms >= {FRAME_MS} and fence_timeout_ms > 0, "
                f"got {self.mark_every_ms} and {self.fence_timeout_ms}"
            )
