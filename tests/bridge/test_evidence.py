"""A call's evidence names what was heard, decided and done, in order, in a chain that is whole;
and a disk that fails harms nothing."""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bridge.evidence import EVIDENCE_FILE, Evidence, evidence_path
from app.call.call import Call
from app.call.commands import Command, RunTool
from app.call.events import AudioReceived, CarrierClosed, Effect, Event, StreamStarted, ToolFinished
from app.call.phases import CallSettings
from app.call.timeline import Notice
from app.policy.decisions import Decision
from app.records.chain import verify

AT = datetime(2026, 11, 22, tzinfo=UTC)
STARTED = StreamStarted("CA1", "MZ1", "outbound", agent="clerk", agent_version="v1")


class Play:
    """A call and its evidence, step by step."""

    def __init__(self, folder: Path, started: StreamStarted = STARTED, key: bytes = b"") -> None:
        self.call = Call(CallSettings())
        self.closed = 0
        path = folder / (EVIDENCE_FILE if started is STARTED else "evidence-MZ2.jsonl")
        self.evidence = Evidence(
            path, started, lambda: 1_795_000_000_000, key=key, on_close=self._close
        )
        self.call.handle(started, 0)

    def _close(self) -> None:
        self.closed += 1

    def step(self, event: Event, now_ms: int, *commands: Command) -> None:
        self.evidence.saw(self.call, event, list(commands), now_ms)

    async def end(self) -> None:
        self.call.handle(CarrierClosed("hangup"), 9_000)
        await self.evidence.close(self.call)


def kinds(path: Path, key: bytes = b"") -> list[str]:
    verdict = verify(path.read_bytes(), key)
    assert verdict.whole, verdict.faults
    return [link.kind for link in verdict.links]


async def test_links_stand_in_the_order_of_what_happened(tmp_path: Path) -> None:
    play = Play(tmp_path)
    notices = play.call.timeline.notices
    notices.append(Notice("You talk to a machine.", "recording", 100, None, 0, 1_500))
    play.step(CarrierClosed("hangup"), 200)
    notices[0].to_ms, notices[0].heard_ms = 1_600, 1_500
    play.step(AudioReceived("r", "i", 160), 1_600)
    play.step(CarrierClosed("hangup"), 2_000, RunTool("t1", "transfer", '{"to": "desk"}'))
    play.evidence.decided(Decision(AT, "CA1", "dial", "…01", False, "country", "no", "model"))
    play.step(ToolFinished("t1", "done", True, Effect("leave", "sealed plan")), 2_100)
    await play.end()
    path = play.evidence.path
    assert kinds(path) == ["began", "notice", "tool", "decision", "tool_result", "closed"]
    links = verify(path.read_bytes()).links
    assert links[0].what["agent_version"] == "v1"
    assert links[1].what["heard_whole"] is True
    assert (links[3].what["rule"], links[3].ms) == ("country", 2_000)
    assert (links[4].what["tool"], links[4].what["effect"]) == ("transfer", "leave")
    assert links[5].what == {"reason": "caller_hung_up", "fault": "nobody"}
    assert "desk" not in path.read_text()
    assert "sealed plan" not in path.read_text()
    assert play.closed == 1
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_notice_that_was_cut_short_is_not_whole(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.call.timeline.notices.append(Notice("You talk.", "model", 100, None, 700, 1_500))
    await play.end()
    link = verify(play.evidence.path.read_bytes()).links[1]
    assert (link.what["heard_ms"], link.what["heard_whole"]) == (700, False)


async def test_the_record_knows_the_last_hash(tmp_path: Path) -> None:
    play = Play(tmp_path)
    await play.end()
    verdict = verify(play.evidence.path.read_bytes())
    told = play.evidence.as_json()
    assert told == {"file": EVIDENCE_FILE, "links": 2, "head": verdict.head}


async def test_a_second_stream_goes_on_from_the_first(tmp_path: Path) -> None:
    first = Play(tmp_path)
    await first.end()
    second = Play(tmp_path, StreamStarted("CA1", "MZ2"))
    await second.end()
    began = json.loads(second.evidence.path.read_bytes().splitlines()[0])
    assert began["after"] == first.evidence.as_json()["head"]
    assert kinds(second.evidence.path) == ["began", "closed"]


async def test_with_a_key_only_the_key_verifies(tmp_path: Path) -> None:
    play = Play(tmp_path, key=b"0123456789abcdef")
    await play.end()
    assert kinds(play.evidence.path, b"0123456789abcdef")
    assert not verify(play.evidence.path.read_bytes()).whole


async def test_what_a_killed_worker_leaves_has_no_fault_and_is_open(tmp_path: Path) -> None:
    play = Play(tmp_path)
    await play.end()
    lines = play.evidence.path.read_bytes().splitlines(keepends=True)
    verdict = verify(b"".join(lines[:-1]))
    assert not verdict.faults
    assert not verdict.closed


async def test_a_disk_that_fails_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    play = Play(tmp_path)
    os.unlink(play.evidence.path)
    play.evidence.path.mkdir()
    with caplog.at_level(logging.ERROR):
        await play.end()
    assert [record.getMessage() for record in caplog.records] == [
        "the call's evidence could not be written"
    ]


def test_it_lies_beside_the_event_log() -> None:
    assert evidence_path(Path("calls/CA1/events.jsonl")).name == EVIDENCE_FILE
    assert evidence_path(Path("calls/CA1/events-MZ2.jsonl")).name == "evidence-MZ2.jsonl"
