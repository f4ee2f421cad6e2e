"""Columns are guessed only where their headers leave no doubt, what is said goes before what is
guessed, and no column becomes a variable that a call could not have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.agents.placeholders import NAME
from app.campaigns.importing.columns import RESERVED, Columns, columns_of, parsed_map
from app.campaigns.importing.headers import meaning_of, plain
from app.campaigns.importing.rows import ImportFileError


@pytest.mark.parametrize(
    "header",
    [
        *("phone", "Phone", "PHONE NUMBER", "Mobile", "mobile_phone", "Tel.", "Telefon", "Handy"),
        *("phone2", "phone_2", "Phone 1 - Value", "Tel. privat", "Work Phone", "Cell", "msisdn"),
        *("Telefonnummer", "Téléphone", "Teléfono", "Rufnummer", "Home Phone 2", "Mobilnummer"),
    ],
)
def test_columns_of_numbers(header: str) -> None:
    assert meaning_of(header) == "phone"


@pytest.mark.parametrize(
    "header",
    [
        *("customer_number", "order number", "Number of children", "phone_type", "Hausnummer"),
        *("phone_consent", "fax", "telegram", "cellar", "Mobile app", "first_name", "id", ""),
    ],
)
def test_columns_that_only_sound_so(header: str) -> None:
    assert meaning_of(header) == "variable"


def test_a_bare_number_counts_only_where_nothing_says_more() -> None:
    assert columns_of(["number", "name"]).phones == (0,)
    both = columns_of(["number", "phone"])
    assert both.phones == (1,)
    assert both.variables == ((0, "number"),)


def test_everything_has_its_place() -> None:
    headers = ("First Name", "phone", "phone_2", "TZ", "consent_date", "Consent source", "callback")
    assert columns_of(headers) == Columns(
        headers=headers,
        phones=(1, 2),
        timezone=3,
        consent_date=4,
        consent_source=5,
        callback=6,
        variables=((0, "first_name"),),
    )


def test_what_is_said_goes_before_what_is_guessed() -> None:
    headers = ["Mobile", "Private line", "Vorname", "phone", "Note"]
    said = [("phone", "private line"), ("phone", "phone"), ("first_name", "Vorname")]
    found = columns_of(headers, [*said, ("ignore", "Note")])
    assert found.phones == (1, 3)
    assert found.variables == ((0, "mobile"), (2, "first_name"))


def test_the_column_of_a_file_for_repair_is_passed_over() -> None:
    assert columns_of(["error", "phone"]).variables == ()


def test_all_columns_are_told() -> None:
    told = dict(columns_of(["error", "phone", "phone 2", "name", "", "tz"]).told())
    assert told == {
        "error": "not imported",
        "phone": "phone",
        "phone 2": "phone, if asked for another (2)",
        "name": "{{name}}",
        "(column 5, no header)": "not imported",
        "tz": "timezone",
    }


@pytest.mark.parametrize(
    ("headers", "said", "why"),
    [
        (["name", "email"], [], r"'name', 'email'.*--map phone=\"name\""),
        (["+12125550100", "Ada"], [], "the first row seems to be a contact already"),
        (["phone"], [("phone", "Tel")], "there is no column 'Tel'; the file has 'phone'"),
        (["phone", "phone"], [("phone", "phone")], "2 columns are called 'phone'"),
        (["phone", "a"], [("Bad Name", "a")], "expected phone, timezone"),
        (["phone", "a"], [("time", "a")], "known in every call"),
        (["phone", "a"], [("sip_x", "a")], "known in every call"),
        (["phone", "a", "b"], [("x", "a"), ("x", "b")], "same variable's name"),
        (["phone", "a"], [("x", "a"), ("y", "a")], "given twice"),
        (["phone", "tz", "timezone"], [], '--map timezone="tz"'),
    ],
)
def test_what_cannot_be_meant_is_told(
    headers: list[str], said: list[tuple[str, str]], why: str
) -> None:
    with pytest.raises(ImportFileError, match=why):
        columns_of(headers, said)


@pytest.mark.parametrize("text", ["phone", "=x", "phone="])
def test_a_map_that_is_none(text: str) -> None:
    with pytest.raises(ImportFileError, match="KEY=HEADER"):
        parsed_map(text)


def test_a_header_may_hold_an_equals_sign() -> None:
    assert parsed_map("phone=a=b") == ("phone", "a=b")


@given(st.lists(st.text(max_size=80), max_size=20))
def test_variables_have_names_that_a_call_can_have_each_once(headers: list[str]) -> None:
    try:
        found = columns_of(["phone", *headers])
    except ImportFileError:
        return  # Two columns for one meaning.
    names = [name for _, name in found.variables]
    assert len(set(names)) == len(names)
    assert all(NAME.match(name) and name not in RESERVED for name in names)
    assert not any(name.startswith("sip_") for name in names)


@pytest.mark.parametrize(
    ("header", "name"), [("Straße & Nr.", "strasse_nr"), ("Prénom", "prenom"), ("名字", "")]
)
def test_headers_in_plain_letters(header: str, name: str) -> None:
    assert plain(header) == name
