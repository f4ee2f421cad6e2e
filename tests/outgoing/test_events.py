"""Invariant: the catalogue is what agents may name, an event keeps its id whoever tells it, and
its numbers leave only when they are asked for."""

import json
from typing import get_args

from app.agents.after_table import EventName
from app.outgoing.events import (
    CATALOGUE,
    CallEnded,
    CallSummarised,
    MessageTaken,
    OutgoingEvent,
    SmsReceived,
    TestEvent,
)
from app.outgoing.messages import message_of

SMS = SmsReceived(call_id="", agent="desk", message_id="SM1", sender="+15550100001", text="Hello")


def payload(event: OutgoingEvent, *, numbers: bool = False) -> dict[str, object]:
    found: dict[str, object] = json.loads(message_of(event, 1_800_000_000.5, numbers=numbers).body)
    return found


def test_agents_can_name_the_whole_catalogue_and_nothing_else() -> None:
    assert sorted(kind.type for kind in CATALOGUE) == sorted(get_args(EventName))
    assert {*CATALOGUE, TestEvent} == set(get_args(OutgoingEvent))


def test_the_payload_has_type_time_and_data() -> None:
    event = CallEnded(call_id="CA1", agent="desk", direction="inbound", reason="no_input")
    assert payload(event) == {
        "type": "call.ended",
        "timestamp": "2027-01-15T08:00:00.500Z",
        "data": {
            "call_id": "CA1",
            "agent": "desk",
            "direction": "inbound",
            "reason": "no_input",
            "duration_s": None,
        },
    }


def test_numbers_are_told_only_where_they_are_asked_for() -> None:
    event = CallEnded(
        call_id="CA1", agent="desk", reason="x", caller="+15550100001", called="+15550100002"
    )
    assert "+1555" not in json.dumps(payload(event))
    data = payload(event, numbers=True)["data"]
    assert isinstance(data, dict)
    assert (data["from"], data["to"]) == ("+15550100001", "+15550100002")


def test_what_was_extracted_stands_in_the_data_itself() -> None:
    event = CallSummarised(call_id="CA1", agent="desk", result={"summary": "A call."})
    data = payload(event)["data"]
    assert isinstance(data, dict)
    assert data["summary"] == "A call."
    assert "result" not in data


def test_an_event_has_one_id_wherever_and_however_often_it_is_told() -> None:
    first, again = (
        message_of(CallEnded(call_id="CA1", agent="desk", reason=reason), at_s)
        for reason, at_s in (("no_input", 1.0), ("completed", 9.0))
    )
    assert first.message_id == again.message_id
    others: list[OutgoingEvent] = [
        CallEnded(call_id="CA2", agent="desk", reason="no_input"),
        MessageTaken(call_id="CA1", agent="desk", text="a", occurrence="1"),
        MessageTaken(call_id="CA1", agent="desk", text="a", occurrence="2"),
    ]
    ids = {first.message_id, *(message_of(event, 1.0).message_id for event in others)}
    assert len(ids) == 4


def test_events_of_no_call_are_each_their_own() -> None:
    assert message_of(SMS, 1.0).message_id != message_of(SMS, 1.0).message_id


def test_private_words_do_not_show_in_a_repr() -> None:
    text = repr(SMS) + repr(message_of(SMS, 1.0))
    assert "+1555" not in text
    assert "Hello" not in text
