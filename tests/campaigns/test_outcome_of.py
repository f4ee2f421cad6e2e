"""Every way in which a dial can end has one outcome; a person who heard nothing is never counted as
answered, and a machine never as a person."""

from itertools import product
from typing import get_args

import pytest

from app.call.answer_record import AnswerRecord
from app.call.events import AnsweredBy
from app.campaigns.outcome_of import Went, outcome_of
from app.campaigns.outcomes import LIVE, Outcome
from app.campaigns.ports import CallFate

PERSON = Went("human")
LATE = Went("human", abandoned=True)
LEFT = Went("machine_end_beep", message_left=True)
NOT_LEFT = Went("machine_end_beep")
PICKED_UP = Went("machine_end_silence", picked_up=True)


@pytest.mark.parametrize(
    ("fate", "sip_code", "went", "told", "outcome"),
    [
        ("busy", 486, None, "", Outcome.BUSY),
        ("busy", None, None, "", Outcome.BUSY),
        ("busy", 603, None, "", Outcome.REJECTED),
        ("no-answer", None, None, "", Outcome.NO_ANSWER),
        ("no-answer", 480, None, "", Outcome.NO_ANSWER),
        ("no-answer", 603, None, "", Outcome.REJECTED),
        ("failed", 404, None, "", Outcome.INVALID_NUMBER),
        ("failed", 484, None, "", Outcome.INVALID_NUMBER),
        ("failed", 503, None, "", Outcome.FAILED),
        ("failed", None, None, "", Outcome.FAILED),
        ("failed", 607, None, "", Outcome.REJECTED),
        ("canceled", 487, None, "", Outcome.CANCELED),
        ("completed", 200, PERSON, "", Outcome.ANSWERED),
        ("completed", 200, Went("unknown"), "unknown", Outcome.ANSWERED),
        ("completed", None, Went(), "", Outcome.ANSWERED),
        ("completed", 200, LATE, "human", Outcome.ABANDONED),
        ("completed", 200, Went("unknown", abandoned=True), "", Outcome.ABANDONED),
        ("completed", 200, LEFT, "", Outcome.MESSAGE_LEFT),
        ("completed", 200, NOT_LEFT, "", Outcome.MACHINE),
        ("completed", 200, Went("machine_start"), "machine_start", Outcome.MACHINE),
        ("completed", 200, PICKED_UP, "machine_end_silence", Outcome.ANSWERED),
        ("completed", 200, Went("fax"), "fax", Outcome.FAX),
        ("completed", 200, None, "", Outcome.ABANDONED),
        ("completed", 200, None, "human", Outcome.ABANDONED),
        ("completed", 200, None, "machine_end_beep", Outcome.MACHINE),
        ("completed", 200, None, "fax", Outcome.FAX),
        ("completed", 200, Went(), "machine_end_other", Outcome.MACHINE),
    ],
)
def test_what_came_of_it(
    fate: CallFate, sip_code: int | None, went: Went | None, told: str, outcome: Outcome
) -> None:
    assert outcome_of(fate, went, answered_by=told, sip_code=sip_code) is outcome


@pytest.mark.parametrize("fate", ["queued", "initiated", "ringing", "in-progress"])
def test_a_call_that_goes_on_has_none(fate: CallFate) -> None:
    with pytest.raises(ValueError, match=fate):
        outcome_of(fate, None)


def test_machines_are_no_live_answers_and_who_heard_nothing_is_abandoned() -> None:
    for by, left, picked_up, abandoned in product(
        ("", *get_args(AnsweredBy)), *[(False, True)] * 3
    ):
        outcome = outcome_of("completed", Went(by, left, picked_up, abandoned))
        machine = by.startswith("machine") and not picked_up
        assert (outcome in LIVE) == (not machine and by != "fax")
        assert outcome is not Outcome.ANSWERED or not abandoned


def test_it_is_read_from_the_record_of_a_call() -> None:
    record = AnswerRecord("message", answered_by="machine_start", picked_up_ms=7)
    assert Went.of({"answer": record.as_json()}) == Went(
        "machine_start", picked_up=True, abandoned=True
    )
    record = AnswerRecord("message", answered_by="human", first_audio_ms=300)
    assert Went.of({"answer": record.as_json()}) == Went("human")
    assert Went.of({"answer": None}) is None
    assert Went.of({}) is None
