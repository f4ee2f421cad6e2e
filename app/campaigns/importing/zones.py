"""The time zones of a contact: every one that its number may be in, or those that a column says."""

import re
from functools import cache
from typing import Final
from zoneinfo import available_timezones

import phonenumbers

from app.campaigns.places import places
from app.policy.dialing.people import zones_of_number
from app.policy.numbers import Number

_BETWEEN: Final = re.compile(r"[;,|]")
_NO_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})


def zones_of(number: Number) -> tuple[str, ...]:
    """As the policy before each dial has it. None: nobody knows."""
    return zones_of_number(phonenumbers.parse(number.e164), number, places())


def zones_named(text: str) -> tuple[str, ...] | None:
    """Of a cell, such as "Europe/Berlin", or several with semicolons. None: one is unknown."""
    names = [name.strip() for name in _BETWEEN.split(text)]
    zones = [_known().get(name.lower().replace(" ", "_"), "") for name in names if name]
    return tuple(dict.fromkeys(zones)) if all(zones) else None


@cache
def _known() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() - _NO_PLACE}
