"""Whatever value goes into a document comes out of Twilio's XML reader unchanged, or is refused
before it is sent."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio import twiml
from app.carriers.twilio.twiml import Speech, StreamPlan, TwimlValueError

XML_TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("\t\n\r\"'<>&]]>{}%#"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    ),
    max_size=200,
)


def plan(**parameters: str) -> StreamPlan:
    return StreamPlan(
        "wss://bot.example.com/twilio/media",
        "https://bot.example.com/twilio/stream-ended?agent=a&resumed=0",
        "https://bot.example.com/twilio/status",
        parameters,
    )


def element(document: str, path: str) -> ElementTree.Element:
    found = ElementTree.fromstring(document).find(path)
    assert found is not None
    return found


@given(value=XML_TEXT)
def test_parameters_and_addresses_come_back_as_they_were(value: str) -> None:
    document = twiml.inbound(plan(token=value))
    assert element(document, "Connect/Stream/Parameter").attrib == {"name": "token", "value": value}
    assert element(document, "Connect").attrib["action"] == plan().action_url


@given(message=XML_TEXT.filter(bool), voice=XML_TEXT.filter(bool))
def test_spoken_text_comes_back_as_it_was(message: str, voice: str) -> None:
    say = element(twiml.apology(Speech(message, voice)), "Say")
    assert (say.text, say.attrib["voice"]) == (message, voice)


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_refused_by_code_point(bad: str) -> None:
    expected = f"U\\+{ord(bad):04X}"
    with pytest.raises(TwimlValueError, match=expected):
        twiml.inbound(plan(token=f"secret{bad}"))
    with pytest.raises(TwimlValueError, match=expected) as caught:
        twiml.full(Speech(f"secret{bad}"))
    assert "secret" not in str(caught.value)


def test_a_parameter_of_499_characters_is_the_longest() -> None:
    document = twiml.resume(plan(name="v" * 495))
    assert len(element(document, "Connect/Stream/Parameter").attrib["value"]) == 495
    with pytest.raises(TwimlValueError, match="at most 499 characters"):
        twiml.resume(plan(name="v" * 496))


def test_a_parameter_needs_a_name() -> None:
    with pytest.raises(TwimlValueError, match="name"):
        twiml.outbound(plan(**{"": "v"}))


@pytest.mark.parametrize(
    "url", ["https://h/m", "/m", "wss:///m", "wss://h/m?token=t", "wss://h/m#t", "wss://h/m?"]
)
def test_a_media_url_that_twilio_would_not_open_as_written_is_refused(url: str) -> None:
    broken = StreamPlan(url, "https://h/a", "https://h/s", {})
    with pytest.raises(TwimlValueError, match="media"):
        twiml.inbound(broken)


def test_the_document_speaks_its_own_text_unless_told_another() -> None:
    assert "sorry" in (element(twiml.apology(Speech()), "Say").text or "")
    assert "busy" in (element(twiml.full(Speech()), "Say").text or "")
    say = element(twiml.apology(Speech("Entschuldigung.", "Polly.Vicki", "de-DE")), "Say")
    assert say.attrib == {"language": "de-DE", "voice": "Polly.Vicki"}
    assert "voice" not in element(twiml.apology(Speech()), "Say").attrib


def test_a_value_that_looks_like_a_template_is_only_text() -> None:
    document = twiml.inbound(plan(token="{{ action_url }}{% raw %}"))
    value = element(document, "Connect/Stream/Parameter").attrib["value"]
    assert value == "{{ action_url }}{% raw %}"
