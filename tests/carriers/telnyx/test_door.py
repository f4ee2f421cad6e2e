"""Every mark comes back once and in its order, whether or not Telnyx returns those that a clear has
dropped; and a call's name is fit for files and keys."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from app.carriers.line import Frame
from app.carriers.telnyx.door import TelnyxLine, call_id_of
from app.carriers.telnyx.protocol import ProtocolViolation, TelnyxProtocol
from tests.carriers.telnyx.test_protocol import media, start


class Hears:
    def __init__(self) -> None:
        self.marks: list[str] = []
        self.heard: list[tuple[bytes, int]] = []
        self.over: list[str] = []

    def media(self, payload_b64: str, ulaw: bytes, timestamp_ms: int) -> None:
        self.heard.append((ulaw, timestamp_ms))

    def mark(self, name: str) -> None:
        self.marks.append(name)

    def key(self, digit: str) -> None:
        raise AssertionError("nobody presses a key here")

    def send(self, frames: Sequence[Frame]) -> None:
        raise AssertionError("nothing is kept back here")

    def carrier_closed(self, cause: Any, detail: str = "") -> None:
        self.over.append(cause)


@pytest.fixture
def line() -> TelnyxLine:
    protocol = TelnyxProtocol()
    protocol.receive(start())
    return TelnyxLine(protocol)


def back(line: TelnyxLine, call: Hears, *names: str) -> None:
    for name in names:
        line.receive(json.dumps({"event": "mark", "mark": {"name": name}}), call)


def fence(frames: Sequence[str]) -> str:
    assert json.loads(frames[0]) == {"event": "clear"}
    return str(json.loads(frames[1])["mark"]["name"])


@pytest.mark.parametrize("returned", [[], ["p0", "f0"], ["p0"]])
def test_marks_that_a_clear_dropped_are_told_by_the_mark_behind_it(
    line: TelnyxLine, returned: list[str]
) -> None:
    call = Hears()
    for name in ("s0", "p0", "f0"):
        line.mark(name)
    back(line, call, "s0")
    behind = fence(line.clear())
    line.mark("s1")
    back(line, call, *returned, behind, "s1")
    assert call.marks == ["s0", "p0", "f0", "s1"]


def test_two_clears_are_told_apart(line: TelnyxLine) -> None:
    call = Hears()
    line.mark("f0")
    first = fence(line.clear())
    line.mark("f1")
    second = fence(line.clear())
    back(line, call, first)
    assert call.marks == ["f0"]
    back(line, call, second, second, first)
    assert call.marks == ["f0", "f1"]


def test_frames_are_heard_in_their_order(line: TelnyxLine) -> None:
    call = Hears()
    for chunk in (1, 3, 2):
        line.receive(media(chunk), call)
    assert [timestamp_ms for _, timestamp_ms in call.heard] == [20, 40, 60]


def test_a_broken_frame_is_not_waited_with(line: TelnyxLine) -> None:
    with pytest.raises(ProtocolViolation):
        line.receive(media(payload="*"), Hears())


def test_the_end_is_told_by_a_stop_or_by_its_missing(line: TelnyxLine) -> None:
    call = Hears()
    line.closed(1000, call)
    assert not line.receive('{"event":"stop"}', call)
    assert call.over == ["lost", "hangup"]


def test_a_call_has_one_name_that_is_fit_for_files() -> None:
    assert call_id_of("v3:abc") == call_id_of("v3:abc") != call_id_of("v3:abd")
    assert re.fullmatch(r"TX[0-9a-f]{32}", call_id_of("v3:../../etc/passwd"))
