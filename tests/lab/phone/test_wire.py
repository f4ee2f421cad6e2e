"""Messages have exactly the documented shapes; what the bot sends is checked as Twilio would."""

import base64
import json

import pytest

from app.lab.phone.wire import (
    CONNECTED,
    InvalidMessage,
    StreamIdentity,
    Writer,
    read_bot_message,
)

SID = "MZ" + "0" * 32


@pytest.fixture
def writer() -> Writer:
    return Writer(StreamIdentity(SID, "CA1", "AC1"))


def test_connected_has_no_sequence_number() -> None:
    assert json.loads(CONNECTED) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def test_start_carries_strings_but_for_the_media_format(writer: Writer) -> None:
    assert json.loads(writer.start({"token": 'a"b'})) == {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": SID,
        "start": {
            "accountSid": "AC1",
            "streamSid": SID,
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": 'a"b'},
        },
    }


def test_each_message_after_start_is_numbered_and_media_has_its_own_count(writer: Writer) -> None:
    writer.start({})
    frame = bytes(range(160))
    first = json.loads(writer.media(frame, 0))
    assert first == {
        "event": "media",
        "sequenceNumber": "2",
        "streamSid": SID,
        "media": {
            "track": "inbound",
            "chunk": "1",
            "timestamp": "0",
            "payload": base64.b64encode(frame).decode(),
        },
    }
    assert json.loads(writer.dtmf("#")) == {
        "event": "dtmf",
        "sequenceNumber": "3",
        "streamSid": SID,
        "dtmf": {"track": "inbound_track", "digit": "#"},
    }
    assert json.loads(writer.mark('m"1')) == {
        "event": "mark",
        "sequenceNumber": "4",
        "streamSid": SID,
        "mark": {"name": 'm"1'},
    }
    second = json.loads(writer.media(frame, 20))
    assert (second["sequenceNumber"], second["media"]["chunk"]) == ("5", "2")
    assert json.loads(writer.stop()) == {
        "event": "stop",
        "sequenceNumber": "6",
        "streamSid": SID,
        "stop": {"accountSid": "AC1", "callSid": "CA1"},
    }


def test_what_a_bot_may_send_is_read_with_fields_that_nobody_asked_for() -> None:
    media = {"payload": base64.b64encode(b"\x00\xff").decode(), "track": "outbound", "chunk": 3}
    body = {"event": "media", "streamSid": SID, "media": media, "extra": [1]}
    message = read_bot_message(json.dumps(body), SID)
    assert message.media is not None
    assert message.media.payload == b"\x00\xff"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no json", "expected a media"),
        ("[]", "expected a media"),
        (b"\xff\xfe", "expected a media"),
        ('{"event":"hello","streamSid":"SID"}', "'hello'"),
        ('{"event":"clear"}', "got none"),
        ('{"event":"clear","streamSid":"MZ2"}', "another one"),
        ('{"event":"media","streamSid":"SID"}', "media.payload"),
        ('{"event":"media","streamSid":"SID","media":{"payload":""}}', "media.payload"),
        ('{"event":"media","streamSid":"SID","media":{"payload":"***"}}', "expected a media"),
        ('{"event":"media","streamSid":"SID","media":{"payload":7}}', "expected a media"),
        ('{"event":"mark","streamSid":"SID","mark":{"name":""}}', "mark.name"),
        ('{"event":"mark","streamSid":"SID","mark":{"name":5}}', "expected a media"),
    ],
)
def test_an_invalid_message_is_refused_with_what_was_expected(
    text: str | bytes, complaint: str
) -> None:
    wire = text.replace("SID", SID, 2) if isinstance(text, str) else text
    if isinstance(wire, str):
        wire = wire.replace("stream" + SID, "streamSid")
    with pytest.raises(InvalidMessage, match=complaint.replace("*", r"\*")):
        read_bot_message(wire, SID)
