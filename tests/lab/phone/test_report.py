"""A call went as scripted only if every step ran, somebody ended it and nothing was reported."""

import pytest

from app.lab.phone.identity import CallIdentity
from app.lab.phone.media import StreamFault
from app.lab.phone.report import CallError, CallReport, StreamReport
from app.lab.phone.script import HangUp
from app.lab.phone.truth import Played

WHO = CallIdentity("CA1", "AC1", "+1", "+2", "inbound")


def report() -> CallReport:
    return CallReport(WHO, status="completed", ended_by="caller")


def test_nothing_wrong() -> None:
    assert report().as_scripted


@pytest.mark.parametrize("ended_by", ["limit", "error"])
def test_a_call_that_nobody_ended(ended_by: str) -> None:
    one = report()
    one.ended_by = "limit" if ended_by == "limit" else "error"
    assert not one.as_scripted


def test_a_step_that_was_not_reached() -> None:
    one = report()
    one.unfinished = (HangUp(),)
    assert not one.as_scripted


def test_an_error_or_a_fault_of_a_stream() -> None:
    one, other = report(), report()
    one.errors.append(CallError(11200, "", 0))
    fault = StreamFault(31951, "", 0.0)
    other.streams.append(StreamReport("MZ1", "", {}, 0, 0, "bot", Played(), (fault,), 0, 0, 0, 0))
    assert not one.as_scripted
    assert not other.as_scripted
    assert other.faults == [fault]
