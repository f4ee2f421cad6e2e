"""A Python signature becomes exactly the schema that the model needs, what the model sends is
checked against it, and an author's mistake is told when the tool is loaded."""

import dataclasses
import datetime
import enum
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from app.tools.errors import ArgumentError, ToolLoadError
from app.tools.functions import FunctionTool, tool


class Area(enum.Enum):
    INDOORS = "indoors"
    TERRACE = "terrace"


@dataclasses.dataclass
class Guest:
    name: str
    age: int | None = None


@tool
def reserve(
    people: Annotated[int, "How many come", Field(ge=1, le=8)],
    meal: Literal["lunch", "dinner"],
    area: Area = Area.INDOORS,
    guest: Guest | None = None,
    note: str = "",
) -> str:
    """Reserve a table
    for today.

    Never for tomorrow.

    Args:
        meal: Which meal,
            in one word
        note (str, optional): Wishes of the guest
    """
    return f"{people} {meal} {area.value} {guest} {note}"


def test_the_schema_has_the_shape_of_openai_function_tools() -> None:
    schema = FunctionTool.of(reserve).schema
    assert schema["type"] == "function"
    assert schema["name"] == "reserve"
    assert schema["description"] == "Reserve a table for today.\nNever for tomorrow."
    assert schema["parameters"] == {
        "type": "object",
        "properties": {
            "people": {
                "type": "integer",
                "minimum": 1,
                "maximum": 8,
                "description": "How many come",
            },
            "meal": {
                "type": "string",
                "enum": ["lunch", "dinner"],
                "description": "Which meal, in one word",
            },
            "area": {"type": "string", "enum": ["indoors", "terrace"], "default": "indoors"},
            "guest": {
                "anyOf": [
                    {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "age": {
                                "anyOf": [{"type": "integer"}, {"type": "null"}],
                                "default": None,
                            },
                        },
                        "required": ["name"],
                        "additionalProperties": False,
                    },
                    {"type": "null"},
                ],
                "default": None,
            },
            "note": {"type": "string", "default": "", "description": "Wishes of the guest"},
        },
        "required": ["people", "meal"],
        "additionalProperties": False,
    }


def test_arguments_arrive_as_the_types_of_the_signature() -> None:
    read = FunctionTool.of(reserve).read_arguments
    text = '{"people": 2, "meal": "lunch", "area": "terrace", "guest": {"name": "A"}}'
    assert read(text) == {
        "people": 2,
        "meal": "lunch",
        "area": Area.TERRACE,
        "guest": Guest("A"),
        "note": "",
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"people": 9, "meal": "lunch"}', "people: Input should be less than or equal to 8"),
        ('{"people": 2}', "meal: Field required"),
        ('{"people": 2, "meal": "tea"}', "'lunch' or 'dinner'"),
        ('{"people": 2, "meal": "lunch", "day": "monday"}', "day: Unexpected"),
        ('{"people": 2,', "Invalid JSON"),
        ("[2]", "object"),
        ("null", "object"),
    ],
)
def test_wrong_arguments_are_told_in_one_sentence_with_what_is_expected(
    arguments: str, told: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        FunctionTool.of(reserve).read_arguments(arguments)
    text = str(caught.value)
    assert told in text
    assert "people (required), meal (required), area (optional)" in text
    assert "\n" not in text


@given(st.text())
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        values = FunctionTool.of(reserve).read_arguments(text)
    except ArgumentError as error:
        assert str(error).startswith("reserve was not run")
    else:
        assert set(values) == {"people", "meal", "area", "guest", "note"}


@given(st.integers(1, 8), st.sampled_from(["lunch", "dinner"]), st.text())
def test_right_arguments_survive_the_way(people: int, meal: str, note: str) -> None:
    text = json.dumps({"people": people, "meal": meal, "note": note})
    values = FunctionTool.of(reserve).read_arguments(text)
    assert (values["people"], values["meal"], values["note"]) == (people, meal, note)


def test_a_tool_without_parameters_takes_nothing_at_all_from_the_model() -> None:
    def opening_hours() -> str:
        """Say when we are open."""
        return "noon to ten"

    found = FunctionTool.of(opening_hours)
    assert found.parameters["properties"] == {}
    assert found.parameters["required"] == []
    assert found.read_arguments("") == {}
    assert found.read_arguments("{}") == {}
    with pytest.raises(ArgumentError, match="takes no arguments"):
        found.read_arguments('{"day": 1}')


def test_parameters_may_be_called_like_the_words_of_a_schema() -> None:
    def label(title: str, json: int, schema: datetime.date, properties: list[int]) -> None:
        """Label it."""

    properties = FunctionTool.of(label).parameters["properties"]
    assert list(properties) == ["title", "json", "schema", "properties"]
    assert properties["schema"] == {"type": "string", "format": "date"}


def test_a_changeable_default_is_not_shared_between_calls() -> None:
    def collect(items: list[int] = []) -> list[int]:  # noqa: B006
        """Collect."""
        return items

    read = FunctionTool.of(collect).read_arguments
    read("{}")["items"].append(1)
    assert read("{}")["items"] == []


def test_the_decorator_names_and_describes_and_leaves_the_function_as_it_was() -> None:
    @tool(name="look-up", description="Find it.", timeout_s=2.5)
    def find(word: str) -> str:
        return word.upper()

    found = FunctionTool.of(find)
    assert (found.name, found.description, found.timeout_s) == ("look-up", "Find it.", 2.5)
    assert find("a") == "A"


def test_async_functions_are_known_as_such() -> None:
    async def wait_a_little() -> None:
        """Wait."""

    assert FunctionTool.of(wait_a_little).is_async
    assert not FunctionTool.of(reserve).is_async


def _star(*people: int) -> None:
    """Doc."""


def _double_star(**people: int) -> None:
    """Doc."""


def _positional(people: int, /) -> None:
    """Doc."""


def _unhinted(people) -> None:  # type: ignore[no-untyped-def]
    """Doc."""


def _undocumented(people: int) -> None: ...


def _unsupported(people: "threading_lock") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Doc."""


class _Opaque:
    pass


def _opaque(people: _Opaque) -> None:
    """Doc."""


def _callback(people: Callable[[int], int]) -> None:
    """Doc."""


@dataclasses.dataclass
class _Tree:
    branches: "list[_Tree]"


def _endless(people: _Tree) -> None:
    """Doc."""


def _other_words(people: int) -> None:
    """Doc.

    Args:
        persons: who
    """


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (_star, "named parameters, got \\*people"),
        (_double_star, "named parameters, got \\*people"),
        (_positional, "people is positional-only"),
        (_unhinted, "a type hint for people"),
        (_undocumented, "a docstring"),
        (_unsupported, "threading_lock"),
        (_opaque, "type is not supported"),
        (_callback, "JSON"),
        (_endless, "holds itself"),
        (_other_words, "describes persons"),
        (lambda: None, "@tool\\(name"),
    ],
)
def test_an_unsupported_signature_is_refused_when_loaded(
    function: Callable[..., Any], told: str
) -> None:
    with pytest.raises(ToolLoadError, match=told):
        FunctionTool.of(function)


def test_the_decorator_refuses_at_the_definition() -> None:
    with pytest.raises(ToolLoadError, match="_star"):
        tool(_star)
