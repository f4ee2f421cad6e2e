"""A summary keeps its facts word for word from leg to leg; what a model wrote badly is bounded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.events import SummaryWritten
from app.call.history import History
from app.call.summary import (
    IN_PROGRESS,
    KEYS,
    MOST_CHARS,
    Summaries,
    context,
    request,
    tidied,
)


def test_the_request_names_every_key_and_asks_for_nothing_but_the_object() -> None:
    text = request("")
    for key, meaning in KEYS.items():
        assert f'"{key}": {meaning}' in text
    assert "one JSON object and nothing else" in text
    assert "earlier" not in text


def test_an_earlier_summary_is_handed_over_whole() -> None:
    earlier = '{"facts": ["+15550100001"]}'
    text = request(earlier)
    assert text.startswith(request(""))
    assert text.endswith(earlier)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('{"who": "Ann", "open": []}', '{"who": "Ann"}'),
        ('```json\n{"who": "Ann"}\n```', '{"who": "Ann"}'),
        ('Here it is: {"facts": ["4711", "{x}"]} Good luck!', '{"facts": ["4711", "{x}"]}'),
        ('{"who": "Jürgen"}', '{"who": "Jürgen"}'),
        ('{\n  "who":   "Ann"\n}', '{"who": "Ann"}'),
        ('{"who": null, "tone": ""}', "{}"),
        ("The caller wants a table.", "The caller wants a table."),
        ('{"who": "Ann"', '{"who": "Ann"'),
        ('["4711"]', '["4711"]'),
        ("}{", "}{"),
        ("  \n ", ""),
    ],
)
def test_a_summary_is_kept_compact_and_what_is_none_is_kept_as_it_is(
    written: str, kept: str
) -> None:
    assert tidied(written) == kept


def test_a_summary_without_end_is_cut() -> None:
    assert len(tidied("x" * 100_000)) == MOST_CHARS
    assert len(tidied(json.dumps({"facts": ["x" * 100_000]}))) == MOST_CHARS


@given(st.text(max_size=200))
def test_whatever_a_model_writes_is_taken(written: str) -> None:
    assert len(tidied(written)) <= max(len(written) * 6, MOST_CHARS)
    assert tidied(tidied(written)) == tidied(written)


@given(st.dictionaries(st.sampled_from(list(KEYS)), st.lists(st.text(min_size=1), min_size=1)))
def test_no_fact_of_an_object_is_lost(facts: dict[str, list[str]]) -> None:
    kept = tidied(f"Sure! {json.dumps(facts)}")
    if len(kept) < MOST_CHARS:
        assert json.loads(kept) == facts


def test_a_calls_first_session_is_told_nothing_and_a_later_one_not_to_greet() -> None:
    assert context("", in_progress=False) == ""
    assert context("", in_progress=True) == IN_PROGRESS
    assert "Do not greet" in IN_PROGRESS
    later = context('{"facts": ["4711"]}', in_progress=True)
    assert later.startswith(IN_PROGRESS)
    assert later.endswith('{"facts": ["4711"]}')


# The summaries of one call


def spoken(history: History, *texts: str) -> None:
    for text in texts:
        history.pressed(f"item-{len(history.log)}", text)


def test_a_summary_stands_for_what_was_said_when_it_was_asked_for() -> None:
    history = History()
    summaries = Summaries(history, "session")
    spoken(history, "1", "2")
    assert summaries.uncovered == 2
    asked = summaries.ask()
    spoken(history, "3")
    assert summaries.take(SummaryWritten(asked.request_id, '{"who": "Ann"}'))

    assert (history.summary, history.covered, summaries.uncovered) == ('{"who": "Ann"}', 2, 1)
    assert summaries.awaited == ""
    assert '{"who": "Ann"}' in summaries.ask().instructions


def test_only_the_newest_one_that_was_asked_for_is_taken() -> None:
    summaries = Summaries(History(), "session")
    older, newer = summaries.ask(), summaries.ask()

    assert summaries.take(SummaryWritten(older.request_id, "late")) is None
    assert summaries.take(SummaryWritten(newer.request_id, "")) is False
    given_up = summaries.ask()
    summaries.give_up()
    assert summaries.take(SummaryWritten(given_up.request_id, "late")) is None


def test_a_text_model_reads_the_whole_conversation_and_a_session_knows_it() -> None:
    history = History()
    spoken(history, "4711")

    assert Summaries(history, "text_model").ask().conversation == "Caller pressed: 4711"
    assert Summaries(history, "session").ask().conversation == ""
