"""Frames are read by shape and written as valid JSON, and complaints repeat no value of a frame."""

import json
from base64 import b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio import wire

SID = "MZ" + "0a" * 16


def media_frame(**changes: object) -> str:
    body = {"track": "inbound", "chunk": "2", "timestamp": "5", "payload": "/w=="} | changes
    return json.dumps(
        {"event": "media", "sequenceNumber": "4", "streamSid": SID, "media": body, "new": [1]}
    )


def complaint(text: str) -> tuple[str, str]:
    with pytest.raises(msgspec.DecodeError) as caught:
        wire.decode(text)
    return wire.malformed(text, caught.value)


def test_numbers_are_read_from_strings() -> None:
    message = wire.decode(media_frame(timestamp="5020"))
    assert isinstance(message, wire.MediaWire)
    assert (message.sequence_number, message.media.timestamp) == (4, 5020)


@pytest.mark.parametrize("number", ["-1", "1.5", "", " 5", "0x5", "９", None, True, "9" * 30])
def test_what_is_no_number_is_a_bad_field(number: object) -> None:
    kind, text = complaint(media_frame(timestamp=number))
    assert kind == "bad_fields"
    assert "$.media.timestamp" in text


@pytest.mark.parametrize("text", ["", "hello", '{"event":', "\x00"])
def test_text_that_is_not_json(text: str) -> None:
    assert complaint(text)[0] == "not_json"


def test_an_unknown_event_is_told_from_a_bad_one() -> None:
    assert complaint('{"event":"4155550100"}')[0] == "unknown_event"
    assert complaint('{"event":"mark"}')[0] == "bad_fields"
    assert complaint('{"name":"mark"}')[0] == "bad_fields"
    assert complaint("[]")[0] == "bad_fields"


@pytest.mark.parametrize(
    "text",
    [
        '{"event":"secret-7"}',
        '{"event":"mark","sequenceNumber":"secret-7","streamSid":"x","mark":{"name":"n"}}',
        '{"event":"dtmf","sequenceNumber":"1","streamSid":"x","dtmf":{"digit":"secret-7"}}',
        '{"event":"stop","sequenceNumber":"1","streamSid":"x","stop":{"callSid":"secret 7"}}',
    ],
)
def test_complaints_do_not_repeat_values(text: str) -> None:
    assert "7" not in complaint(text)[1]


@given(audio=st.binary(max_size=2000))
def test_media_is_written_as_json_that_carries_the_audio(audio: bytes) -> None:
    frame = json.loads(wire.encode_media(SID, audio))
    payload = frame["media"].pop("payload")
    assert frame == {"event": "media", "streamSid": SID, "media": {}}
    assert b64decode(payload, validate=True) == audio


@given(name=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_marks_are_written_with_any_name(name: str) -> None:
    expected = {"event": "mark", "streamSid": SID, "mark": {"name": name}}
    assert json.loads(wire.encode_mark(SID, name)) == expected


def test_clear_names_the_stream() -> None:
    assert json.loads(wire.encode_clear(SID)) == {"event": "clear", "streamSid": SID}


@pytest.mark.parametrize("sid", ['MZ"', "MZ\n", "", "MZ a", "M" * 65])
def test_a_stream_id_that_could_break_our_json_is_refused(sid: str) -> None:
    start = {
        "accountSid": "AC1",
        "callSid": "CA1",
        "streamSid": sid,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    frame = {"event": "start", "sequenceNumber": "1", "streamSid": sid, "start": start}
    assert complaint(json.dumps(frame))[0] == "bad_fields"
