"""Identifiers that look like the vendor's: a prefix and 21 letters or digits."""

import random
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits


class Ids:
    """`dice` makes them the same in every run with the same seed."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._events = 0
        self._event_stem = self.new("event")[:-7]

    def new(self, prefix: str) -> str:
        return f"{prefix}_{''.join(self._dice.choices(_ALPHABET, k=21))}"

    def event(self) -> str:
        self._events += 1
        return f"{self._event_stem}{self._events:07d}"
