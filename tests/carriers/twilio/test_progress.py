"""Each step of a call's life is passed on once, in whatever order Twilio tells of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio.progress import (
    CallProgress,
    CallState,
    ProgressLog,
    StatusError,
    read_progress,
)

LIFE = ("initiated", "ringing", "in-progress", "completed")


def step(sequence: int, call_sid: str = "CA1") -> CallProgress:
    return read_progress(call_sid, {"CallStatus": LIFE[sequence], "SequenceNumber": str(sequence)})


def test_all_that_a_callback_tells_is_read() -> None:
    fields = {
        "CallStatus": "busy",
        "SequenceNumber": "2",
        "Timestamp": "Tue, 20 Oct 2026 10:00:00 +0000",
        "CallDuration": "0",
        "SipResponseCode": "486",
        "Unknown": "x",
    }
    progress = read_progress("CA1", fields)
    assert progress == CallProgress(
        "CA1", CallState.BUSY, 2, False, "Tue, 20 Oct 2026 10:00:00 +0000", 0, 486
    )
    assert progress.state.ended


def test_without_a_sequence_number_the_state_tells_the_place() -> None:
    log = ProgressLog()
    states = ["ringing", "queued", "completed", "in-progress", "completed"]
    noted = [log.note(read_progress("CA1", {"CallStatus": state})) for state in states]
    assert [None if n is None else n.late for n in noted] == [False, True, False, True, None]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"CallStatus": "asleep"},
        {"CallStatus": "ringing", "SequenceNumber": "one"},
        {"CallStatus": "ringing", "SequenceNumber": "-1"},
        {"CallStatus": "ringing", "SequenceNumber": "²"},
        {"CallStatus": "completed", "CallDuration": "1" * 5000},
    ],
)
def test_what_cannot_be_read_is_refused_without_repeating_it(fields: dict[str, str]) -> None:
    with pytest.raises(StatusError) as caught:
        read_progress("CA1", fields)
    assert not any(value in str(caught.value) for value in fields.values())


@given(told=st.lists(st.integers(0, 3), max_size=12))
def test_every_step_is_passed_on_once_and_marked_late_when_overtaken(told: list[int]) -> None:
    log = ProgressLog()
    passed = [p for n in told if (p := log.note(step(n))) is not None]
    assert [p.sequence for p in passed] == list(dict.fromkeys(told))
    in_order = [p.sequence for p in passed if not p.late]
    assert all(a < b for a, b in pairwise(in_order))
    assert all(any(o.sequence > p.sequence for o in passed) for p in passed if p.late)


def test_calls_do_not_mix_and_the_oldest_are_forgotten() -> None:
    log = ProgressLog(most=2)
    assert log.note(step(0, "CA1"))
    assert log.note(step(0, "CA2"))
    assert log.note(step(1, "CA1"))
    assert log.note(step(0, "CA3"))  # forgets CA2, which has been silent for longest
    assert log.note(step(0, "CA1")) is None
    assert log.note(step(0, "CA2"))


@pytest.mark.parametrize(
    ("at", "at_ms"),
    [
        ("Thu, 01 Jan 2026 12:00:00 +0000", 1_767_268_800_000),
        ("Thu, 01 Jan 2026 13:00:00 +0100", 1_767_268_800_000),
        ("Thu, 01 Jan 2026 12:00:00 -0000", 1_767_268_800_000),
        ("", None),
        ("noon", None),
    ],
)
def test_twilios_time_is_read_and_nonsense_is_none(at: str, at_ms: int | None) -> None:
    assert CallProgress("CA1", CallState.BUSY, 1, at=at).at_ms == at_ms
