"""A message is left once, though the line breaks or another worker goes on with the call; and who
heard nothing counts as abandoned, once.

In virtual time.
"""

from dataclasses import replace

import pytest

from app.call.answer_side import TAKEN_OVER
from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import (
    Answered,
    AnsweredBy,
    CarrierClosed,
    MarkEchoed,
    Snapshot,
    StreamStarted,
)
from tests.call.answered_line import BY_VOICE, LEAVE, line_with, record
from tests.call.handover_play import of, play


def test_a_machine_that_hangs_up_early_has_not_taken_the_message() -> None:
    line = line_with()
    line.run_until(2_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(4_500)
    line.deliver(CarrierClosed("hangup"))
    (message,) = record(line).messages
    assert not message.whole
    assert 1_500 <= message.heard_ms <= 2_700
    assert not record(line).message_left


def test_who_hears_nothing_counts_as_abandoned() -> None:
    line = line_with(replace(BY_VOICE, greeting="", greeting_words=""))
    line.run_until(1_500)
    line.deliver(CarrierClosed("hangup"))
    assert record(line).first_audio_ms is None
    assert record(line).abandoned


@pytest.mark.parametrize(
    ("left", "known", "hangs_up"),
    [
        ("listening", None, True),
        ("leaving", "machine_start", True),
        ("watching", "machine_end_beep", True),
        ("watching", "human", False),
        ("watching", None, False),
        ("picked up", "machine_start", False),
        ("person", "human", False),
        ("", None, False),
    ],
)
def test_another_worker_leaves_no_second_message(
    left: str, known: AnsweredBy | None, hangs_up: bool
) -> None:
    call = Call(BY_VOICE)
    resumed = Snapshot("call", "outbound", answer=left)
    commands = play(
        call,
        0,
        StreamStarted(
            "call", "s2", "outbound", resumed=resumed, on_answer=LEAVE, answered_by=known
        ),
    )
    ends = of(EndCall, commands)
    assert [(end.reason, end.detail) for end in ends] == (
        [(EndReason.MACHINE_ANSWERED, TAKEN_OVER)] if hangs_up else []
    )


def test_who_was_greeted_in_another_stream_is_not_abandoned_in_this_one() -> None:
    call = Call(BY_VOICE)
    resumed = Snapshot("call", "outbound", answer="watching")
    started = StreamStarted(
        "call", "s2", "outbound", resumed=resumed, on_answer=LEAVE, since_answer_ms=90_000
    )
    play(call, 0, started, MarkEchoed("s0.0", 400, 420), CarrierClosed("hangup"))
    answer = call.timeline.answer
    assert answer is not None
    assert (answer.first_audio_ms, answer.abandoned) == (None, False)


def test_where_it_stands_is_told_to_the_next_worker() -> None:
    line = line_with()
    line.run_until(1_000)
    assert line.call.snapshot().answer == "watching"
    line.deliver(Answered("machine_start"))
    assert line.call.snapshot().answer == "listening"
    assert Call().snapshot().answer == ""
