"""What a model asks for is what is collected; what it cannot mean is refused in words
that mend it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.collect_tool import (
    BOUNDS,
    DEFAULTS,
    ArgumentsError,
    ask_again,
    result,
    wishes,
)
from app.call.key_entry import Collect, KeyEntry


def test_what_is_left_out_is_as_usual() -> None:
    assert wishes("{}") == wishes("") == Collect()
    assert wishes(json.dumps(dict(DEFAULTS))) == Collect()
    assert wishes(json.dumps(dict.fromkeys(DEFAULTS))) == Collect()


def test_seconds_are_counted_in_milliseconds() -> None:
    asked = wishes('{"first_digit_s": 7.5, "inter_digit_s": 2, "min_digits": 4, "max_digits": 6.0}')

    assert asked == Collect(4, 6, first_digit_ms=7_500, inter_digit_ms=2_000)


def test_masked_digits_are_hidden_from_the_model_too() -> None:
    assert wishes('{"masked": true}') == Collect(masked=True, to_model="masked")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", None),
        ("[]", "expected a JSON object, got []"),
        ("{", "expected a JSON object, got {"),
        ("[" * 100_000, "expected a JSON object, got [[[[["),
        ('{"max_digits": ' + "9" * 5_000 + "}", "expected a JSON object"),
        ('{"digits": 4}', "there is no digits, there are min_digits, max_digits, terminator"),
        ('{"max_digits": 0}', "max_digits: expected a whole number from 1 to 40, got 0"),
        ('{"max_digits": 4.5}', "max_digits: expected a whole number from 1 to 40, got 4.5"),
        ('{"max_digits": true}', "max_digits: expected a whole number from 1 to 40, got true"),
        ('{"max_digits": [4]}', "max_digits: expected a whole number from 1 to 40, got a list"),
        ('{"first_digit_s": NaN}', "first_digit_s: expected a number from 2 to 60, got NaN"),
        ('{"inter_digit_s": 1e400}', "inter_digit_s: expected a number from 1 to 20, got Inf"),
        ('{"terminator": "##"}', 'terminator: expected one of "#", "*", "", got "##"'),
        ('{"terminator": 5}', 'terminator: expected one of "#", "*", "", got 5'),
        ('{"masked": "yes"}', 'masked: expected true or false, got "yes"'),
        ('{"min_digits": 5, "max_digits": 4}', "min_digits of at most max_digits, got 5 and 4"),
    ],
)
def test_wrong_arguments_are_told_with_what_was_expected(arguments: str, told: str | None) -> None:
    if told is None:
        wishes(arguments)
        return
    with pytest.raises(ArgumentsError) as error:
        wishes(arguments)
    assert told in str(error.value)
    assert len(str(error.value)) < 300


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 70), st.floats(), st.text("#*1", max_size=2)
)


@given(st.dictionaries(st.sampled_from([*DEFAULTS, "other"]), VALUES))
def test_whatever_the_model_writes_it_is_collected_within_bounds_or_refused(
    given_arguments: dict[str, Any],
) -> None:
    try:
        asked = wishes(json.dumps(given_arguments))
    except ArgumentsError:
        return
    assert BOUNDS["min_digits"].least <= asked.min_digits <= asked.max_digits
    assert asked.max_digits <= BOUNDS["max_digits"].most
    assert 2_000 <= asked.first_digit_ms <= 60_000
    assert 1_000 <= asked.inter_digit_ms <= 20_000
    assert asked.retries <= BOUNDS["retries"].most


def test_the_result_shows_private_digits_by_number_only() -> None:
    shown = json.loads(result(KeyEntry("4711", True, "length")))
    hidden = result(KeyEntry("4711", True, "length", masked=True, to_model="masked"))

    assert shown == {"ok": True, "digits": "4711", "reason": "length"}
    assert json.loads(hidden)["count"] == 4
    assert "4711" not in hidden


@pytest.mark.parametrize("reason", ["no_input", "too_short", "not_allowed"])
def test_what_is_said_after_a_failed_try_names_no_digit(reason: Any) -> None:
    entry = KeyEntry("98*", False, reason, 1)
    said = ask_again(entry, Collect(4, 4))

    assert "98" not in said
    assert "at the end" not in said
    assert "# at the end" in ask_again(entry, Collect(4, 6))
    assert "at the end" not in ask_again(entry, Collect(4, 6, terminator=""))
