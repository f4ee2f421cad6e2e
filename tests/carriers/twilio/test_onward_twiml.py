"""Nobody is rung whom the policy has not cleared for just that, and what the documents say is what
Twilio needs to go on."""

from xml.etree import ElementTree

import pytest

from app.carriers.twilio import onward_twiml
from app.carriers.twilio.onward_twiml import Saying
from app.carriers.twilio.twiml import Speech, TwimlValueError
from app.policy.destination_rules import DestinationRules
from app.policy.destinations import By, Cleared, Purpose, judge

NEXT = "https://bot.example.com/twilio/onward?stop=menu&rung=1"
CALL = "CA" + "0c" * 16
SAYING = Saying("Hello.", Speech("", "Polly.Joanna", "en-GB"))
SILENT = Saying("", Speech("", "Polly.Joanna", "en-GB"))
RULES = DestinationRules(
    countries=("US",),
    sip_hosts=("pbx.example.com",),
    sip_headers=("X-Order",),
    clients=("anna",),
    queues=("sales",),
    targets={},
)


def cleared(target: str, purpose: Purpose = Purpose.TRANSFER) -> Cleared:
    verdict = judge(RULES, target, purpose=purpose, by=By.OPERATOR)
    assert isinstance(verdict, Cleared)
    return verdict


def transfer(target: str, caller_id: str = "", saying: Saying = SAYING) -> ElementTree.Element:
    text = onward_twiml.transfer(
        saying, cleared(target), action_url=NEXT, ring_s=20, caller_id=caller_id, call_sid=CALL
    )
    return ElementTree.fromstring(text)


@pytest.mark.parametrize(
    ("target", "noun", "text"),
    [
        ("+14155550100", "Dial/Number", "+14155550100"),
        ("sip:desk@pbx.example.com", "Dial/Sip", "sip:desk@pbx.example.com"),
        (
            "sip:desk@pbx.example.com?X-Order=4%2611",
            "Dial/Sip",
            "sip:desk@pbx.example.com?X-Order=4%2611",
        ),
        ("client:anna", "Dial/Client", "anna"),
        ("queue:sales", "Enqueue", "sales"),
    ],
)
def test_each_kind_is_reached_in_its_own_way(target: str, noun: str, text: str) -> None:
    root = transfer(target)
    found = root.find(noun)
    assert found is not None
    written = (found.text or "").strip()
    assert written.startswith(text) if noun == "Dial/Sip" else written == text
    asks = root[-1]
    assert (asks.attrib["action"], asks.attrib["method"]) == (NEXT, "POST")


def test_the_carriers_voice_speaks_first_where_there_is_something_to_say() -> None:
    assert [verb.tag for verb in transfer("+14155550100")] == ["Say", "Dial"]
    assert [verb.tag for verb in transfer("+14155550100", saying=SILENT)] == ["Dial"]


@pytest.mark.parametrize(
    ("caller_id", "shown"),
    [("+14155550199", "+14155550199"), ("", None), ("sip:bot@x", None), ("anonymous", None)],
)
def test_only_a_number_is_shown(caller_id: str, shown: str | None) -> None:
    assert transfer("+14155550100", caller_id)[-1].attrib.get("callerId") == shown


def test_what_was_cleared_for_something_else_is_refused() -> None:
    number = cleared("+14155550100", Purpose.DIAL)
    sip = cleared("sip:desk@pbx.example.com", Purpose.TRANSFER)
    with pytest.raises(TwimlValueError, match="cleared for a transfer"):
        onward_twiml.transfer(
            SAYING, number, action_url=NEXT, ring_s=20, caller_id="", call_sid=CALL
        )
    with pytest.raises(TwimlValueError, match="cleared for a refer"):
        onward_twiml.refer(SAYING, sip, action_url=NEXT, call_sid=CALL)


def test_what_was_never_cleared_is_refused() -> None:
    for made_up in ("+14155550100", None, object()):
        with pytest.raises(TwimlValueError, match="expected a destination"):
            onward_twiml.transfer(
                SAYING,
                made_up,  # type: ignore[arg-type]
                action_url=NEXT,
                ring_s=20,
                caller_id="",
                call_sid=CALL,
            )


@pytest.mark.parametrize("room", ["", "CA1", CALL + "x", CALL + "\n", f"{CALL}</Conference>"])
def test_a_room_is_of_one_call(room: str) -> None:
    assert onward_twiml.room_of(CALL) == f"earshot-{CALL}"
    with pytest.raises(TwimlValueError, match="expected the CallSid"):
        onward_twiml.join(room)
    with pytest.raises(TwimlValueError, match="expected the CallSid"):
        onward_twiml.hold(SAYING, room, action_url=NEXT, status_url=NEXT, music="")


def test_both_meet_in_the_same_room_which_closes_with_either() -> None:
    holding = onward_twiml.hold(SAYING, CALL, action_url=NEXT, status_url=NEXT, music="")
    rooms = [
        ElementTree.fromstring(text).find("Dial/Conference")
        for text in (holding, onward_twiml.join(CALL))
    ]
    assert [room.text for room in rooms if room is not None] == [f"earshot-{CALL}"] * 2
    attributes = [room.attrib for room in rooms if room is not None]
    assert [a["startConferenceOnEnter"] for a in attributes] == ["false", "true"]
    assert [a["endConferenceOnExit"] for a in attributes] == ["true", "true"]
    assert "waitUrl" not in attributes[0], "an empty one would be silence"


def test_every_key_of_a_menu_is_a_choice() -> None:
    text = onward_twiml.menu(SAYING, action_url=NEXT, wait_s=6, hints=("a", "b"))
    gather = ElementTree.fromstring(text).find("Gather")
    assert gather is not None
    assert gather.attrib["finishOnKey"] == "", "# would end the input with nothing entered"
    assert gather.attrib["actionOnEmptyResult"] == "true"
    assert gather.attrib["hints"] == "a, b"


@pytest.mark.parametrize("words", ["a & b", "<Hangup/>", "\"'", "ä €"])
def test_words_stay_words(words: str) -> None:
    root = ElementTree.fromstring(onward_twiml.farewell(Saying(words, SAYING.speech)))
    assert [verb.tag for verb in root] == ["Say", "Hangup"]
    assert (root[0].text or "").strip() == words
