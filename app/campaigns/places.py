"""The world's time zones by country, and its public holidays: read once, handed to the policy."""

import importlib.resources
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

import holidays

from app.policy.dialing.people import Places

_OVERSEAS: Final[Mapping[str, frozenset[str]]] = {
    "FR": frozenset(
        {"971", "972", "973", "974", "976", "BL", "GP", "GY", "GF", "MF", "MQ", "NC", "PF", "PM",
         "RE", "TF", "WF", "YT", "CP"}
    ),
    "US": frozenset({"AS", "GU", "MP", "PR", "UM", "VI"}),
}  # fmt: skip
"""Parts that have country letters of their own: their numbers are never taken for the country's."""
_TOWNS: Final = frozenset({"IT"})
"""Their parts are towns, each with the day of its own saint: no public holiday of the country."""


@lru_cache(maxsize=1)
def places() -> Places:
    """From zone.tab of the `tzdata` package."""
    text = (importlib.resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            region, _, zone = line.split("\t")[:3]
            found.setdefault(region, []).append(zone)
    return Places({region: tuple(zones) for region, zones in found.items()})


class PublicHolidays:
    """Those of the `holidays` package, worked out once a place and year. Where the part of the
    country is unknown, a holiday of any part of it counts."""

    def __init__(self) -> None:
        self._parts: Final = holidays.list_supported_countries(include_aliases=False)
        self._years: dict[tuple[str, str, int], Mapping[date, str]] = {}

    def knows(self, region: str) -> bool:
        return region in self._parts

    def name_of(self, region: str, subdivision: str, day: date) -> str:
        if region not in self._parts:
            return ""
        key = (region, subdivision, day.year)
        known = self._years.get(key)
        if known is None:
            known = self._years[key] = self._of_year(*key)
        return known.get(day, "")

    def _of_year(self, region: str, subdivision: str, year: int) -> Mapping[date, str]:
        parts = [part for part in self._parts[region] if part not in _OVERSEAS.get(region, ())]
        anywhere = [] if region in _TOWNS else parts
        asked = [subdivision] if subdivision in parts else anywhere
        found: dict[date, str] = {}
        for part in (None, *asked):
            found |= dict(holidays.country_holidays(region, subdiv=part, years=year))
        return found
