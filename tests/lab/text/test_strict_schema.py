"""Invariant: what strict structured output takes is taken, what it refuses is refused, and the
refusal names the place."""

from typing import Any

import pytest

from app.lab.realtime.refusals import RequestRefused
from app.lab.text.strict_schema import schema_in

LEAF = {"type": "string"}
FINE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": ["string", "null"], "description": "who"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "list": {"type": "array", "items": {"anyOf": [LEAF, {"type": "null"}]}},
    },
    "required": ["name", "kind", "list"],
    "additionalProperties": False,
}


def asked(schema: object, strict: bool = True, name: object = "facts") -> dict[str, Any]:
    return {
        "format": {"type": "json_schema", "name": name, "schema": schema, "strict": strict},
    }


def closed(**properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(depth: int) -> dict[str, Any]:
    return closed(a=LEAF) if depth == 1 else closed(a=nested(depth - 1))


def test_a_schema_of_the_subset_is_taken() -> None:
    assert schema_in(asked(FINE)) == FINE
    assert schema_in(asked(nested(9))) is not None


def test_plain_text_has_none() -> None:
    for text in (None, {}, {"format": {"type": "text"}}, {"verbosity": "low"}):
        assert schema_in(text) is None


REFUSED = {
    "open": ({**FINE, "additionalProperties": True}, "'additionalProperties' is required"),
    "open by default": (
        {k: v for k, v in FINE.items() if k != "additionalProperties"},
        "'additionalProperties' is required",
    ),
    "not all required": ({**FINE, "required": ["name", "kind"]}, "Missing 'list'"),
    "none required": ({k: v for k, v in FINE.items() if k != "required"}, "Missing 'name'"),
    "unknown required": ({**FINE, "required": [*FINE["required"], "x"]}, "Extra required key 'x'"),
    "no object": ({"type": "array", "items": LEAF}, 'type: "object"'),
    "a union": ({"anyOf": [FINE]}, 'type: "object"'),
    "open inside": (closed(a={"type": "object", "properties": {}}), "('properties', 'a')"),
    "all of": (closed(a={"allOf": [LEAF], "type": "string"}), "'allOf' is not permitted"),
    "default": (closed(a={"type": "string", "default": "x"}), "'default' is not permitted"),
    "length": (closed(a={"type": "string", "maxLength": 5}), "'maxLength' is not permitted"),
    "no type": (closed(a={"description": "x"}), "must have a 'type' key"),
    "odd type": (closed(a={"type": "date"}), "'date' is not a valid type"),
    "no choice": (closed(a={"type": "string", "enum": []}), "'enum' must be"),
    "no items": (closed(a={"type": "array"}), "missing items"),
    "deep": (nested(12), "levels of nesting"),
}


@pytest.mark.parametrize(("schema", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_strict_mode_does_not_take_is_refused_with_its_place(schema: Any, why: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        schema_in(asked(schema))
    assert refused.value.code == "invalid_json_schema"
    assert refused.value.param == "text.format.schema"
    assert why in refused.value.message
    assert schema_in(asked(schema, strict=False)) == schema


@pytest.mark.parametrize(
    ("text", "param"),
    [
        (asked(FINE, name="a b"), "text.format.name"),
        (asked(FINE, name="x" * 65), "text.format.name"),
        (asked("x"), "text.format.schema"),
        ({"format": {"type": "json_schema", "name": "x"}}, "text.format.schema"),
        ({"format": {"type": "grammar"}}, "text.format.type"),
    ],
)
def test_a_wrong_format_is_refused_by_its_field(text: object, param: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        schema_in(text)
    assert refused.value.param == param
