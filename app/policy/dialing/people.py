"""Where the person behind a number may be, from the number itself and from what a list says.

A number says less than it seems to: a mobile one may be anywhere in its country, an area code may
lie in two zones, and Americans keep their number when they move. Whatever is in doubt stays in, for
every zone of a person must allow a dial.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, timezone

from app.policy.dialing.area_codes import AREA_CODE_ZONES, is_state, state_of, states_known
from app.policy.dialing.clocks import known_zone
from app.policy.dialing.law import NOWHERE
from app.policy.dialing.words import Consent, NumberType, Person
from app.policy.numbers import Number, read_number

_TYPES: Final[Mapping[int, NumberType]] = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
}
_ROAMING: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.VOIP})
_BY_AREA: Final = frozenset({"BR"})
"""Countries whose mobile numbers have the area code of a place."""
_MOBILE_PREFIX: Final[Mapping[str, str]] = {"CL": "569"}
"""Countries whose mobile numbers phonenumbers does not tell from the others, but we can."""
_MENDED: Final = {("RU", "Europe/Bucharest"): "Europe/Kaliningrad"}
"""phonenumbers' own names, where they keep another summer time than the place."""
_SEPARATOR: Final = re.compile(r"[;,|]")
_UNKNOWN: Final = "Etc/Unknown"


class PlaceError(ValueError):
    """What a list says of a place and cannot be meant: the list's fault. The message names it."""


@dataclass(frozen=True, slots=True)
class Places:
    """`zones`: every time zone of each country, by its two letters (zone.tab of the time zone
    database)."""

    zones: Mapping[str, tuple[str, ...]]


def person_of(
    number: str,
    places: Places,
    *,
    zones_column: str = "",
    address_zones: str = "",
    region: str = "",
    subdivision: str = "",
    consent: Consent | None = None,
) -> Person:
    """`number`: E.164. `zones_column`: what the list says of the time zone, such as
    "America/New_York;America/Chicago"; it wins over the number. `address_zones`: the zones of their
    address, taken besides those of the number where a number does not tell where somebody is.
    `region`, `subdivision`: of their address, such as "US" and "GA"; the law there holds besides
    that of the number.

    A number that there cannot be gives a person who is never dialled. Raises `PlaceError` for a
    zone, country or state that nobody knows.
    """
    by_column, by_address = zones_of_text(zones_column), zones_of_text(address_zones)
    read = read_number(number)
    if not isinstance(read, Number):
        return Person(number=number, number_type="other", region="", zones=by_column, valid=False)
    parsed = phonenumbers.parse(read.e164, None)
    own = _subdivision(parsed, read)
    also_in = _also_in(read, own, region, subdivision)
    zones = by_column or _merged(zones_of_number(parsed, read, places), by_address, read)
    return Person(
        number=read.e164,
        number_type=_TYPES.get(read.kind, "other"),
        region="" if read.region in NOWHERE else read.region,
        zones=zones,
        subdivision=own or (also_in[0] if also_in else ""),
        also_in=also_in if own else also_in[1:],
        consent=consent,
    )


def zones_of_text(text: str) -> tuple[str, ...]:
    """Raises `PlaceError`, which names the zone that this machine does not know."""
    names = tuple(dict.fromkeys(name.strip() for name in _SEPARATOR.split(text) if name.strip()))
    for name in names:
        if "/" not in name or known_zone(name) is None:
            raise PlaceError(
                'expected time zones such as "Europe/Berlin" or "America/New_York;America/Chicago",'
                f' got "{name}", which this machine does not know'
            )
    return names


def zones_of_number(parsed: PhoneNumber, read: Number, places: Places) -> tuple[str, ...]:
    """Every zone that it may be in; none: nobody knows."""
    if read.code == "1" and (shared := AREA_CODE_ZONES.get(read.digits[1:4])):
        return shared
    given = tuple(
        _MENDED.get((read.region, name), name)
        for name in timezone.time_zones_for_number(parsed)
        if name != _UNKNOWN
    )
    own = places.zones.get(read.region, ())
    if not given or not own:
        return given
    if _roams(read):
        return _all_zones(parsed, read, places)
    return given if set(given) <= set(own) else _all_zones(parsed, read, places)


def _roams(read: Number) -> bool:
    prefix = _MOBILE_PREFIX.get(read.region)
    return (prefix is not None and read.digits.startswith(prefix)) or (
        read.kind in _ROAMING and read.region not in _BY_AREA
    )


def _all_zones(parsed: PhoneNumber, read: Number, places: Places) -> tuple[str, ...]:
    """Those of each country in which there can be such a number."""
    regions = phonenumbers.region_codes_for_country_code(int(read.code))
    if len(regions) > 1:
        regions = tuple(
            region
            for region in regions
            if region == read.region or phonenumbers.is_valid_number_for_region(parsed, region)
        )
    return tuple(dict.fromkeys(zone for region in regions for zone in places.zones.get(region, ())))


def _merged(zones: tuple[str, ...], address: tuple[str, ...], read: Number) -> tuple[str, ...]:
    if not zones or read.kind == PhoneNumberType.FIXED_LINE:
        return zones or address
    return tuple(dict.fromkeys((*zones, *address)))


def _subdivision(parsed: PhoneNumber, read: Number) -> str:
    if not states_known(read.region):
        return ""
    # 98 MB and a quarter of a second, which no process pays that judges nobody's place.
    from phonenumbers import geocoder  # noqa: PLC0415

    return state_of(read.region, geocoder.description_for_number(parsed, "en"))


def _also_in(read: Number, own: str, region: str, subdivision: str) -> tuple[str, ...]:
    region, subdivision = region.strip().upper(), subdivision.strip().upper()
    if region and not (len(region) == 2 and region.isalpha()):
        raise PlaceError(f'expected two letters of a country, such as "US", got "{region}"')
    if not subdivision or (region or read.region) != read.region or subdivision == own:
        return ()
    if states_known(read.region) and not is_state(read.region, subdivision):
        raise PlaceError(
            f'expected the two letters of a state or province of {read.region}, got "{subdivision}"'
        )
    return (subdivision,)
