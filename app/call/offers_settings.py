"""When another way is offered to a caller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfferSettings:
    """0 as a threshold: never for that reason."""

    misses: int = 0
    """Turns in a row of which no word was understood."""
    slow_ms: int = 0
    """An answer that takes longer, from the end of the caller's voice to the first sound."""
    noisy_dbfs: float = 0.0
    """Noise above this."""
    say: str = ""
    """Instructions; "": there is nothing to offer."""
