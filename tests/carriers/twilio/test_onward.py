"""What Twilio tells of a step that is over is read as what happened, and what nobody knows counts
as nothing: never as a person who took the call."""

import pytest

from app.call.endings import EndReason
from app.carriers.twilio.intake import RefusedError
from app.carriers.twilio.onward import (
    begun,
    caller_sid_of,
    choice_of,
    happened,
    journey_of,
)
from app.carriers.twilio.onward import person_end as end_of
from app.onward.happenings import Chose, Dialled, Fell, Happening, Recorded, Referred, Wanted
from app.onward.journey import Journey, Stop
from app.onward.plan import Plan

CALL = "CA" + "0c" * 16


@pytest.mark.parametrize(
    ("stop", "fields", "happening"),
    [
        ("transfer", {"DialCallStatus": "completed"}, Dialled("talked")),
        ("transfer", {"DialCallStatus": "answered"}, Dialled("talked")),
        (
            "transfer",
            {"DialCallStatus": "completed", "DialBridged": "false"},
            Dialled("no_answer"),
        ),
        ("transfer", {"DialCallStatus": "busy"}, Dialled("busy")),
        ("transfer", {"DialCallStatus": "no-answer"}, Dialled("no_answer")),
        ("transfer", {"DialCallStatus": "canceled"}, Dialled("no_answer")),
        ("transfer", {"DialCallStatus": "failed"}, Dialled("failed")),
        ("transfer", {"DialCallStatus": "something new"}, Dialled("failed")),
        ("transfer", {}, Dialled("failed")),
        ("transfer", {"QueueResult": "bridged"}, Dialled("talked")),
        ("transfer", {"QueueResult": "queue-full"}, Dialled("busy")),
        ("transfer", {"QueueResult": "leave"}, Dialled("no_answer")),
        ("transfer", {"QueueResult": "system-error"}, Dialled("failed")),
        ("held", {"DialCallStatus": "answered"}, Dialled("talked")),
        ("menu", {"Digits": "2"}, Chose("2")),
        ("menu", {"SpeechResult": "a person"}, Chose("", "a person")),
        ("menu", {"Digits": ""}, Chose()),
        ("voicemail", {"RecordingDuration": "12"}, Recorded(12)),
        ("voicemail", {"RecordingDuration": "-1"}, Recorded(0)),
        ("voicemail", {"RecordingDuration": "1e9"}, Recorded(0)),
        ("voicemail", {}, Recorded(0)),
        ("refer", {"ReferSipResponseCode": "202"}, Referred(True)),
        (
            "refer",
            {"ReferSipResponseCode": "202", "NotifySipResponseCode": "200"},
            Referred(True),
        ),
        (
            "refer",
            {"ReferSipResponseCode": "202", "NotifySipResponseCode": "486"},
            Referred(False),
        ),
        (
            "refer",
            {"ReferSipResponseCode": "202", "ReferCallStatus": "canceled"},
            Referred(False),
        ),
        ("refer", {"ReferSipResponseCode": "405"}, Referred(False)),
        ("refer", {}, Referred(False)),
    ],
)
def test_what_is_over_is_what_happened(
    stop: str, fields: dict[str, str], happening: Happening
) -> None:
    assert happened(Journey("house", stop=Stop(stop)), {}, fields) == happening


@pytest.mark.parametrize(
    ("end", "happening"),
    [("busy", Dialled("busy")), ("declined", Dialled("declined")), ("x", Dialled("failed"))],
)
def test_a_caller_who_is_brought_back_brings_the_reason(end: str, happening: Happening) -> None:
    journey = Journey("house", stop=Stop.HELD)
    assert happened(journey, {"end": end}, {"DialCallStatus": "completed"}) == happening


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({"Digits": "1"}, "accept"),
        ({"Digits": "2"}, "decline"),
        ({"Digits": "7"}, "decline"),
        ({"SpeechResult": "Accept."}, "accept"),
        ({"SpeechResult": "Yes, I'll take it"}, "accept"),
        ({"SpeechResult": "put them through"}, "accept"),
        ({"SpeechResult": "No."}, "decline"),
        ({"SpeechResult": "I can not accept that"}, "decline"),
        ({"SpeechResult": "decline"}, "decline"),
        ({"SpeechResult": "hello?"}, ""),
        ({"SpeechResult": ""}, ""),
        ({"Digits": ""}, ""),
        ({}, ""),
        (
            {"SpeechResult": "hi, yes, you have reached Ann, press one to leave a message"},
            "",
        ),
    ],
)
def test_a_person_takes_the_call_only_by_saying_so(fields: dict[str, str], choice: str) -> None:
    assert choice_of(fields) == choice


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("completed", "declined"),
        ("busy", "busy"),
        ("no-answer", "no_answer"),
        ("failed", "failed"),
        ("canceled", "no_answer"),
        ("ringing", None),
        ("", None),
    ],
)
def test_why_the_person_did_not_come(status: str, end: str | None) -> None:
    assert end_of({"CallStatus": status}) == end


def test_a_journey_begins_with_the_agents_plan_or_falls() -> None:
    plan = Plan("transfer", "desk", agent="colleague")
    begins = begun("house", "inbound", EndReason.HANDED_ON, plan.packed())
    assert begins == (Journey("colleague", to="desk"), Wanted("transfer", "desk"))
    fallen = (Journey("house", "outbound"), Fell())
    assert begun("house", "outbound", EndReason.HANDED_ON, "nonsense") == fallen
    assert begun("house", "outbound", EndReason.MODEL_FAILED, plan.packed()) == fallen
    assert begun("house", "outbound", None, "") == fallen


def test_a_url_of_nobodys_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        journey_of({"stop": "nowhere"})
    assert caught.value.status == 400
    for query in ({}, {"caller": ""}, {"caller": "CA1"}, {"caller": CALL + "/"}):
        with pytest.raises(RefusedError):
            caller_sid_of(query)
    assert caller_sid_of({"caller": CALL}) == CALL
