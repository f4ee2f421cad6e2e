"""Whoever may be somewhere else than their number says is taken to be in both places, and no zone
that phonenumbers gives is of another country."""

import phonenumbers
import pytest

from app.campaigns.places import PublicHolidays, places
from app.policy.dialing.area_codes import AREA_CODE_ZONES
from app.policy.dialing.clocks import known_zone
from app.policy.dialing.people import PlaceError, person_of

KNOWN = places()


def zones(number: str, zones_column: str = "") -> tuple[str, ...]:
    return person_of(number, KNOWN, zones_column=zones_column).zones


def test_the_number_alone() -> None:
    person = person_of("+13055550123", KNOWN)
    assert (person.region, person.subdivision, person.number_type, person.zones) == (
        "US", "FL", "fixed_or_mobile", ("America/New_York",)
    )  # fmt: skip
    assert person.valid


def test_a_mobile_number_may_be_anywhere_in_its_country() -> None:
    assert set(zones("+61412345678")) >= set(KNOWN.zones["AU"])
    assert set(zones("+34612345678")) == set(KNOWN.zones["ES"])
    assert zones("+61291234567") == ("Australia/Sydney",)


def test_an_area_code_with_two_clocks_has_both_even_where_its_exchange_is_known() -> None:
    assert set(zones("+18504320123")) == {"America/New_York", "America/Chicago"}
    assert zones("+13175550123") == ("America/New_York",)


def test_every_zone_of_the_area_codes_is_one_that_this_machine_knows() -> None:
    assert all(known_zone(name) for names in AREA_CODE_ZONES.values() for name in names)


def test_a_neighbour_with_the_same_country_code_is_left_out() -> None:
    assert set(zones("+77012345678")) == set(KNOWN.zones["KZ"])
    assert zones("+74012312345") == ("Europe/Kaliningrad",)
    assert set(zones("+79161234567")) == set(KNOWN.zones["RU"])
    assert zones("+441481720000") == ("Europe/Guernsey",)
    assert zones("+18764560000") == ("America/Jamaica",)


def test_each_country_has_a_zone_and_none_of_another_ones_clock() -> None:
    """By the example numbers of phonenumbers: every zone shows what some zone of the country
    shows."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None or region not in KNOWN.zones:
                continue
            person = person_of(
                phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164), KNOWN
            )
            if person.region != region:
                continue
            assert person.zones, region
            assert all(known_zone(name) for name in person.zones), region


def test_the_column_wins_and_names_what_it_does_not_know() -> None:
    assert zones("+12125550123", zones_column=" America/Denver ; America/Chicago") == (
        "America/Denver", "America/Chicago"
    )  # fmt: skip
    for wrong in ("Mars/Phobos", "America/New_York;Gotham", "EST", "../../etc/passwd"):
        with pytest.raises(PlaceError, match=wrong.split(";")[-1].replace(".", r"\.")):
            zones("+12125550123", zones_column=wrong)


def test_the_address_counts_besides_a_number_that_moves() -> None:
    moved = person_of(
        "+12125550123", KNOWN, address_zones="America/Los_Angeles", region="us", subdivision="ca"
    )
    assert moved.zones == ("America/New_York", "America/Los_Angeles")
    assert (moved.subdivision, moved.also_in) == ("NY", ("CA",))
    stays = person_of("+493012345678", KNOWN, address_zones="Europe/Lisbon")
    assert stays.zones == ("Europe/Berlin",)


def test_a_state_that_there_is_not_is_named() -> None:
    with pytest.raises(PlaceError, match="XX"):
        person_of("+12125550123", KNOWN, region="US", subdivision="XX")
    with pytest.raises(PlaceError, match="USA"):
        person_of("+12125550123", KNOWN, region="USA")


def test_a_subdivision_fills_in_where_the_number_has_none() -> None:
    person = person_of("+4915112345678", KNOWN, region="DE", subdivision="BY")
    assert (person.subdivision, person.also_in) == ("BY", ())


@pytest.mark.parametrize("number", ["", "+1230", "+12305550123", "112", "call me"])
def test_what_is_no_number_is_a_person_who_is_never_dialled(number: str) -> None:
    assert not person_of(number, KNOWN).valid


def test_every_american_area_code_has_its_state() -> None:
    for code in range(201, 990):
        number = f"+1{code}2340123"
        parsed = phonenumbers.parse(number)
        if not phonenumbers.is_valid_number(parsed) or (
            phonenumbers.number_type(parsed) != phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        ):
            continue
        person = person_of(number, KNOWN)
        if person.region == "US":
            assert person.subdivision, code
            assert len(person.zones) <= 2, code


def test_a_holiday_of_any_part_counts_where_the_part_is_unknown() -> None:
    from datetime import date

    holidays = PublicHolidays()
    epiphany = date(2027, 1, 6)
    assert holidays.name_of("DE", "", epiphany)
    assert holidays.name_of("DE", "BY", epiphany)
    assert not holidays.name_of("DE", "BE", epiphany)
    assert not holidays.name_of("FR", "", date(2027, 5, 22))  # Martinique's: a country of its own.
    assert not holidays.name_of(
        "IT", "", date(2027, 6, 24)
    )  # The patron of Turin, Genoa, Florence.
    assert holidays.knows("JP")
    assert not holidays.knows("AC")
    assert holidays.name_of("AC", "", epiphany) == ""
