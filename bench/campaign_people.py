"""Contacts and caller numbers of a simulated campaign: made up from a seed, unique, in many zones.

Area codes and zones were looked up once in phonenumbers' tables; the numbers are nobody's."""

import random
from array import array
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.policy.dialing.words import Consent, Person

SEED: Final = 20_261_121
CONSENT: Final = Consent(date(2026, 10, 1), "web form")
"""Of everybody: without it the law lets nobody in America be called by a machine's voice."""


@dataclass(frozen=True, slots=True)
class Corner:
    """Part of the world. `digits`: how many follow `prefix`; `share`: of the contacts."""

    prefix: str
    digits: int
    region: str
    zones: tuple[str, ...]
    share: int


CORNERS: Final = (
    Corner("+1212", 7, "US", ("America/New_York",), 14),
    Corner("+1617", 7, "US", ("America/New_York",), 8),
    Corner("+1404", 7, "US", ("America/New_York",), 6),
    Corner("+1312", 7, "US", ("America/Chicago",), 10),
    Corner("+1713", 7, "US", ("America/Chicago",), 6),
    Corner("+1850", 7, "US", ("America/New_York", "America/Chicago"), 2),
    Corner("+1303", 7, "US", ("America/Denver",), 4),
    Corner("+1602", 7, "US", ("America/Phoenix",), 3),
    Corner("+1415", 7, "US", ("America/Los_Angeles",), 9),
    Corner("+1206", 7, "US", ("America/Los_Angeles",), 4),
    Corner("+1907", 7, "US", ("America/Anchorage",), 1),
    Corner("+1808", 7, "US", ("Pacific/Honolulu",), 1),
    Corner("+1416", 7, "CA", ("America/Toronto",), 3),
    Corner("+1709", 7, "CA", ("America/St_Johns",), 1),
    Corner("+4930", 8, "DE", ("Europe/Berlin",), 9),
    Corner("+49171", 7, "DE", ("Europe/Berlin",), 4),
    Corner("+4420", 8, "GB", ("Europe/London",), 7),
    Corner("+331", 8, "FR", ("Europe/Paris",), 4),
    Corner("+912", 9, "IN", ("Asia/Kolkata",), 2),
    Corner("+612", 8, "AU", ("Australia/Sydney",), 2),
)

POOL: Final = (
    *(f"+1212555{n:04}" for n in range(100, 108)),
    *(f"+1312555{n:04}" for n in range(100, 106)),
    *(f"+1415555{n:04}" for n in range(100, 106)),
    *(f"+1416555{n:04}" for n in range(100, 102)),
    *(f"+493023125{n:03}" for n in range(4)),
    *(f"+44207946{n:04}" for n in range(100, 104)),
    "+33142685300",
    "+12065550100",
)


class People:
    """`count` of them; a number and a corner each, 9 bytes together."""

    def __init__(self, count: int, seed: int = SEED) -> None:
        rng = random.Random(seed)
        shares = [corner.share for corner in CORNERS]
        self._corners = array("b", rng.choices(range(len(CORNERS)), shares, k=count))
        # A step that has no divisor in common with 10^7 meets every number once.
        self._numbers = array("q", ((n * 6_700_417 + 1_234_567) % 10**7 for n in range(count)))

    def __len__(self) -> int:
        return len(self._corners)

    def corner(self, index: int) -> Corner:
        return CORNERS[self._corners[index]]

    def person(self, index: int) -> Person:
        corner = self.corner(index)
        return Person(
            number=f"{corner.prefix}{self._numbers[index]:0{corner.digits}}",
            number_type="fixed_or_mobile",
            region=corner.region,
            zones=corner.zones,
            consent=CONSENT,
        )
