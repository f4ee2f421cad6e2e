"""What is asked of the caller's keypad, and what came of it.

Digits may be card numbers and PINs: no repr shows them, whether they were asked for as masked or
not.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

KEYS: Final = "0123456789*#ABCD"
"""What a telephone can send (ITU-T Q.23); A to D are on no ordinary telephone."""
MOST_DIGITS: Final = 128
MASK: Final = "•"
"""Stands for a key that is not shown."""

Reason: TypeAlias = Literal[
    "length", "terminator", "pause", "no_input", "too_short", "not_allowed", "cancelled"
]
"""How a try ended: with as many keys as there may be, the end key or a pause; or without a key, too
few keys, a wrong key or because it was called off."""
ToModel: TypeAlias = Literal["digits", "masked"]


@dataclass(frozen=True, slots=True)
class Collect:
    """A collection of keys. Times in ms. Raises `ValueError` for values that contradict each
    other. For an exact length let `min_digits` and `max_digits` be the same."""

    min_digits: int = 1
    max_digits: int = 20
    """With so many keys the entry is complete."""
    terminator: str = "#"
    """The key that ends the entry and is no part of it. "": there is none."""
    first_digit_ms: int = 10_000
    inter_digit_ms: int = 4_000
    """A pause of so long ends the entry."""
    retries: int = 2
    """How often the caller is asked again."""
    masked: bool = False
    """Records show a dot in the place of each key."""
    to_model: ToModel = "digits"
    """What the model is told of a masked entry."""
    allowed: str = "0123456789"
    """An entry with any other key fails."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_digits <= self.max_digits <= MOST_DIGITS:
            raise ValueError(
                f"expected 1 <= min_digits <= max_digits <= {MOST_DIGITS}, got "
                f"{self.min_digits} and {self.max_digits}"
            )
        if min(self.first_digit_ms, self.inter_digit_ms) < 1 or self.retries < 0:
            raise ValueError(
                "expected first_digit_ms >= 1, inter_digit_ms >= 1 and retries >= 0, got "
                f"{self.first_digit_ms}, {self.inter_digit_ms} and {self.retries}"
            )
        if not self.allowed or not set(self.allowed) <= set(KEYS):
            raise ValueError(f"expected allowed keys out of {KEYS!r}, got {self.allowed!r}")
        if len(self.terminator) > 1 or self.terminator not in KEYS:
            raise ValueError(f"expected one of {KEYS!r} or none to end, got {self.terminator!r}")
        if self.terminator and self.terminator in self.allowed:
            raise ValueError(
                f"expected an end key that is no part of an entry, got {self.terminator!r}, which "
                "is allowed as well"
            )
        if self.to_model == "masked" and not self.masked:
            raise ValueError(
                'expected masked=True with to_model="masked": what the model may not know must not '
                "be in the record either"
            )

    def verdict(self, keys: str, reason: Reason) -> Reason:
        """`reason`, or what is wrong with an entry that ended so."""
        if reason in ("no_input", "cancelled"):
            return reason
        if not set(keys) <= {*self.allowed, MASK}:
            return "not_allowed"
        return "too_short" if len(keys) < self.min_digits else reason


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What came of one try."""

    keys: str = field(repr=False)
    """As pressed; of a try that failed as well."""
    complete: bool
    reason: Reason
    tries_left: int = 0
    """How often the caller may still try; 0: the collection is over."""
    masked: bool = False
    to_model: ToModel = "digits"

    @property
    def shown(self) -> str:
        """For the record."""
        return MASK * len(self.keys) if self.masked else self.keys

    @property
    def for_model(self) -> str:
        return MASK * len(self.keys) if self.to_model == "masked" else self.keys
