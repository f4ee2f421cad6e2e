"""Whatever schema a server writes, the model's functions have one that OpenAI takes: an object at
the root, no references, finite."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.mcp.schemas import foreign_schema, plain_description, plain_name

NODE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Arguments",
    "properties": {
        "title": {"type": "string", "title": "Title"},
        "where": {"$ref": "#/$defs/Place", "description": "where"},
        "tree": {"$ref": "#/definitions/Tree"},
        "lost": {"$ref": "#/nowhere"},
        "away": {"$ref": "https://a.example/schema"},
    },
    "required": ["title"],
    "anyOf": [{"required": ["where"]}],
    "$defs": {"Place": {"enum": ["noon", "title"], "title": "Place"}},
    "definitions": {
        "Tree": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Tree"}}}
    },
}


def test_references_stand_in_their_place_and_what_leads_back_is_anything() -> None:
    assert foreign_schema(NODE) == {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "where": {"enum": ["noon", "title"], "description": "where"},
            "tree": {"type": "object", "properties": {"next": {}}},
            "lost": {},
            "away": {},
        },
        "required": ["title"],
    }


@pytest.mark.parametrize("odd", [{}, {"type": "string"}, {"properties": None}, {"$ref": "#"}])
def test_odd_ones_become_an_object(odd: dict[str, Any]) -> None:
    made = foreign_schema(odd)
    assert (made["type"], made["properties"]) == ("object", {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["$ref", "properties", "a", "#"]), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["$ref", "$defs", "properties", "items"]), JSON))
def test_nothing_that_a_server_writes_breaks_it(schema: dict[str, Any]) -> None:
    json.dumps(foreign_schema(schema))


@given(st.text())
def test_names_are_names(name: str) -> None:
    made = plain_name(name)
    assert 1 <= len(made) <= 64
    assert all(c.isascii() and (c.isalnum() or c in "_-") for c in made)


def test_descriptions_are_one_line_of_bounded_length() -> None:
    assert plain_description("find", None) == "find"
    assert plain_description("find", "a\n  b") == "a b"
    assert len(plain_description("find", "x" * 5_000)) == 1_024
