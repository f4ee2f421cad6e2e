"""Decisions are lines beside the call's record, for its user only, in order, and name nobody in the
log; a disk that fails harms nothing."""

import json
import logging
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.observe.call_lines import MOST_WAITING, CallLines
from app.observe.decisions import FILE, Decisions
from app.policy.decisions import Decision

AT = datetime(2026, 11, 21, tzinfo=UTC)


def decision(rule: str = "listed", call_id: str = "CA1") -> Decision:
    return Decision(AT, call_id, "answer", "…01", False, rule, "on the list", "us")


async def test_lines_stand_in_order_in_a_file_of_the_user(tmp_path: Path) -> None:
    lines = CallLines(tmp_path)
    decisions = Decisions(lines)
    for rule in ("one", "two", "three"):
        decisions.record(decision(rule))
        if rule == "two":
            await lines.written()
    await lines.written()
    path = tmp_path / "calls" / "CA1" / FILE
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["rule"] for line in kept] == ["one", "two", "three"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_the_log_says_that_and_not_whom(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Decisions(None).record(decision())
    (record,) = caplog.records
    assert record.getMessage() == "decided"
    assert "01" not in str(record.__dict__["fields"]).replace("CA1", "")


def test_who_follows_a_call_is_told_of_its_decisions() -> None:
    decisions = Decisions(None)
    told: list[Decision] = []
    decisions.follow("CA1", told.append)
    decisions.record(decision())
    decisions.record(decision(call_id="CA2"))
    decisions.unfollow("CA1", print)
    decisions.keep(decision("kept"))
    decisions.unfollow("CA1", told.append)
    decisions.record(decision())
    assert [each.rule for each in told] == ["listed", "kept"]


async def test_an_id_that_is_a_path_is_no_place(tmp_path: Path) -> None:
    lines = CallLines(tmp_path)
    lines.put("../../etc", FILE, "x")
    await lines.written()
    assert not os.listdir(tmp_path)


async def test_a_disk_that_fails_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "calls").write_text("a file where a folder should be")
    lines = CallLines(tmp_path)
    lines.put("CA1", FILE, "x")
    await lines.written()
    assert "could not be written" in caplog.text


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    lines = CallLines(tmp_path)
    for n in range(MOST_WAITING + 5):
        lines.put("CA1", FILE, str(n))
    await lines.written()
    assert lines.dropped == 5
    assert len((tmp_path / "calls" / "CA1" / FILE).read_text().splitlines()) == MOST_WAITING
