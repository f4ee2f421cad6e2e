"""Every shipped document is TwiML that Twilio knows: verbs, nesting and attributes are those of the
`twilio` package, and no verb stands where it would never be reached."""

import inspect
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from twilio.twiml import lower_camel  # type: ignore[import-untyped]
from twilio.twiml.voice_response import (  # type: ignore[import-untyped]
    Connect,
    Dial,
    Gather,
    Refer,
    Stream,
    VoiceResponse,
)

from app.carriers.twilio import onward_twiml, twiml
from app.policy.destination_rules import DestinationRules
from app.policy.destinations import By, Cleared, Purpose, judge
from app.shipped import shipped

PLAN = twiml.StreamPlan(
    "wss://bot.example.com/twilio/media",
    "https://bot.example.com/twilio/stream-ended",
    "https://bot.example.com/twilio/status",
    {"token": "t", "more": "m"},
)
SPEECH = twiml.Speech("Hello.", "Polly.Joanna", "en-GB")
NEXT = "https://bot.example.com/twilio/onward?stop=menu&rung=1"
SAYING = onward_twiml.Saying("Hello.", SPEECH)
CALL = "CA" + "0" * 32
RULES = DestinationRules(
    own_numbers=("+14155550199",),
    countries=("US",),
    sip_hosts=("pbx.example.com",),
    targets={},
)


def cleared(target: str = "+14155550100", purpose: Purpose = Purpose.TRANSFER) -> Cleared:
    """A destination as the policy gives it."""
    verdict = judge(RULES, target, purpose=purpose, by=By.OPERATOR)
    assert isinstance(verdict, Cleared), verdict
    return verdict


DOCUMENTS: dict[str, Callable[[], str]] = {
    "inbound": lambda: twiml.inbound(PLAN),
    "outbound": lambda: twiml.outbound(PLAN),
    "resume": lambda: twiml.resume(PLAN),
    "apology": lambda: twiml.apology(SPEECH),
    "blocked": lambda: twiml.blocked(SPEECH),
    "full": lambda: twiml.full(SPEECH),
    "queue": lambda: twiml.queue(SPEECH, "https://h/twilio/voice?a=1&b=2", 5, announce=True),
    "redirect": lambda: twiml.redirect("https://other.example.com/twiml?a=1&b=2"),
    "wait": lambda: twiml.wait("https://h/twilio/stream-ended?a=1&b=2", 5),
    "busy": twiml.busy,
    "hangup": twiml.hangup,
    "transfer": lambda: onward_twiml.transfer(
        SAYING, cleared(), action_url=NEXT, ring_s=20, caller_id="+14155550100", call_sid=CALL
    ),
    "refer": lambda: onward_twiml.refer(
        SAYING, cleared("sip:desk@pbx.example.com", Purpose.REFER), action_url=NEXT, call_sid=CALL
    ),
    "hold": lambda: onward_twiml.hold(
        SAYING, CALL, action_url=NEXT, status_url=NEXT, music="https://h/music.mp3"
    ),
    "whisper": lambda: onward_twiml.whisper(SAYING, action_url=NEXT, wait_s=10),
    "join": lambda: onward_twiml.join(CALL),
    "menu": lambda: onward_twiml.menu(SAYING, action_url=NEXT, wait_s=6, hints=("a", "b")),
    "voicemail": lambda: onward_twiml.voicemail(
        SAYING, action_url=NEXT, recording_url=NEXT, max_s=60
    ),
    "farewell": lambda: onward_twiml.farewell(SAYING),
}
CLASSES = {
    "Response": VoiceResponse,
    "Connect": Connect,
    "Stream": Stream,
    "Dial": Dial,
    "Refer": Refer,
    "Gather": Gather,
}
# In the package's signatures, but not in Twilio's public page on <Stream>.
UNDOCUMENTED = {"Stream": {"audioFormat", "sampleRate", "connectorName"}}


