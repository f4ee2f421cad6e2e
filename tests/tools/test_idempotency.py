"""A run's key is the same wherever it is made and no other run's, and a function gets it in a
parameter that the model does not see."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools import FunctionTool, IdempotencyKey, Toolbox, ToolLoadError, tool
from app.tools.idempotency import idempotency_key, same_run_id


def test_a_key_never_changes_between_versions() -> None:
    assert idempotency_key("CA1", "call_1") == "34361444-c15d-5600-9acb-edea401ed58a"


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_two_runs_have_one_key_only_if_they_are_the_same(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert (idempotency_key(*one) == idempotency_key(*other)) == (one == other)
    assert UUID(idempotency_key(*one)).version == 5


def test_arguments_count_and_not_how_they_are_written() -> None:
    assert same_run_id("a", '{"x": 1, "y": 2}') == same_run_id("a", ' {"y":2,"x":1}')
    assert same_run_id("a", "") == same_run_id("a", "{}")
    assert same_run_id("a", "{}") != same_run_id("b", "{}")
    assert same_run_id("a", "{broken") != same_run_id("a", "{broken ")


@tool(idempotent=True, once_per_call=True, on_interruption="cancel", wait_words="Hm.")
def book(people: int, idempotency_key: IdempotencyKey, note: str = "") -> str:
    """Book a table.

    Args:
        people: how many
        idempotency_key: ours
    """
    return f"{idempotency_key} {people}{note}"


async def test_a_function_gets_its_key_and_the_model_sees_none() -> None:
    made = FunctionTool.of(book)
    assert list(made.parameters["properties"]) == ["people", "note"]
    result = await Toolbox([book]).run("book", '{"people": 2}', key="k-1")
    assert json.loads(result.output) == "k-1 2"
    forged = '{"people": 2, "idempotency_key": "mine"}'
    assert not (await Toolbox([book]).run("book", forged, key="k-1")).ok


async def test_without_a_key_each_run_has_one_of_its_own() -> None:
    runs = [await Toolbox([book]).run("book", '{"people": 2}') for _ in range(2)]
    assert runs[0].output != runs[1].output


def test_the_decorator_says_how_a_call_deals_with_it() -> None:
    manner = Toolbox([book]).manner("book")
    assert manner.idempotent
    assert manner.once_per_call
    assert (manner.on_interruption, manner.wait_words) == ("cancel", "Hm.")
    assert not Toolbox([book]).manner("nothing").idempotent


def test_another_word_for_interruption_is_refused() -> None:
    with pytest.raises(ToolLoadError, match='"finish" or "cancel", got \'stop\''):
        tool(on_interruption="stop")  # type: ignore[call-overload]
