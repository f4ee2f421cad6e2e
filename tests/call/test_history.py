"""The next session is told what was said and done, as it was heard, and no more than fits."""

from typing import get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from app.call.crew import Who
from app.call.events import Entry, Snapshot, ToolCall
from app.call.history import History, as_text
from app.call.transcript import Line

BOOK = ToolCall("t1", "i1", "book", '{"n": 2}')
ALL = 1_000


def spoken(item_id: str, text: str = "Hello.", **how: object) -> Line:
    return Line("agent", item_id, 0, text, **how)  # type: ignore[arg-type]


def turn(item_id: str, text: str = "", end_ms: int | None = 900) -> Line:
    """A caller's; `text` "": its words have not come."""
    line = Line("caller", item_id, 0, text, audio_start_ms=300, audio_end_ms=end_ms)
    line.final = bool(text)
    return line


def history(*log: Line | Entry) -> History:
    found = History()
    found.log.extend(log)
    return found


def told(found: History, *, keep: int = 0, most: int = ALL) -> list[str]:
    return [entry.item_id for entry in found.entries(keep=keep, most=most)]


def entry_of(line: Line) -> Entry | None:
    entries = history(line).entries(keep=0, most=ALL)
    return entries[0] if entries else None


def test_a_line_is_told_as_it_was_heard() -> None:
    assert entry_of(spoken("a", "We are open")) == Entry("agent", "a", "We are open")
    cut = spoken("a", "We are", interrupted=True, final=True)
    assert entry_of(cut) == Entry("agent", "a", "We are [interrupted]")
    assert entry_of(turn("c", "Hello?")) == Entry("caller", "c", "Hello?")


def test_an_answer_of_which_nothing_was_heard_leaves_its_mark_or_nothing() -> None:
    assert entry_of(spoken("a", "", final=True)) is None
    cut = entry_of(spoken("a", "", interrupted=True, final=True))
    assert cut == Entry("agent", "a", "[interrupted]")


def test_a_turn_whose_words_are_not_known_is_told_by_its_place_on_the_line() -> None:
    voice = Entry("caller", "c", audio_start_ms=300, audio_end_ms=900)
    assert entry_of(turn("c")) == voice


def test_what_is_being_said_and_what_was_no_speech_is_not_told() -> None:
    assert entry_of(turn("c", end_ms=None)) is None
    silent = turn("c")
    silent.final = True
    assert entry_of(silent) is None


def test_a_tool_is_told_where_it_was_called_with_what_came_of_it() -> None:
    found = history(turn("c1", "Two seats."))
    found.called(BOOK)
    found.log.append(spoken("a1"))
    run = Entry("tool", "i1", call_id="t1", name="book", arguments='{"n": 2}')
    assert found.entries(keep=0, most=ALL)[1] == run
    assert [use.call_id for use in found.open_tools] == ["t1"]

    found.returned("t1", "booked")
    found.returned("t1", "again")
    found.returned("unknown", "x")
    (_, done, _) = found.entries(keep=0, most=ALL)
    assert (done.output, found.open_tools) == ("booked", [])


def test_keys_are_told_as_they_were_to_the_model() -> None:
    found = History()
    found.pressed("keys-1", "The caller pressed these keys: 4")
    assert found.entries(keep=0, most=ALL) == (
        Entry("keys", "keys-1", "The caller pressed these keys: 4"),
    )


def test_what_a_summary_stands_for_is_left_out_but_for_the_last_of_it() -> None:
    found = history(*(spoken(f"a{n}") for n in range(6)))
    found.summarised("{}", 4)
    assert told(found) == ["a4", "a5"]
    assert told(found, keep=3) == ["a1", "a2", "a3", "a4", "a5"]
    assert told(found, keep=99) == [f"a{n}" for n in range(6)]


def test_without_a_summary_everything_is_told_up_to_a_bound() -> None:
    found = history(*(spoken(f"a{n}") for n in range(6)))
    assert told(found, keep=0) == [f"a{n}" for n in range(6)]
    assert told(found, keep=0, most=2) == ["a4", "a5"]


