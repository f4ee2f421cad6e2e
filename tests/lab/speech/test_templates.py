"""Invariant: a line is said with every gap filled as its manner asks, or not at all."""

import pytest

from app.lab.speech.templates import TemplateError, fields_of, fill


def test_gaps_are_filled_plainly_spelled_and_as_clock_times() -> None:
    line = "{size} at {time:clock}, code {code:spell}."
    assert fields_of(line) == {"size", "time", "code"}
    values = {"size": 4, "time": "19:00", "code": "4071"}
    assert fill(line, values) == "4 at seven, code 4, 0, 7, 1."


@pytest.mark.parametrize(
    ("time", "spoken"),
    [
        ("12:00", "twelve"),
        ("00:30", "half past twelve"),
        ("19:30", "half past seven"),
        ("9:45", "nine 45"),
        ("23:15", "eleven 15"),
        ("24:00", "24:00"),
        ("noon", "noon"),
    ],
)
def test_clock_times_are_said_as_people_do(time: str, spoken: str) -> None:
    assert fill("{time:clock}", {"time": time}) == spoken


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert fill("{a}", {"a": "{b}"}) == "{b}"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="code"):
        fill("{code}", {})


@pytest.mark.parametrize("line", ["{}", "{Code}", "{code:shout}", "{a b}"])
def test_a_gap_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(TemplateError, match=r"expected {field}, {field:spell} or {field:clock}"):
        fields_of(line)
