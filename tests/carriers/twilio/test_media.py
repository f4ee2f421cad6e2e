"""A media socket yields only messages that are in order and well formed; the rest is counted by
kind, dropped where the call can go on, and fatal where it cannot."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.twilio.media import (
    MOST_CHARACTERS,
    MOST_IN_A_ROW,
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaProtocol,
    ProtocolViolation,
    Start,
    Stop,
    ViolationKind,
)

SID = "MZ" + "0a" * 16
CALL = "CA" + "0b" * 16
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def start(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "accountSid": "AC" + "0c" * 16,
        "streamSid": SID,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "t"},
    }
    return {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": SID,
        "start": body | changes,
    }


def media(
    sequence: int = 2, audio: bytes = b"\xff" * 160, sid: str = SID, **changes: Any
) -> dict[str, Any]:
    body = {
        "track": "inbound",
        "chunk": "1",
        "timestamp": "20",
        "payload": b64encode(audio).decode(),
    }
    return {
        "event": "media",
        "sequenceNumber": str(sequence),
        "streamSid": sid,
        "media": body | changes,
    }


def mark(name: str = "m", sid: str = SID) -> dict[str, Any]:
    return {"event": "mark", "sequenceNumber": "3", "streamSid": sid, "mark": {"name": name}}


def dtmf(digit: str = "5") -> dict[str, Any]:
    body = {"track": "inbound_track", "digit": digit}
    return {"event": "dtmf", "sequenceNumber": "4", "streamSid": SID, "dtmf": body}


def stop(call_sid: str = CALL) -> dict[str, Any]:
    body = {"accountSid": "AC1", "callSid": call_sid}
    return {"event": "stop", "sequenceNumber": "9", "streamSid": SID, "stop": body}


def streaming() -> MediaProtocol:
    protocol = MediaProtocol()
    protocol.receive(json.dumps(CONNECTED))
    protocol.receive(json.dumps(start()))
    return protocol


def violation(protocol: MediaProtocol, frame: str | bytes | dict[str, Any]) -> ProtocolViolation:
    before = protocol.violations.total()
    with pytest.raises(ProtocolViolation) as caught:
        protocol.receive(json.dumps(frame) if isinstance(frame, dict) else frame)
    assert protocol.violations.total() == before + 1
    assert protocol.violations[caught.value.kind] > 0
    return caught.value


def test_a_whole_stream_in_documented_order() -> None:
    protocol = MediaProtocol()
    payload = b64encode(b"\x01\x02").decode()
    frames = [CONNECTED, start(), media(2, b"\x01\x02"), mark("g1:160"), dtmf("#"), stop()]
    assert [protocol.receive(json.dumps(frame)) for frame in frames] == [
        Connected(),
        Start(SID, CALL, "AC" + "0c" * 16, {"token": "t"}),
        Media(2, 20, payload, b"\x01\x02"),
        Mark("g1:160"),
        Dtmf("#"),
        Stop(CALL),
    ]
    assert not protocol.violations


@given(audio=st.binary(min_size=1, max_size=4000))
def test_a_frame_of_any_length_keeps_its_base64_and_its_bytes(audio: bytes) -> None:
    message = streaming().receive(json.dumps(media(2, audio)))
    assert isinstance(message, Media)
    assert message.audio == audio
    assert message.n_bytes == len(audio)
    assert message.payload == b64encode(audio).decode()


@pytest.mark.parametrize("frame", [start(), media(), mark(), dtmf(), stop()])
def test_nothing_may_come_before_connected(frame: dict[str, Any]) -> None:
    refused = violation(MediaProtocol(), frame)
    assert (refused.kind, refused.fatal) == (ViolationKind.BEFORE_START, True)


@pytest.mark.parametrize("frame", [media(), mark(), dtmf(), stop()])
def test_nothing_of_a_stream_may_come_before_its_start(frame: dict[str, Any]) -> None:
    protocol = MediaProtocol()
    protocol.receive(json.dumps(CONNECTED))
    refused = violation(protocol, frame)
    assert (refused.kind, refused.fatal) == (ViolationKind.BEFORE_START, True)


def test_a_second_connected_and_a_second_start_are_fatal() -> None:
    protocol = streaming()
    for frame, kind in [
        (CONNECTED, ViolationKind.SECOND_CONNECTED),
        (start(), ViolationKind.SECOND_START),
    ]:
        refused = violation(protocol, frame)
        assert (refused.kind, refused.fatal) == (kind, True)


@pytest.mark.parametrize(
    "connected", [CONNECTED | {"protocol": "Chat"}, CONNECTED | {"version": "2.0.0"}]
)
def test_another_protocol_is_fatal(connected: dict[str, Any]) -> None:
    refused = violation(MediaProtocol(), connected)
    assert (refused.kind, refused.fatal) == (ViolationKind.WRONG_PROTOCOL, True)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"streamSid": "MZother"}, ViolationKind.WRONG_STREAM),
        ({"tracks": ["inbound", "outbound"]}, ViolationKind.WRONG_TRACK),
        (
            {"mediaFormat": {"encoding": "audio/l16", "sampleRate": 8000, "channels": 1}},
            ViolationKind.WRONG_FORMAT,
        ),
        (
            {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}},
            ViolationKind.WRONG_FORMAT,
        ),
        (
            {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 2}},
            ViolationKind.WRONG_FORMAT,
        ),
    ],
)
def test_a_start_that_is_not_ours_to_serve_is_fatal(
    changes: dict[str, Any], kind: ViolationKind
) -> None:
    protocol = MediaProtocol()
    protocol.receive(json.dumps(CONNECTED))
    refused = violation(protocol, start(**changes))
    assert (refused.kind, refused.fatal) == (kind, True)


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"\x00\x01", ViolationKind.BINARY_FRAME),
        ("x" * (MOST_CHARACTERS + 1), ViolationKind.OVERSIZED),
        ("{", ViolationKind.NOT_JSON),
        ('{"event":"dtmf","x":' + "[" * 30_000, ViolationKind.NOT_JSON),
        ("\ud800", ViolationKind.NOT_JSON),
        ({"event": "applause"}, ViolationKind.UNKNOWN_EVENT),
        (media(timestamp="soon"), ViolationKind.BAD_FIELDS),
        (media(sid="MZother"), ViolationKind.WRONG_STREAM),
        (media(sid=""), ViolationKind.WRONG_STREAM),
        (mark(sid="MZother"), ViolationKind.WRONG_STREAM),
        (stop("CAother"), ViolationKind.WRONG_STREAM),
        (media(track="outbound"), ViolationKind.WRONG_TRACK),
        (media(audio=b""), ViolationKind.EMPTY_PAYLOAD),
        (media(payload="/w="), ViolationKind.BAD_PAYLOAD),
        (media(payload="/w==/w=="), ViolationKind.BAD_PAYLOAD),
        (media(payload="/w ="), ViolationKind.BAD_PAYLOAD),
        (media(payload="_w=="), ViolationKind.BAD_PAYLOAD),
        (media(payload="é"), ViolationKind.BAD_PAYLOAD),
        (dtmf("12"), ViolationKind.BAD_FIELDS),
        (dtmf("x"), ViolationKind.BAD_FIELDS),
    ],
)
def test_a_bad_frame_is_dropped_and_the_call_goes_on(
    frame: str | bytes | dict[str, Any], kind: ViolationKind
) -> None:
    protocol = streaming()
    refused = violation(protocol, frame)
    assert (refused.kind, refused.fatal) == (kind, False)
    assert isinstance(protocol.receive(json.dumps(media())), Media)


def test_a_frame_at_the_size_limit_is_read() -> None:
    frame = json.dumps(media())
    protocol = streaming()
    assert isinstance(protocol.receive(frame + " " * (MOST_CHARACTERS - len(frame))), Media)


@pytest.mark.parametrize("sequence", [5, 4])
def test_media_that_repeats_is_not_heard_twice(sequence: int) -> None:
    protocol = streaming()
    protocol.receive(json.dumps(media(5)))
    assert violation(protocol, media(sequence)).kind is ViolationKind.REPEATED
    assert isinstance(protocol.receive(json.dumps(media(6))), Media)


def test_a_bad_payload_does_not_use_up_its_sequence_number() -> None:
    protocol = streaming()
    violation(protocol, media(5, payload="?"))
    assert isinstance(protocol.receive(json.dumps(media(5))), Media)


def test_nothing_counts_after_stop() -> None:
    protocol = streaming()
    protocol.receive(json.dumps(stop()))
    for frame in (media(), mark(), start(), CONNECTED):
        refused = violation(protocol, frame)
        assert (refused.kind, refused.fatal) == (ViolationKind.AFTER_STOP, False)


def test_bad_frames_in_a_row_end_the_call_and_a_good_one_starts_the_count_again() -> None:
    protocol = streaming()
    for _ in range(MOST_IN_A_ROW - 1):
        assert not violation(protocol, "{").fatal
    protocol.receive(json.dumps(mark()))
    for _ in range(MOST_IN_A_ROW - 1):
        assert not violation(protocol, "{").fatal
    assert violation(protocol, "{").fatal
    assert protocol.violations[ViolationKind.NOT_JSON] == 2 * MOST_IN_A_ROW - 1


@given(frame=st.one_of(st.text(), st.binary(), st.from_regex(r'\{"event":"[a-z]+".*\}')))
def test_no_frame_whatever_breaks_the_socket(frame: str | bytes) -> None:
    protocol = streaming()
    with pytest.raises(ProtocolViolation):
        protocol.receive(frame)
    assert isinstance(protocol.receive(json.dumps(media())), Media)
