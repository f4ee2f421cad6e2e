"""Schemas for the model stand alone: no references, no titles, but every name of the author's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.schemas import tidy_schema, valid_name


def test_references_are_put_in_place_with_what_stands_beside_them() -> None:
    schema = {
        "$defs": {"A": {"type": "string", "title": "A"}},
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "An a"}},
    }
    assert tidy_schema(schema) == {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "An a"}},
        "additionalProperties": False,
    }


def test_a_type_used_twice_is_no_circle_but_one_inside_itself_is() -> None:
    twice = {
        "$defs": {"A": {"type": "string"}},
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}},
    }
    assert tidy_schema(twice)["properties"] == {"a": {"type": "string"}, "b": {"type": "string"}}
    circle = {"$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}, "$ref": "#/$defs/A"}
    with pytest.raises(ValueError, match="A holds itself"):
        tidy_schema(circle)


def test_free_objects_stay_free() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "integer", "title": "N"}}
    assert tidy_schema(schema) == {"type": "object", "additionalProperties": {"type": "integer"}}


@given(st.dictionaries(st.text(), st.sampled_from(["string", "integer"])))
def test_no_property_is_lost(types: dict[str, str]) -> None:
    schema = {"type": "object", "properties": {n: {"type": t} for n, t in types.items()}}
    tidied = tidy_schema(schema)
    assert tidied["properties"] == schema["properties"]
    assert json.loads(json.dumps(tidied)) == tidied


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("book_table", True),
        ("a-1", True),
        ("", False),
        ("a b", False),
        ("é", False),
        ("a" * 65, False),
    ],
)
def test_names_are_those_that_the_model_takes(name: str, valid: bool) -> None:
    assert valid_name(name) is valid
