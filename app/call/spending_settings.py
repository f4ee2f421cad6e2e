"""What a call may cost, and what happens then."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SpendSettings:
    cap_usd: float = 0.0
    """US dollars; 0: no cap."""
    warn_share: float = 0.8
    then: Literal["warn", "downgrade", "end"] = "warn"
