"""A row is a contact that fits every rule, or it says everything that is wrong with it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns.importing.checking import Contact, Fault, RowChecker, Rules
from app.campaigns.importing.columns import columns_of
from app.campaigns.importing.rows import ImportFileError, Row
from app.campaigns.importing.variables import MOST_VARIABLES_BYTES, size_bytes
from app.policy.numbers import Number, read_number
from tests.campaigns.importing.conftest import NOW_MS

HEADERS = (
    *("phone", "phone 2", "timezone", "consent_date", "consent_source", "callback"),
    *("name", "note"),
)
US = Rules(region="US")


def check(*cells: str, rules: Rules = US, broken: str = "") -> Contact | tuple[Fault, ...]:
    return RowChecker(columns_of(HEADERS), rules, NOW_MS).check(Row(7, cells, broken))


def contact(*cells: str, rules: Rules = US) -> Contact:
    found = check(*cells, rules=rules)
    assert isinstance(found, Contact), found
    return found


def faults(*cells: str, rules: Rules = US) -> list[tuple[str, str]]:
    found = check(*cells, rules=rules)
    assert not isinstance(found, Contact)
    return [(fault.column, fault.reason) for fault in found]


def test_a_whole_contact() -> None:
    assert contact(
        *("2125550100", "+1 415 555 2671", "", "2025-12-31", " web form "),
        *("2026-01-02 10:00", "Ada", "likes\ntea"),
    ) == Contact(
        row=7,
        numbers=("+12125550100", "+14155552671"),
        zones=("America/New_York", "America/Los_Angeles"),
        variables={"name": "Ada", "note": "likes tea"},
        consent={"given": "2025-12-31", "source": "web form"},
        due_at_ms=round(datetime(2026, 1, 2, 18, tzinfo=UTC).timestamp() * 1_000),
    )


def test_a_row_that_is_too_short_leaves_the_rest_empty() -> None:
    found = contact("2125550100")
    assert (found.variables, found.consent, found.due_at_ms) == ({}, None, NOW_MS)


def test_a_row_that_is_too_wide_is_wrong_unless_it_is_empty_there() -> None:
    assert contact("2125550100", *[""] * 9).numbers == ("+12125550100",)
    ((_, reason),) = faults("2125550100", *[""] * 7, "more")
    assert "expected 8 cells, got 9" in reason


def test_the_column_of_zones_wins_over_the_number() -> None:
    assert contact("2125550100", "", "Europe/Berlin").zones == ("Europe/Berlin",)


def test_a_first_number_that_is_missing_gives_way_to_the_second() -> None:
    assert contact("n/a", "2125550100").numbers == ("+12125550100",)


def test_a_number_that_is_said_twice_counts_once() -> None:
    assert contact("2125550100", "+12125550100").numbers == ("+12125550100",)


def test_a_time_that_is_past_is_due_now() -> None:
    assert contact("2125550100", "", "", "", "", "2020-01-01 10:00").due_at_ms == NOW_MS


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = faults("911", "abc", "Mars/Olympus", "yesterday", "form", "soon", "x" * 2_000)
    assert [column for column, _ in found] == [
        *("phone", "phone 2", "timezone", "consent_date", "callback", "name"),
    ]


@pytest.mark.parametrize(
    ("cells", "column", "why"),
    [
        (("",), "phone", "expected a telephone number"),
        (("2125550100", "", "", "2026-01-03"), "consent_date", "past"),
        (("2125550100", "", "", "2025-12-31"), "consent_date", "the source"),
        (("2125550100", "", "", "", "web form"), "consent_date", "the day of this consent"),
        (("2125550100", "", "", "03/04/2025", "x"), "consent_date", "--dates"),
        (("+870773123456",), "phone", "satellite"),
        (("2125550100", "", "", "", "", "", "brok\udcff"), "name", "no characters"),
        (("2125550100", "", "", "", "", "", "é" * 600), "name", "at most 1024 bytes"),
    ],
)
def test_one_thing_is_wrong(cells: tuple[str, ...], column: str, why: str) -> None:
    ((at, reason),) = faults(*cells)
    assert at == column
    assert why in reason


def test_the_source_of_consents_can_be_said_for_all() -> None:
    rules = replace(US, consent_source="trade fair")
    assert contact("2125550100", "", "", "2025-01-02", rules=rules).consent == {
        "given": "2025-01-02",
        "source": "trade fair",
    }


def test_a_consent_may_be_of_today_where_the_day_begins_first() -> None:
    assert contact("2125550100", "", "", "2026-01-01", "x").consent is not None


def test_a_row_that_the_reader_could_not_make_out() -> None:
    found = check("2125550100", broken="a quote")
    assert found == (Fault(7, "", "", "a quote"),)
    assert str(found[0]) == "row 7: a quote"


@pytest.mark.parametrize("region", ["us", "USA", "XX"])
def test_a_region_that_there_is_not(region: str) -> None:
    with pytest.raises(ImportFileError, match="two capital letters"):
        Rules(region=region)


Cell = st.text(max_size=20) | st.sampled_from(
    ["2125550100", "+447911123456", "Europe/Berlin", "2025-01-02", "2027-01-01T10:00Z", "é" * 400]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(Cell, max_size=10), st.sampled_from(["", "US", "DE"]))
def test_whatever_stands_in_a_row_it_is_one_or_the_other(cells: list[str], region: str) -> None:
    found = check(*cells, rules=Rules(region=region))
    if not isinstance(found, Contact):
        assert found
        assert all(fault.row == 7 and fault.reason for fault in found)
        return
    assert found.numbers
    assert all(isinstance(read_number(number), Number) for number in found.numbers)
    assert found.due_at_ms >= NOW_MS
    assert size_bytes(found.variables) <= MOST_VARIABLES_BYTES
    assert all(value and value.isprintable() for value in found.variables.values())
