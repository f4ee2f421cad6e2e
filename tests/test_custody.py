"""One worker carries a call: it begins where the other one left it, and whoever lost it tells
nobody that it is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from app.after.intake import AfterCalls
from app.call.arrival import Arrival
from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import StreamStarted
from app.call.facts import CallFacts
from app.custody import Custody
from app.live import Live, open_live
from app.text.desk import CallOver, TextDesk

FACTS = CallFacts(from_number="+14155550133", to_number="+14155550199")
DRAINED = EndCall(EndReason.DRAINED)
HUNG_UP = EndCall(EndReason.CALLER_HUNG_UP)


@dataclass
class Told:
    """What `Custody` needs of `AfterCalls` and of `TextDesk`."""

    streams: list[str] = field(default_factory=list)
    remembered: list[CallOver] = field(default_factory=list)

    def stream_over(self, call: Call, end: EndCall, *, agent: str, direction: str) -> None:
        self.streams.append(f"over: {agent}, {direction}, {end.reason.value}")

    def stream_moved(self, call_id: str) -> None:
        self.streams.append("moved")

    async def remember_call(self, call: CallOver) -> None:
        self.remembered.append(call)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with open_live("", tmp_path, "w1") as live:
        yield live


def custody(live: Live | None) -> tuple[Custody, Told]:
    told = Told()
    return Custody(live, cast(AfterCalls, told), cast(TextDesk, told)), told


def carried() -> Call:
    call = Call()
    call.handle(StreamStarted("CA1", "MZ1"), 0)
    return call


async def close(one: Custody, end: EndCall, **facts: Any) -> None:
    known = CallFacts(**facts) if facts else FACTS
    arrival = Arrival(call_id="CA1", stream_id="MZ1", agent="house", facts=known)
    await one.before_close(arrival, carried(), end)


async def test_the_next_one_goes_on_from_where_the_call_was_left(live: Live) -> None:
    (one, _), (other, _) = custody(live), custody(live)
    assert await one.take_over("CA1") is None
    await close(one, DRAINED)
    left = await other.take_over("CA1")
    assert left is not None
    assert (left.call_id, left.moved) == ("CA1", True)


async def test_a_call_has_one_lease_for_as_long_as_it_is_carried(live: Live) -> None:
    one, _ = custody(live)
    await one.take_over("CA1")
    assert [call_id for call_id, _ in one.leases] == ["CA1"]
    await close(one, HUNG_UP)
    assert one.leases == []


async def test_whoever_lost_the_call_says_only_that(live: Live) -> None:
    (one, told), (other, others) = custody(live), custody(live)
    await one.take_over("CA1")
    await other.take_over("CA1")
    await close(one, HUNG_UP)
    assert (told.streams, told.remembered) == (["moved"], [])
    await close(other, HUNG_UP)
    assert others.streams == ["over: house, inbound, caller_hung_up"]


async def test_a_worker_alone_carries_what_it_is_given() -> None:
    one, told = custody(None)
    assert await one.take_over("CA1") is None
    assert (one.leases, one.observers) == ([], ())
    await one.saved()
    await close(one, HUNG_UP)
    assert told.streams == ["over: house, inbound, caller_hung_up"]


async def test_a_caller_who_may_write_next_is_remembered() -> None:
    one, told = custody(None)
    await close(one, HUNG_UP)
    [over] = told.remembered
    assert (over.agent, over.theirs, over.ours) == ("house", FACTS.from_number, FACTS.to_number)


@pytest.mark.parametrize(
    ("end", "caller"),
    [(EndCall(EndReason.CARRIER_LOST), FACTS.from_number), (HUNG_UP, "anonymous")],
    ids=["not over yet", "no number"],
)
async def test_nobody_else_is(end: EndCall, caller: str) -> None:
    one, told = custody(None)
    await close(one, end, from_number=caller, to_number=FACTS.to_number)
    assert told.remembered == []
    assert len(told.streams) == 1
