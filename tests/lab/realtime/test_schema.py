"""Invariant: a value passes exactly when its shape allows it, and a complaint names its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.realtime import schema
from app.lab.realtime.refusals import RequestRefused

ORDER = schema.record(
    {
        "dish": schema.choice("soup", "fish"),
        "spoons": schema.nullable(schema.array(schema.integer(0, 9), at_most=2)),
        "hot": schema.flag,
        "to": schema.either(schema.number(0), schema.text),
        "side": schema.tagged(
            {"salad": schema.anything, "rice": schema.record({"type": schema.text})}
        ),
    },
    required=("dish",),
)


def refusal(value: Any) -> tuple[str, str | None]:
    with pytest.raises(RequestRefused) as refused:
        ORDER(value, "order")
    return refused.value.code, refused.value.param


@pytest.mark.parametrize(
    "value",
    [
        {"dish": "soup"},
        {"dish": "fish", "spoons": None, "hot": False, "to": 0.5},
        {"dish": "fish", "spoons": [0, 9], "to": "table 4", "side": {"type": "salad", "any": 1}},
    ],
)
def test_what_fits_passes(value: Any) -> None:
    ORDER(value, "order")


@pytest.mark.parametrize(
    ("value", "code", "param"),
    [
        ("soup", "invalid_type", "order"),
        ({}, "missing_required_parameter", "order.dish"),
        ({"dish": "stew"}, "invalid_value", "order.dish"),
        ({"dish": "soup", "salt": 1}, "unknown_parameter", "order.salt"),
        ({"dish": "soup", "spoons": [1, 10]}, "integer_above_max_value", "order.spoons[1]"),
        ({"dish": "soup", "spoons": [1, 2, 3]}, "invalid_value", "order.spoons"),
        ({"dish": "soup", "spoons": [True]}, "invalid_type", "order.spoons[0]"),
        ({"dish": "soup", "hot": 1}, "invalid_type", "order.hot"),
        ({"dish": "soup", "to": None}, "invalid_type", "order.to"),
        ({"dish": "soup", "side": {}}, "missing_required_parameter", "order.side.type"),
        ({"dish": "soup", "side": {"type": "bread"}}, "invalid_value", "order.side.type"),
        (
            {"dish": "soup", "side": {"type": "rice", "brown": 1}},
            "unknown_parameter",
            "order.side.brown",
        ),
    ],
)
def test_what_does_not_fit_is_named(value: Any, code: str, param: str) -> None:
    assert refusal(value) == (code, param)


@given(st.integers(), st.integers(), st.integers())
def test_bounds_are_inclusive(value: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    try:
        schema.integer(low, high)(value, "n")
        passed = True
    except RequestRefused:
        passed = False
    assert passed == (low <= value <= high)
