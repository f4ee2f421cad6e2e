"""Invariant: what is kept is of its type and form, one of its choices, and rests on words that were
said; everything else is null with its reason, and never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.after.checking import Checked, check
from app.agents.after_table import AfterCall, AfterField, FieldType
from tests.after.talk import BOOKING, TABLE

SAID = BOOKING.as_text()
RIGHT: dict[str, Any] = {
    "summary": " A table for four was booked. ",
    "disposition": {"value": "booked", "evidence": "It is booked."},
    "fields": {
        "guests": {"value": 4, "evidence": "a table for four"},
        "phone": {"value": "+15550100123", "evidence": "+1 555 010 0123"},
        "day": {"value": "2026-11-27", "evidence": None},
        "room": {"value": "garden", "evidence": "in the garden"},
    },
}


def checked(**fields: Any) -> Checked:
    """The right answer with other fields."""
    answer = {**RIGHT, "fields": {**RIGHT["fields"], **fields}}
    return check(TABLE, json.dumps(answer), SAID)


def one(kind: FieldType, value: object, **more: Any) -> tuple[object, str]:
    table = AfterCall(summary=False, fields={"x": AfterField(type=kind, description="-", **more)})
    answer = json.dumps({"fields": {"x": {"value": value, "evidence": None}}})
    found = check(table, answer, SAID).fields["x"]
    return found.value, found.problem


def test_a_right_answer_is_kept_with_its_evidence() -> None:
    found = check(TABLE, json.dumps(RIGHT), SAID)
    assert found.problems == {}
    assert found.summary == "A table for four was booked."
    assert found.disposition is not None
    assert (found.disposition.value, found.disposition.evidence) == ("booked", "It is booked.")
    assert {name: each.value for name, each in found.fields.items()} == {
        "guests": 4,
        "phone": "+15550100123",
        "day": "2026-11-27",
        "room": "garden",
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "Grüße"),
        ("integer", -3),
        ("number", 2.5),
        ("number", 2),
        ("boolean", False),
        ("date", "2028-02-29"),
        ("time", "23:59"),
        ("datetime", "2026-11-27T19:00"),
        ("datetime", "2026-11-27T19:00:05+01:00"),
        ("datetime", "2026-11-27T19:00Z"),
        ("phone", "+15550100123"),
        ("phone", "+4930123456"),
        ("email", "ada.king+tables@mail.example.com"),
    ],
)
def test_every_type_takes_its_own(kind: FieldType, value: object) -> None:
    assert one(kind, value) == (value, "")


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("string", 5, "wrong_type"),
        ("string", " ", "wrong_type"),
        ("string", "x" * 5_000, "wrong_type"),
        ("string", {"a": 1}, "wrong_type"),
        ("integer", "4", "wrong_type"),
        ("integer", 4.0, "wrong_type"),
        ("integer", True, "wrong_type"),
        ("integer", 10**40, "wrong_type"),
        ("number", False, "wrong_type"),
        ("number", [], "wrong_type"),
        ("boolean", 1, "wrong_type"),
        ("boolean", "true", "wrong_type"),
        ("date", "2026-02-29", "wrong_form"),
        ("date", "27.11.2026", "wrong_form"),
        ("date", "20261127", "wrong_form"),
        ("date", "2026-11-27T00:00", "wrong_form"),
        ("time", "24:00", "wrong_form"),
        ("time", "7pm", "wrong_form"),
        ("datetime", "2026-11-27", "wrong_form"),
        ("datetime", "2026-13-27T19:00", "wrong_form"),
        ("phone", "15550100123", "wrong_form"),
        ("phone", "+0555010012", "wrong_form"),
        ("phone", "+1 555 010 0123", "wrong_form"),
        ("phone", "+1555", "wrong_form"),
        ("phone", "+1555010012345678", "wrong_form"),
        ("phone", "+١٥٥٥٠١٠٠١٢٣", "wrong_form"),
        ("phone", "+15550100123\n", "wrong_form"),
        ("phone", "+15550100123;ext=9", "wrong_form"),
        ("email", "ada", "wrong_form"),
        ("email", "ada@localhost", "wrong_form"),
        ("email", "a@b.example, c@d.example", "wrong_form"),
    ],
)
def test_no_type_takes_anything_else(kind: FieldType, value: object, problem: str) -> None:
    assert one(kind, value) == (None, problem)


def test_numbers_that_are_none_are_refused() -> None:
    for text in ("NaN", "Infinity", "1e999"):
        answer = f'{{"fields": {{"x": {{"value": {text}, "evidence": null}}}}}}'
        table = AfterCall(summary=False, fields={"x": AfterField(type="number", description="-")})
        assert check(table, answer, SAID).fields["x"].problem == "wrong_type"


def test_only_declared_choices_are_taken() -> None:
    found = checked(room={"value": "roof", "evidence": None}).fields["room"]
    assert (found.value, found.problem) == (None, "not_a_choice")


def test_unknown_is_null_and_only_a_fault_where_it_is_required() -> None:
    found = checked(
        day={"value": None, "evidence": None}, phone={"value": None, "evidence": "It's"}
    )
    assert found.problems == {"phone": "missing"}
    assert found.fields["phone"].evidence is None


@pytest.mark.parametrize(
    "evidence",
    ["a table for four", "A TABLE, for four!", " in the  garden ", "555 010", "book_table", ""],
)
def test_evidence_is_found_by_its_words(evidence: str) -> None:
    assert checked(guests={"value": 4, "evidence": evidence}).fields["guests"].value == 4


@pytest.mark.parametrize(
    "evidence",
    [
        "a table for five",
        "able for four",
        "please book_table",
        "...",
        "how may I help you? A table",
    ],
)
def test_words_that_nobody_said_are_no_evidence(evidence: str) -> None:
    found = checked(guests={"value": 4, "evidence": evidence}).fields["guests"]
    assert (found.value, found.evidence, found.problem) == (None, None, "made_up")


def test_evidence_of_another_type_and_values_without_their_form_are_refused() -> None:
    found = checked(guests={"value": 4, "evidence": 4}, day="2026-11-27", room={"evidence": "x"})
    assert found.problems == dict.fromkeys(("guests", "day", "room"), "wrong_type")


@pytest.mark.parametrize("answer", ["", "null", "[]", "{", "5", '"x"', "[" * 100_000, "{}"])
def test_what_is_no_answer_leaves_nothing(answer: str) -> None:
    found = check(TABLE, answer, SAID)
    assert set(found.problems) == {"summary", "disposition", *TABLE.fields}
    assert found.summary is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
_pairs = st.fixed_dictionaries({"value": _json, "evidence": _json})


@given(
    _json
    | st.fixed_dictionaries(
        {
            "summary": _json,
            "disposition": _pairs | _json,
            "fields": st.dictionaries(st.sampled_from(list(TABLE.fields)), _pairs | _json),
        }
    )
)
def test_whatever_came_what_is_kept_keeps_the_rules(answer: object) -> None:
    found = check(TABLE, json.dumps(answer), SAID)
    assert found.fields.keys() == TABLE.fields.keys()
    assert found.disposition is not None
    assert found.disposition.value in (None, *TABLE.dispositions)
    assert found.fields["room"].value in (None, "inside", "garden")
    guests = found.fields["guests"].value
    assert guests is None or type(guests) is int
    for name, each in {"d": found.disposition, **found.fields}.items():
        assert each.value is None or not each.problem, name


def test_nothing_of_it_shows_in_a_repr() -> None:
    assert "555" not in repr(check(TABLE, json.dumps(RIGHT), SAID))
