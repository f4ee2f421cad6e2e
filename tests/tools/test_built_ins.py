"""What the model is told of a built-in tool is what the call does with it."""

import json
from typing import Any

import pytest

from app.call.collect_tool import ArgumentsError, wishes
from app.call.key_entry import Collect
from app.tools.built_ins import BUILT_INS

PARAMETERS: dict[str, Any] = dict(BUILT_INS["collect_digits"]["parameters"])
NUMBERS = [key for key, schema in PARAMETERS["properties"].items() if "minimum" in schema]


@pytest.mark.parametrize("name", BUILT_INS)
def test_each_is_named_as_it_is_listed_and_costs_few_tokens(name: str) -> None:
    assert BUILT_INS[name]["name"] == name
    assert len(json.dumps(BUILT_INS[name])) < 1_300


def test_the_defaults_that_the_model_is_told_are_taken() -> None:
    told = {key: schema["default"] for key, schema in PARAMETERS["properties"].items()}
    assert wishes(json.dumps(told)) == Collect()


@pytest.mark.parametrize("key", NUMBERS)
def test_the_bounds_that_the_model_is_told_hold(key: str) -> None:
    schema = PARAMETERS["properties"][key]
    other = {"max_digits": 40} if key == "min_digits" else {}
    for fine in (schema["minimum"], schema["maximum"]):
        wishes(json.dumps({**other, key: fine}))
    for wrong in (schema["minimum"] - 1, schema["maximum"] + 1):
        with pytest.raises(ArgumentsError, match=f"{key}: expected"):
            wishes(json.dumps({**other, key: wrong}))


def test_each_end_key_that_the_model_is_told_can_end_an_entry() -> None:
    for key in PARAMETERS["properties"]["terminator"]["enum"]:
        assert wishes(json.dumps({"terminator": key})).terminator == key
