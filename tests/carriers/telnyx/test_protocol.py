"""One start, then what a stream holds: whatever else comes is refused by kind, and is fatal where
order or sound are not ours to carry."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.telnyx import wire
from app.carriers.telnyx.protocol import (
    MOST_IN_A_ROW,
    ProtocolViolation,
    TelnyxProtocol,
    ViolationKind,
    audio_of,
)

CONNECTED = '{"event":"connected","version":"1.0.0"}'
FORMAT = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}


def start(**format_: Any) -> str:
    body = {
        "user_id": "u",
        "call_control_id": "v3:abc-_~1",
        "client_state": None,
        "custom_parameters": {},
        "from": "+15550100001",
        "to": "+15550100002",
        "media_format": FORMAT | format_,
    }
    message = {"event": "start", "sequence_number": "1", "stream_id": "s-1", "start": body}
    return json.dumps(message)


def media(chunk: int = 1, payload: str = "/w==", track: str = "inbound") -> str:
    body = {"track": track, "chunk": str(chunk), "timestamp": str(20 * chunk), "payload": payload}
    return json.dumps({"event": "media", "stream_id": "s-1", "media": body})


def started() -> TelnyxProtocol:
    protocol = TelnyxProtocol()
    protocol.receive(CONNECTED)
    assert isinstance(protocol.receive(start()), wire.Start)
    return protocol


def refused(protocol: TelnyxProtocol, frame: str | bytes) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as refusal:
        protocol.receive(frame)
    return refusal.value


def test_a_stream_is_read_to_its_end() -> None:
    protocol = started()
    message = protocol.receive(media())
    assert isinstance(message, wire.Media)
    assert (message.media.chunk, message.media.timestamp, audio_of(message)) == (1, 20, b"\xff")
    assert protocol.receive('{"event":"dtmf","dtmf":{"digit":"#"}}') == wire.Dtmf(
        wire.DtmfBody("#")
    )
    assert isinstance(protocol.receive('{"event":"error","payload":{"code":1}}'), wire.Error)
    assert isinstance(protocol.receive('{"event":"stop","stop":{}}'), wire.Stop)
    assert refused(protocol, media()).fatal


@pytest.mark.parametrize(
    "frame", [media(), '{"event":"stop"}', '{"event":"mark","mark":{"name":"m"}}']
)
def test_nothing_comes_before_the_start(frame: str) -> None:
    refusal = refused(TelnyxProtocol(), frame)
    assert (refusal.kind, refusal.fatal) == (ViolationKind.OUT_OF_ORDER, True)


def test_a_second_start_is_fatal() -> None:
    assert refused(started(), start()).kind is ViolationKind.OUT_OF_ORDER


@pytest.mark.parametrize("other", [{"encoding": "PCMA"}, {"sample_rate": 16000}, {"channels": 2}])
def test_another_sound_is_refused_with_how_to_mend_it(other: dict[str, Any]) -> None:
    refusal = refused(TelnyxProtocol(), start(**other))
    assert (refusal.kind, refusal.fatal) == (ViolationKind.WRONG_FORMAT, True)
    assert "stream_bidirectional_codec=PCMU" in refusal.text


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"\xff", ViolationKind.BINARY_FRAME),
        ("x" * 70_000, ViolationKind.OVERSIZED),
        ("", ViolationKind.NOT_JSON),
        ("[]", ViolationKind.BAD_FIELDS),
        ('{"event":"telepathy"}', ViolationKind.UNKNOWN_EVENT),
        ('{"event":"connected","x":' + "[" * 30_000, ViolationKind.NOT_JSON),
        ('{"event":"dtmf","dtmf":5,"x":' + "[" * 30_000, ViolationKind.BAD_FIELDS),
        ('{"event":"dtmf","dtmf":{"digit":"42"}}', ViolationKind.BAD_FIELDS),
        (media(track="outbound"), ViolationKind.WRONG_TRACK),
    ],
)
def test_a_bad_frame_is_dropped_and_counted(frame: str | bytes, kind: ViolationKind) -> None:
    protocol = started()
    refusal = refused(protocol, frame)
    assert (refusal.kind, refusal.fatal, protocol.violations) == (kind, False, {kind: 1})
    protocol.receive(media())


@pytest.mark.parametrize("payload", ["*", ""])
def test_a_payload_that_is_none_is_refused(payload: str) -> None:
    message = started().receive(media(payload=payload))
    assert isinstance(message, wire.Media)
    with pytest.raises(ProtocolViolation):
        audio_of(message)


def test_a_peer_that_sends_nothing_but_garbage_is_given_up() -> None:
    protocol = started()
    fatal = [refused(protocol, "{").fatal for _ in range(MOST_IN_A_ROW)]
    assert fatal == [False] * (MOST_IN_A_ROW - 1) + [True]


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    protocol = TelnyxProtocol()
    try:
        protocol.receive(text)
    except ProtocolViolation:
        assert sum(protocol.violations.values()) == 1
