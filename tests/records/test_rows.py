"""Every turn, tool, leg and count of tokens of a timeline becomes one row; no word of the
transcript is lost or doubled; nothing that PostgreSQL refuses gets that far."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.prices import Prices
from app.records.rows import StreamRows, Words, fit, plain, stream_rows, words_by_turn
from app.records.spool import UnreadableError
from app.records.tables import calls, tool_runs
from tests.records.stories import AT_MS, chain, entry, line, timeline

PRICES = Prices(1.0, 0.1, 10.0, 1.0, 4.0, 20.0)


def parts(rows: StreamRows) -> dict[str, list[dict[str, Any]]]:
    return {table.name: found for table, found in rows.parts}


def test_a_timeline_becomes_rows() -> None:
    rows = stream_rows(entry(), timeline(), lambda model: PRICES)
    found = parts(rows)
    assert rows.stream["ended_at_ms"] == AT_MS + 5_000
    assert rows.stream["document"] == timeline()
    first, second = found["turns"]
    assert (first["heard_text"], first["unheard_text"]) == (
        "Good day, this [interrupted]",
        "is Earshot",
    )
    assert (second["caller_text"], second["heard_text"]) == ("A table for four.", "It is booked.")
    assert second["perceived_latency_ms"] == 600
    assert second["stamps_ms"]["response_created"] == 2_000
    [cut] = found["interruptions"]
    assert (cut["turn"], cut["heard_ms"], cut["received_ms"], cut["by"]) == (1, 700, 1_500, "fence")
    [run] = found["tool_runs"]
    assert (run["tool_call_id"], run["turn"], run["ok"]) == ("call_1", 2, True)
    [leg] = found["model_legs"]
    assert (leg["leg"], leg["model"], leg["taken_ms"]) == (1, "gpt-realtime-2.1", 310)
    assert [row["number"] for row in found["usage"]] == [1, 2]
    assert found["usage"][0]["cost_usd"] == pytest.approx((100 * 1.0 + 50 * 20.0) / 1e6)
    assert found["usage"][1]["model"] == "gpt-realtime-2.1"


def test_each_link_of_the_evidence_is_a_row_byte_for_byte() -> None:
    found = parts(stream_rows(entry(), timeline(), chain=chain()))["evidence"]
    assert [row["hash"] for row in found] == ["a" * 64, "b" * 64]
    assert "".join(row["line"] + "\n" for row in found).encode() == chain()
    assert parts(stream_rows(entry(), timeline()))["evidence"] == []


def test_without_prices_costs_are_not_known() -> None:
    assert {row["cost_usd"] for row in parts(stream_rows(entry(), timeline()))["usage"]} == {None}


def test_a_model_that_gives_one_id_twice_has_run_two_tools() -> None:
    told = timeline()
    told["turns"][1]["tools"] *= 2
    found = parts(stream_rows(entry(), told))["tool_runs"]
    assert [run["tool_call_id"] for run in found] == ["call_1", "call_1#2"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        timeline(stream_id="MZ2"),
        timeline(turns=[{"turn": 1}]),
        timeline(turns="none"),
        timeline(transcript=[{"speaker": "caller"}]),
        timeline(ended_ms="late"),
    ],
)
def test_what_is_no_timeline_of_this_stream_is_refused(document: object) -> None:
    with pytest.raises(UnreadableError, match="expected a timeline"):
        stream_rows(entry(), document)


@given(
    st.lists(st.lists(st.integers(0, 9_000), max_size=3), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(["caller", "agent"]), st.integers(0, 10_000)), max_size=12),
)
def test_every_line_lands_in_exactly_one_turn(
    stamps: list[list[int]], said: list[tuple[str, int]]
) -> None:
    names = ("speech_started", "response_created", "response_done")
    told = [{"stamps_ms": dict(zip(names, sorted(each), strict=False))} for each in stamps]
    lines = [
        line(speaker, at_ms, f"w{n}", unheard=f"u{n}" if speaker == "agent" else "")
        for n, (speaker, at_ms) in enumerate(said)
    ]
    words = words_by_turn(told, lines)
    heard = [word for each in words for word in f"{each.caller} {each.heard}".split()]
    assert sorted(heard) == sorted(f"w{n}" for n in range(len(said)))
    unheard = [word for each in words for word in each.unheard.split()]
    assert len(unheard) == sum(speaker == "agent" for speaker, _ in said)


def test_without_turns_there_is_nowhere_to_put_words() -> None:
    assert words_by_turn([], [line("caller", 1, "hello")]) == []
    assert words_by_turn([{"stamps_ms": {}}], [line("caller", 1, "hello")]) == [Words("hello")]


def test_texts_fit_their_columns() -> None:
    made = fit(calls, {"call_id": "x" * 99, "summary": "y" * 999, "started_at_ms": 5})
    assert (len(made["call_id"]), len(made["summary"]), made["started_at_ms"]) == (64, 999, 5)
    assert len(fit(tool_runs, {"name": "n" * 500})["name"]) == 128


def test_what_postgresql_refuses_is_replaced() -> None:
    odd = {"a\x00": ["b\x00c", {"d": "\ud800"}], "n": 1, "z": None}
    assert plain(odd) == {"a\ufffd": ["b\ufffdc", {"d": "?"}], "n": 1, "z": None}
