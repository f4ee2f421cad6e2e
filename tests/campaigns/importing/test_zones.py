"""A contact's zones are all that its number may be in, as phonenumbers has them, and a name that
no clock knows is never taken."""

import phonenumbers
import pytest

from app.campaigns.importing.zones import zones_named, zones_of
from app.campaigns.places import places
from app.policy.dialing.people import person_of
from app.policy.numbers import Number, read_number


def number(text: str) -> Number:
    read = read_number(text)
    assert isinstance(read, Number)
    return read


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("+12125550100", ("America/New_York",)),
        ("+16025550100", ("America/Phoenix",)),
        ("+493012345678", ("Europe/Berlin",)),
        ("+491711234567", None),
        ("+18005550100", None),
    ],
)
def test_zones_of_numbers(text: str, zones: tuple[str, ...] | None) -> None:
    found = zones_of(number(text))
    assert found == zones if zones else len(found) > 1


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("Europe/Berlin", ("Europe/Berlin",)),
        (" america/new york ", ("America/New_York",)),
        ("America/New_York; America/Chicago", ("America/New_York", "America/Chicago")),
        ("Mars/Olympus", None),
        ("Europe/Berlin;nowhere", None),
        ("+01:00", None),
        ("Factory", None),
        ("EST5EDT", ("EST5EDT",)),
    ],
)
def test_zones_by_name(text: str, zones: tuple[str, ...] | None) -> None:
    assert zones_named(text) == zones


def test_they_are_those_of_the_policy_for_every_kind_in_every_country() -> None:
    told = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            read = read_number(text)
            if isinstance(read, Number):
                assert zones_of(read) == person_of(read.e164, places()).zones, text
                told += 1
    assert told > 500
