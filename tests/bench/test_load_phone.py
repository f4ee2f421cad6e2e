"""The phone opens the stream that the TwiML names, as Twilio would, and no other."""

import pytest

from app.lab.phone.twiml import TwimlError
from bench.load_phone import DialError, StreamOffer, read_offer

CONNECT = (
    b'<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="http://127.0.0.1/after">'
    b'<Stream url="ws://127.0.0.1:9/twilio/media?dropped=1">'
    b'<Parameter name="token" value="a&amp;b"/><Parameter name="agent" value=""/>'
    b"</Stream></Connect><Hangup/></Response>"
)


def test_the_stream_and_its_parameters_are_read_from_the_twiml() -> None:
    offer = read_offer(CONNECT, "text/xml")
    assert offer == StreamOffer("ws://127.0.0.1:9/twilio/media", {"token": "a&b", "agent": ""})


@pytest.mark.parametrize(
    "document", [b"<Response><Say>No room</Say></Response>", b"<Response/>", b""]
)
def test_a_refusal_is_told_as_one(document: bytes) -> None:
    with pytest.raises(DialError, match="Stream"):
        read_offer(document, "text/xml")


def test_what_is_no_twiml_is_the_bridges_fault() -> None:
    with pytest.raises(TwimlError):
        read_offer(b"<Response>", "text/xml")
