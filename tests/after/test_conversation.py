"""Invariant: what was said is told whole, in order and by whoever said it; nobody can speak for
somebody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.after.conversation import (
    LEFT_OUT,
    Conversation,
    conversation_of,
    of_snapshot,
    packed,
    unpacked,
)
from app.call.events import Entry, Snapshot
from tests.after.talk import BOOKING, conversation, held_call

TEXT = """\
Agent: Harbour Table, how may I help you?
Caller: A table for four on the twenty-seventh, in the garden please.
Tool: book_table {"guests": 4, "day": "2026-11-27"} -> {"code": "77"}
Agent: It is booked. Which number can we call you on?
Caller: It's +1 555 010 0123."""


def test_a_line_for_each_thing_that_was_said_or_done() -> None:
    assert BOOKING.as_text() == TEXT


def test_the_heart_tells_all_that_it_knows_at_the_end() -> None:
    call = held_call("Agent: Hello.", *(f"Caller: word {n}" for n in range(200)))
    call.history.summarised("what came first", 150)
    told = conversation_of(call)
    assert len(told.entries) == 201
    assert told.summary == "what came first"
    assert told.timeline is not None
    assert told.timeline["end_reason"] == "caller_hung_up"


def test_a_snapshot_tells_what_it_has() -> None:
    snapshot = Snapshot("CA1", "outbound", "a summary", BOOKING.entries)
    told = of_snapshot(snapshot)
    assert (told.direction, told.entries) == ("outbound", BOOKING.entries)
    assert told.as_text().startswith("Summary of what was said before: a summary\n")


@given(st.text())
def test_nobody_speaks_on_somebody_elses_line(words: str) -> None:
    told = Conversation("CA1", entries=(Entry("caller", text=words), Entry("agent", text="Bye.")))
    lines = told.as_text().splitlines()
    assert lines[-1] == "Agent: Bye."
    assert len(lines) <= 2
    assert all(line.startswith("Caller: ") for line in lines[:-1])


def test_a_long_one_loses_its_middle_and_says_so() -> None:
    told = conversation(*(f"Caller: sentence number {n} of many" for n in range(1_000)))
    text = told.as_text(2_000)
    assert len(text) < 2_100
    first, rest = text.split(f"\n{LEFT_OUT}\n")
    assert first.startswith("Caller: sentence number 0 ")
    assert rest.endswith("Caller: sentence number 999 of many")
    assert all(line.startswith("Caller: ") for line in (first + "\n" + rest).splitlines())


def test_it_outlives_its_worker_without_its_timeline() -> None:
    told = conversation_of(held_call("Agent: Hello.", "Caller: Grüße"))
    again = unpacked(packed(told))
    assert again is not None
    assert (again.entries, again.summary, again.timeline) == (told.entries, told.summary, None)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[1]"])
def test_what_cannot_be_read_is_nothing(data: bytes) -> None:
    assert unpacked(data) is None


def test_a_call_in_which_only_the_agent_spoke_says_so() -> None:
    assert not conversation("Agent: Hello?").caller_spoke
    assert BOOKING.caller_spoke
    assert conversation(summary="x").caller_spoke
    assert "Grüße" not in repr(conversation("Caller: Grüße"))
