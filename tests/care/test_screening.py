"""Who is not let in meets what the operator wants, the decision is kept with its rule, and whoever
nothing is known of is let in."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.care.blocklist import BlockFile
from app.care.callers import caller_of
from app.care.screening import Screener, ScreenSettings
from app.carriers.twilio.door import IN, OfferedCall, Screening
from app.policy.decisions import Decision

CALLER = "+15550100001"


@dataclass
class Blocks:
    blocked: set[str] = field(default_factory=set)
    counted: list[str] = field(default_factory=list)
    remembered: list[tuple[str, str, str]] = field(default_factory=list)

    async def find(self, digest: str) -> object | None:
        return digest if digest in self.blocked else None

    async def called(self, digest: str, call_id: str, window_s: int) -> int:
        self.counted.append(digest)
        return self.counted.count(digest)

    def remember(self, call_id: str, digest: str, shown: str) -> None:
        self.remembered.append((call_id, digest, shown))


@dataclass
class Kept:
    decisions: list[Decision] = field(default_factory=list)

    def record(self, decision: Decision) -> None:
        self.decisions.append(decision)


def call(number: str = CALLER, *, inbound: bool = True) -> OfferedCall:
    return OfferedCall("CA1", "clerk", "inbound" if inbound else "outbound", number, "+15550100009")


@pytest.fixture
def kept() -> Iterator[Kept]:
    yield Kept()


async def test_nobody_is_screened_out_without_a_reason(kept: Kept) -> None:
    screen = Screener(ScreenSettings(), None, None, kept)
    assert await screen(call()) == await screen(call("")) == IN
    assert kept.decisions == []


async def test_a_listed_caller_meets_the_answer_and_the_decision_names_its_rule(
    tmp_path: Path, kept: Kept
) -> None:
    path = tmp_path / "blocked.txt"
    path.write_text(CALLER)
    screen = Screener(ScreenSettings(blocked="message"), BlockFile(path), None, kept)
    assert await screen(call()) == Screening("message", "listed")
    assert await screen(call("+15550100002")) == IN
    (decision,) = kept.decisions
    assert (decision.action, decision.rule, decision.allowed) == ("answer", "listed", False)
    assert "0100001" not in decision.as_json
    assert decision.subject_masked == "…01"


async def test_a_blocked_caller_is_found_by_the_digest(kept: Kept) -> None:
    blocks = Blocks({caller_of(CALLER).digest})
    screen = Screener(ScreenSettings(), None, blocks, kept)
    assert await screen(call()) == Screening("busy", "blocked")
    assert blocks.remembered == [("CA1", caller_of(CALLER).digest, "…01")]


async def test_anonymous_callers_are_as_the_operator_wants(kept: Kept) -> None:
    screen = Screener(ScreenSettings(anonymous="reject"), None, Blocks(), kept)
    assert await screen(call("Anonymous")) == Screening("busy", "anonymous")
    assert await screen(call()) == IN
    assert kept.decisions[0].subject_masked == "anonymous"


async def test_too_many_calls_from_one_number_meet_the_busy_tone(kept: Kept) -> None:
    settings = ScreenSettings(blocked="message", most_calls=2)
    screen = Screener(settings, None, Blocks(), kept)
    answers = [(await screen(call())).answer for _ in range(4)]
    assert answers == ["in", "in", "busy", "busy"]
    assert await screen(call("+15550100002")) == IN


async def test_calls_that_we_place_are_not_looked_at(kept: Kept) -> None:
    blocks = Blocks({caller_of(CALLER).digest})
    screen = Screener(ScreenSettings(most_calls=1), None, blocks, kept)
    assert await asyncio.gather(*(screen(call(inbound=False)) for _ in range(5))) == [IN] * 5
    assert blocks.remembered == []
