"""Invariant: a call whose telephone was late is held once more and then counts, so that a busy
machine neither hides a call nor counts it twice; the call's clock is read onto the machine's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from app.call.call import Call
from app.call.events import Event
from app.lab.phone.identity import CallIdentity
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import Script
from bench import turns_stage
from bench.turns_stage import LATE_MS, Act, Held, Watch, held_again, hold_all


def act(name: str) -> Act:
    return Act(name, Script(), Impairments())


def held(of: Act, lag_ms: float) -> Held:
    identity = CallIdentity("CA1", "AC1", "+15550100001", "+15550100002", "inbound")
    report = CallReport(identity, max_lag_ms=lag_ms)
    return Held(of, report, None, {}, [], Watch(), Path("none"))


async def test_a_late_call_is_held_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[list[str]] = []

    @asynccontextmanager
    async def round_(stages: Sequence[partial[object]]) -> AsyncIterator[list[Held]]:
        acts: list[Act] = [stage.args[0] for stage in stages]
        rounds.append([one.name for one in acts])
        yield [held(one, 1.0 if one.name == "quick" else LATE_MS + 1) for one in acts]

    monkeypatch.setattr(turns_stage, "side_by_side", round_)
    found = [one async for one in hold_all([act("late"), act("quick"), act("later")], at_once=2)]
    assert rounds == [["late", "quick"], ["later", "late"], ["later"]]
    assert [(one.act.name, one.again) for one in found] == [
        ("quick", False),
        ("late", True),
        ("later", True),
    ]


def test_what_was_held_again_is_told() -> None:
    assert held_again(0) == ""
    assert "3 of them" in held_again(3)


def test_the_calls_clock_is_read_by_its_quickest_step(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, call, event = Watch(), cast(Call, None), cast(Event, None)
    for machine_s, call_ms in ((50.100, 80), (50.200, 195), (50.900, 800)):
        monkeypatch.setattr("bench.turns_stage.time.monotonic", lambda now=machine_s: now)
        watch.step(call, event, [], call_ms)
    assert watch.monotonic_ms(1_000) == pytest.approx(51_005)
