"""One MEDIA_START, then sound and events: whatever else comes is refused by kind, and is fatal
where the sound is not ours to carry or the peer speaks no chan_websocket."""

import pytest

from app.carriers.asterisk.protocol import (
    MOST_AUDIO_BYTES,
    MOST_IN_A_ROW,
    PbxProtocol,
    ProtocolViolation,
    ViolationKind,
)
from app.carriers.asterisk.wire import DtmfEnd, MediaStart
from app.lab.pbx.wire import Teller

TELL = Teller("1.1", "bot", "json")
START = TELL.start({})


def started() -> PbxProtocol:
    protocol = PbxProtocol()
    assert isinstance(protocol.receive(START), MediaStart)
    return protocol


def refused(protocol: PbxProtocol, frame: str | bytes) -> ProtocolViolation:
    with pytest.raises(ProtocolViolation) as refusal:
        protocol.receive(frame)
    return refusal.value


def test_sound_and_events_pass_behind_the_start() -> None:
    protocol = started()
    assert protocol.receive(b"\x7e" * 160) == b"\x7e" * 160
    assert protocol.receive(TELL.event("DTMF_END", digit="A")) == DtmfEnd("A")
    assert protocol.violations == {}


@pytest.mark.parametrize("frame", [b"\xff" * 160, TELL.event("MEDIA_XON")])
def test_nothing_comes_before_the_start(frame: str | bytes) -> None:
    refusal = refused(PbxProtocol(), frame)
    assert (refusal.kind, refusal.fatal) == (ViolationKind.BEFORE_START, True)


def test_a_second_start_is_fatal() -> None:
    refusal = refused(started(), START)
    assert (refusal.kind, refusal.fatal) == (ViolationKind.SECOND_START, True)


@pytest.mark.parametrize(
    ("field", "other"), [('"ulaw"', '"slin16"'), ('"ulaw"', '"alaw"'), (":160,", ":320,")]
)
def test_another_sound_is_refused_with_how_to_mend_it(field: str, other: str) -> None:
    refusal = refused(PbxProtocol(), START.replace(field, other))
    assert (refusal.kind, refusal.fatal) == (ViolationKind.WRONG_FORMAT, True)
    assert "c(ulaw)" in refusal.text


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("", ViolationKind.NOT_AN_EVENT),
        ("{", ViolationKind.NOT_AN_EVENT),
        ('{"event":"DTMF_END","x":' + "[" * 30_000, ViolationKind.NOT_AN_EVENT),
        ('{"event":5,"x":' + "[" * 30_000, ViolationKind.BAD_FIELDS),
        ('{"event":"DTMF_END","digit":"E"}', ViolationKind.BAD_FIELDS),
        ('{"event":"HELLO"}', ViolationKind.UNKNOWN_EVENT),
        ("{" * 70_000, ViolationKind.OVERSIZED),
        (b"", ViolationKind.EMPTY_AUDIO),
        (b"\xff" * (MOST_AUDIO_BYTES + 1), ViolationKind.OVERSIZED),
    ],
)
def test_a_bad_frame_is_dropped_and_counted(frame: str | bytes, kind: ViolationKind) -> None:
    protocol = started()
    refusal = refused(protocol, frame)
    assert (refusal.kind, refusal.fatal) == (kind, False)
    assert protocol.violations == {kind: 1}
    assert protocol.receive(b"\xff" * 160)


def test_a_peer_that_sends_nothing_but_garbage_is_given_up() -> None:
    protocol = started()
    fatal = [refused(protocol, "{").fatal for _ in range(MOST_IN_A_ROW)]
    assert fatal == [False] * (MOST_IN_A_ROW - 1) + [True]
