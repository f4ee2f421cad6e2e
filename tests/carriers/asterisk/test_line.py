"""A PBX's socket tells a call what any carrier's does: sound with its base64, marks, keys, and
by the code of its close whether the caller hung up."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Literal

import pytest

from app.call.commands import EndCall
from app.call.endings import EndReason
from app.carriers.asterisk.line import PbxLine
from app.carriers.asterisk.protocol import PbxProtocol
from app.carriers.line import Frame
from app.lab.pbx.wire import Teller

TELL = Teller("1.1", "bot", "json")


class Hears:
    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.sent: list[Frame] = []

    def media(self, payload_b64: str, ulaw: bytes, timestamp_ms: int) -> None:
        assert b64decode(payload_b64) == ulaw
        self.told.append(("media", ulaw, timestamp_ms))

    def mark(self, name: str) -> None:
        self.told.append(("mark", name))

    def key(self, digit: str) -> None:
        self.told.append(("key", digit))

    def send(self, frames: Sequence[Frame]) -> None:
        self.sent += frames

    def carrier_closed(self, cause: Literal["hangup", "lost", "stalled"], detail: str = "") -> None:
        self.told.append((cause, detail))


@pytest.fixture
def line() -> PbxLine:
    protocol = PbxProtocol()
    protocol.receive(TELL.start({}))
    return PbxLine("AS1", protocol)


def test_a_call_is_told_what_the_pbx_tells(line: PbxLine) -> None:
    call = Hears()
    for _ in range(2):
        assert line.receive(b"\x7e" * 160, call)
    assert line.receive(TELL.event("DTMF_END", digit="5"), call)
    assert line.mark("e1") == ['{"command":"MARK_MEDIA","correlation_id":"1"}']
    assert line.receive(TELL.event("MEDIA_MARK_PROCESSED", correlation_id="1"), call)
    assert call.told == [
        ("media", b"\x7e" * 160, 0),
        ("media", b"\x7e" * 160, 20),
        ("key", "5"),
        ("mark", "e1"),
    ]


def test_what_was_kept_back_goes_out_when_the_pbx_takes_it(line: PbxLine) -> None:
    call = Hears()
    line.receive(TELL.event("MEDIA_XOFF"), call)
    assert list(line.audio(b"\x01" * 160)) == []
    line.receive(TELL.event("MEDIA_XON"), call)
    assert call.sent == [b"\x01" * 160]


def test_a_mark_that_nobody_sent_says_nothing(line: PbxLine) -> None:
    call = Hears()
    line.receive(TELL.event("MEDIA_MARK_PROCESSED", correlation_id="77"), call)
    line.receive(TELL.event("QUEUE_DRAINED"), call)
    line.receive(TELL.event("STATUS", queue_length=1), call)
    assert call.told == []


def test_a_refused_command_is_logged_once(line: PbxLine, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        line.receive(TELL.event("ERROR", error_text="no"), Hears())
    assert [record.message for record in caplog.records] == ["the PBX refused a command"]


@pytest.mark.parametrize(("code", "cause"), [(1000, "hangup"), (1001, "lost"), (1006, "lost")])
def test_the_close_says_whether_the_caller_hung_up(line: PbxLine, code: int, cause: str) -> None:
    call = Hears()
    line.closed(code, call)
    assert call.told[0][0] == cause


def test_the_last_word_hangs_up(line: PbxLine) -> None:
    end = EndCall(EndReason.AGENT_HUNG_UP)
    assert list(line.farewell(end)) == ['{"command":"HANGUP"}']
