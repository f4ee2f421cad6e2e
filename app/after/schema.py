"""What is asked for, as a JSON schema that OpenAI's strict mode takes.

Strict mode (OpenAI docs: structured outputs): every object closed, every property required, what
may be missing nullable. Formats are not in it but in the descriptions: not every server that speaks
this API takes them, and `checking.py` holds to them anyway.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.agents.after_table import AfterCall, AfterField, FieldType

NAME: Final = "after_call"
SUMMARY, DISPOSITION, FIELDS = "summary", "disposition", "fields"
VALUE, EVIDENCE = "value", "evidence"

_JSON_TYPES: Final[Mapping[FieldType, str]] = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
"""Every other type is a text."""
FORMS: Final[Mapping[FieldType, str]] = {
    "date": "a date, YYYY-MM-DD",
    "time": "a time of day, HH:MM, 24 hours",
    "datetime": "a date and time, YYYY-MM-DDTHH:MM",
    "phone": "a phone number in E.164: + and digits, country code first",
    "email": "an e-mail address",
}


def schema_of(table: AfterCall) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if table.summary:
        parts[SUMMARY] = {"type": "string"}
    if table.dispositions:
        parts[DISPOSITION] = _found(_choice(list(table.dispositions)))
    if table.fields:
        parts[FIELDS] = _closed({name: _field(field) for name, field in table.fields.items()})
    return _closed(parts)


def _field(field: AfterField) -> dict[str, Any]:
    if field.enum:
        value = _choice(list(field.enum))
    else:
        value = {"type": [_JSON_TYPES.get(field.type, "string"), "null"]}
    value["description"] = ". ".join(filter(None, (field.description, FORMS.get(field.type))))
    return _found(value)


def _choice(names: list[str]) -> dict[str, Any]:
    return {"type": ["string", "null"], "enum": [*names, None]}


def _found(value: dict[str, Any]) -> dict[str, Any]:
    return _closed({VALUE: value, EVIDENCE: {"type": ["string", "null"]}})


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