def attributes_of(parent: str, child: str) -> set[str]:
    """The attributes that the package knows for `child` inside `parent`."""
    method = getattr(CLASSES[parent], snake(child), None)
    assert method is not None, f"<{parent}> has no <{child}>"
    names = {
        lower_camel(name)
        for name, parameter in inspect.signature(method).parameters.items()
        if name not in ("self", "kwargs", "message")
    }
    return names - UNDOCUMENTED.get(child, set())


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def check(element: ElementTree.Element) -> None:
    for child in element:
        known = attributes_of(element.tag, child.tag)
        assert set(child.attrib) <= known, f"<{child.tag}> has no {set(child.attrib) - known}"
        if child.tag in CLASSES:
            check(child)
        else:
            assert len(child) == 0


def test_every_shipped_document_is_rendered_by_these_tests() -> None:
    files = {path.name.removesuffix(".xml.j2") for path in shipped("twiml").glob("*.xml.j2")}
    assert files == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_twilio_knows_every_verb_and_attribute(name: str) -> None:
    root = ElementTree.fromstring(DOCUMENTS[name]())
    assert (root.tag, root.attrib) == ("Response", {})
    assert len(root) > 0
    check(root)


@pytest.mark.parametrize(
    "document",
    [
        "<Response><Connect><Stream sampleRate='8000'/></Connect></Response>",
        "<Response><Connect colour='red'/></Response>",
        "<Response><Stream url='wss://h'/></Response>",
        "<Response><hangup2/></Response>",
        "<Response><Hangup reason='x'/></Response>",
    ],
)
def test_the_check_itself_finds_what_twilio_does_not_know(document: str) -> None:
    with pytest.raises(AssertionError):
        check(ElementTree.fromstring(document))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_declaration_comes_first_and_nothing_of_the_template_is_left(name: str) -> None:
    document = DOCUMENTS[name]()
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert not re.search(r"\{[{%#]|[}%#]\}", document)


@pytest.mark.parametrize("name", ["inbound", "outbound", "resume"])
def test_a_stream_is_asked_for_as_planned_and_nothing_follows_it(name: str) -> None:
    root = ElementTree.fromstring(DOCUMENTS[name]())
    assert [child.tag for child in root] == ["Connect"]
    connect = root[0]
    assert connect.attrib == {"action": PLAN.action_url, "method": "POST"}
    assert [child.tag for child in connect] == ["Stream"]
    assert connect[0].attrib == {
        "url": PLAN.media_url,
        "statusCallback": PLAN.status_url,
        "statusCallbackMethod": "POST",
    }
    assert [child.attrib for child in connect[0]] == [
        {"name": "token", "value": "t"},
        {"name": "more", "value": "m"},
    ]


@pytest.mark.parametrize("name", ["apology", "full"])
def test_an_apology_is_spoken_and_ends_the_call(name: str) -> None:
    root = ElementTree.fromstring(DOCUMENTS[name]())
    assert [child.tag for child in root] == ["Say", "Hangup"]
    assert root[0].text == "Hello."
    assert root[0].attrib == {"voice": "Polly.Joanna", "language": "en-GB"}


def test_busy_rejects_first_thing_and_hangup_only_hangs_up() -> None:
    busy, hangup = (ElementTree.fromstring(d()) for d in (twiml.busy, twiml.hangup))
    assert [(child.tag, child.attrib) for child in busy] == [("Reject", {"reason": "busy"})]
    assert [(child.tag, child.attrib) for child in hangup] == [("Hangup", {})]


def test_a_queue_tells_once_and_comes_back() -> None:
    first = ElementTree.fromstring(DOCUMENTS["queue"]())
    assert [child.tag for child in first] == ["Say", "Pause", "Redirect"]
    assert (first[0].text, first[1].attrib) == ("Hello.", {"length": "5"})
    later = ElementTree.fromstring(twiml.queue(SPEECH, "https://h/v", 7, announce=False))
    assert [child.tag for child in later] == ["Pause", "Redirect"]


@pytest.mark.parametrize("name", ["queue", "redirect", "wait"])
def test_a_redirect_is_the_last_verb_and_keeps_its_address(name: str) -> None:
    root = ElementTree.fromstring(DOCUMENTS[name]())
    assert root[-1].tag == "Redirect"
    assert root[-1].attrib == {"method": "POST"}
    assert (root[-1].text or "").endswith("?a=1&b=2")
