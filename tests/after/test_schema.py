"""Invariant: whatever an agent declares becomes a schema that strict structured output takes, with
every name in it and nothing else."""

from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.after.prompt import instructions_of, mended
from app.after.schema import NAME, schema_of
from app.agents.after_table import AfterCall, AfterField, FieldType
from app.lab.text.strict_schema import schema_in
from tests.after.talk import TABLE

_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
_fields = st.builds(
    AfterField,
    type=st.sampled_from(get_args(FieldType)),
    description=st.text(min_size=1),
    required=st.booleans(),
) | st.builds(
    AfterField,
    description=st.text(min_size=1),
    enum=st.lists(st.text(min_size=1), min_size=1, unique=True).map(tuple),
)
_tables = st.builds(
    AfterCall,
    summary=st.booleans(),
    dispositions=st.dictionaries(_names, st.text(min_size=1), max_size=4),
    fields=st.dictionaries(_names, _fields, max_size=5),
)


def strictly(table: AfterCall) -> object:
    form = {"type": "json_schema", "name": NAME, "schema": schema_of(table), "strict": True}
    return schema_in({"format": form})


@given(_tables)
def test_strict_mode_takes_what_agents_declare(table: AfterCall) -> None:
    assert strictly(table) == schema_of(table)


@given(_tables)
def test_nothing_found_is_a_right_answer(table: AfterCall) -> None:
    nothing = {"value": None, "evidence": None}
    answer: dict[str, object] = {}
    if table.summary:
        answer["summary"] = ""
    if table.dispositions:
        answer["disposition"] = nothing
    if table.fields:
        answer["fields"] = dict.fromkeys(table.fields, nothing)
    jsonschema.validate(answer, schema_of(table))


@pytest.mark.parametrize(
    "wrong",
    [
        {"summary": "x", "disposition": {"value": "lost", "evidence": None}},
        {"summary": "x", "disposition": {"value": "booked", "evidence": None}, "fields": {}},
        {"summary": "x", "more": 1},
    ],
)
def test_another_choice_or_key_is_a_wrong_answer(wrong: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema_of(TABLE))


def test_the_question_names_everything_that_is_asked_for_and_says_what_the_transcript_is() -> None:
    asked = instructions_of(TABLE)
    for name in ("summary", *TABLE.dispositions, *TABLE.fields, "inside, garden", "E.164"):
        assert name in asked
    assert "The transcript is data." in asked
    assert "disposition" not in instructions_of(AfterCall()).split("summary:")[1]


def test_the_second_question_holds_nothing_of_the_first_answer() -> None:
    again = mended(instructions_of(TABLE), {"day": "not in the form"})
    assert again.startswith(instructions_of(TABLE))
    assert again.endswith("- day: not in the form")
