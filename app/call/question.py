"""Something that the model heard while the agent had the floor: is it a turn of the caller's?"""

from dataclasses import dataclass, field

SAME_MS = 500
"""Our own voice detection may hear it so much later than the model."""


@dataclass(slots=True)
class Question:
    item_ids: set[str] = field(default_factory=set)
    """The model's, of what it hears."""
    over_ms: int | None = None
    """When the model heard its end."""
    taken: bool = False
    """It is a turn: the floor was yielded for it."""

    @property
    def over(self) -> bool:
        return self.over_ms is not None

    def live(self, now_ms: int) -> bool:
        """What is heard now may be the same."""
        return not self.taken and (self.over_ms is None or now_ms - self.over_ms < SAME_MS)
