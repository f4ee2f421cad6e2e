"""What became of every row of a file. The counts add up: no row is lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.campaigns.importing.checking import Contact, Fault
from app.campaigns.importing.loading import Fate

MOST_EXAMPLES: Final = 20
MOST_KINDS: Final = 200


@dataclass(slots=True)
class Report:
    """Counts of rows, and of contacts among them."""

    rows: int = 0
    loaded: int = 0
    updated: int = 0
    again_in_file: int = 0
    in_campaign: int = 0
    elsewhere: int = 0
    """Left out because another campaign has the number."""
    invalid: int = 0
    also_elsewhere: int = 0
    """Of `loaded` and `updated`: another campaign has the number too."""
    no_zone: int = 0
    """Of `loaded` and `updated`: nobody knows their time zone."""
    no_consent: int = 0
    mended: Counter[str] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By column and reason."""
    examples: list[Fault] = field(default_factory=list)

    def add_fate(self, contact: Contact, fate: Fate) -> None:
        setattr(self, fate.kind, getattr(self, fate.kind) + 1)
        if fate.kind in ("loaded", "updated"):
            self.also_elsewhere += fate.also_elsewhere
            self.no_zone += not contact.zones
            self.no_consent += contact.consent is None
        self.mended.update(contact.mended)

    def add_faults(self, faults: Sequence[Fault]) -> None:
        self.invalid += 1
        for fault in faults:
            key = (fault.column, fault.reason)
            if key not in self.faults and len(self.faults) >= MOST_KINDS:
                key = ("", "other faults")
            self.faults[key] += 1
        self.examples.extend(faults[: MOST_EXAMPLES - len(self.examples)])

    def parts(self) -> Iterator[tuple[str, int]]:
        """They are `rows` together."""
        yield "loaded", self.loaded
        yield "updated", self.updated
        yield "duplicates within the file", self.again_in_file
        yield "in the campaign already", self.in_campaign
        yield "left out: in another campaign", self.elsewhere
        yield "invalid", self.invalid

    @property
    def adds_up(self) -> bool:
        return self.rows == sum(count for _, count in self.parts())

    def as_json(self) -> dict[str, int]:
        """Counts only: fit for the campaign's log."""
        return {
            "rows": self.rows,
            "loaded": self.loaded,
            "updated": self.updated,
            "again_in_file": self.again_in_file,
            "in_campaign": self.in_campaign,
            "elsewhere": self.elsewhere,
            "invalid": self.invalid,
        }