def test_a_tool_that_still_runs_is_told_however_long_ago_it_was_called() -> None:
    found = History()
    found.called(BOOK)
    found.called(ToolCall("t2", "i2", "look_up", "{}"))
    found.returned("t2", "done")
    found.log.extend(spoken(f"a{n}") for n in range(6))
    found.summarised("{}", 8)
    assert told(found, keep=1) == ["i1", "a5"]


def test_words_are_awaited_for_the_newest_turns_only() -> None:
    waiting = turn("c1")
    found = history(waiting)
    assert found.words_awaited
    assert found.wordless_from_ms == [300]
    found.log.extend(spoken(f"a{n}") for n in range(8))
    assert not found.words_awaited
    assert found.wordless_from_ms == []


def test_words_of_what_is_being_said_are_not_awaited_but_its_voice_is_needed() -> None:
    found = history(turn("c1", end_ms=None))
    assert not found.words_awaited
    assert found.wordless_from_ms == [300]


def snapshot(found: History, keep: int = 8, most: int = 60) -> Snapshot:
    return found.snapshot(
        call_id="call",
        direction="outbound",
        broke_off=False,
        unanswered=True,
        moved=False,
        model=1,
        cost_usd=0.5,
        who=Who("desk", "de"),
        keep=keep,
        most=most,
    )


def test_a_snapshot_is_all_that_another_worker_needs() -> None:
    found = history(turn("c1", "Two seats."))
    found.called(BOOK)
    found.summarised('{"who": "x"}', 0)
    taken = snapshot(found)
    assert taken.summary == '{"who": "x"}'
    assert [(e.kind, e.output) for e in taken.entries] == [("caller", None), ("tool", None)]
    assert (taken.call_id, taken.direction, taken.unanswered, taken.moved) == (
        "call",
        "outbound",
        True,
        False,
    )
    assert (taken.model, taken.cost_usd) == (1, 0.5)
    assert (taken.agent, taken.language) == ("desk", "de")

    later = History()
    later.resume(taken)
    assert [use.call_id for use in later.open_tools] == ["t1"]
    later.returned("t1", "booked")
    later.log.append(spoken("a1"))
    assert told(later) == ["c1", "i1", "a1"]
    assert later.summary == '{"who": "x"}'
    assert later.entries(keep=0, most=ALL)[1].output == "booked"


kinds = st.sampled_from(get_args(get_type_hints(Entry)["kind"]))
texts = st.sampled_from(["", "Hello.", "zwei Plätze"])
entries = st.builds(
    Entry,
    kinds,
    st.uuids().map(str),
    texts,
    call_id=st.uuids().map(str),
    output=st.none() | texts,
)


@given(st.lists(entries, max_size=12), st.integers(0, 5), st.integers(1, 20))
def test_a_call_may_go_from_worker_to_worker_without_losing_what_it_tells(
    given_entries: list[Entry], keep: int, most: int
) -> None:
    first = History()
    first.resume(Snapshot("call", "inbound", "{}", tuple(given_entries)))
    passed = snapshot(first, keep, most)
    second = History()
    second.resume(passed)
    assert snapshot(second, keep, most) == passed
    open_now = {e.call_id for e in given_entries if e.kind == "tool" and e.output is None}
    assert {use.call_id for use in second.open_tools} == open_now


def test_the_conversation_as_text_names_who_said_what() -> None:
    lines = (
        Entry("agent", "a1", "Good day."),
        Entry("caller", "c1", "Two seats."),
        Entry("caller", "c2", audio_start_ms=0, audio_end_ms=9),
        Entry("tool", "i1", call_id="t1", name="book", arguments='{"n":2}', output="booked"),
        Entry("tool", "i2", call_id="t2", name="wait", arguments="{}"),
        Entry("keys", "k1", "The caller pressed these keys: 4"),
    )
    assert as_text(lines).splitlines() == [
        "Agent: Good day.",
        "Caller: Two seats.",
        'Tool: book {"n":2} -> booked',
        "Tool: wait {} -> still running",
        "Caller pressed: The caller pressed these keys: 4",
    ]
