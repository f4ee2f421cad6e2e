"""What a call may cost, and what happens when it nears that."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class SpendAction(StrEnum):
    """In the order in which they can come."""

    WARN = "warn"
    DOWNGRADE = "downgrade"
    """Go on with a cheaper model."""
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRules:
    """Raises `ValueError` for what cannot be meant."""

    cap_usd: float = 0.0
    """0: no cap."""
    warn_share: float = 0.8
    """At this share of the cap the operator is warned, 0 to 1."""
    then: SpendAction = SpendAction.WARN
    """What happens at the cap."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cap_usd) and self.cap_usd >= 0):
            raise ValueError("cap_usd: expected dollars, 0 or more")
        if not 0 < self.warn_share <= 1:
            raise ValueError("warn_share: expected more than 0 and not more than 1")


def due(rules: SpendRules, cost_usd: float, done: Collection[SpendAction]) -> list[SpendAction]:
    """What to do now, in order, of what is not done yet. A cost that is no number is over any cap.

    `done`: what earlier calls of this returned.
    """
    if not rules.cap_usd:
        return []
    over = not cost_usd < rules.cap_usd
    near = over or cost_usd >= rules.cap_usd * rules.warn_share
    actions = ([SpendAction.WARN] if near else []) + ([rules.then] if over else [])
    return [action for action in dict.fromkeys(actions) if action not in done]
