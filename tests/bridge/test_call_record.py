"""What a call leaves on disk is readable by its owner alone and never overwrites another stream."""

import json
import stat
from pathlib import Path

from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, open_journal, write_timeline
from app.bridge.journal import read
from app.call.call import Call
from app.call.events import CarrierClosed, StreamStarted
from app.call.phases import CallSettings

SETTINGS = CallSettings()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_call_has_a_folder_of_its_own_that_only_its_owner_may_read(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, "CA1", "MZ1", SETTINGS)
    assert journal.path == tmp_path / "calls" / "CA1" / EVENTS_FILE
    assert mode(journal.path) == 0o600
    assert mode(journal.path.parent) == 0o700


def test_the_header_says_who_answers(tmp_path: Path) -> None:
    who = {"agent": "desk", "agent_version": "0123456789"}
    path = open_journal(tmp_path, "CA1", "MZ1", SETTINGS, who).path
    header = json.loads(path.read_text("utf-8").splitlines()[0])
    assert {name: header[name] for name in who} == who
    assert read(path)[0] == SETTINGS


def test_a_second_stream_of_a_call_keeps_the_log_of_the_first(tmp_path: Path) -> None:
    first = open_journal(tmp_path, "CA1", "MZ1", SETTINGS)
    before = first.path.read_bytes()
    second = open_journal(tmp_path, "CA1", "MZ2", SETTINGS)
    assert second.path.name == "events-MZ2.jsonl"
    assert first.path.read_bytes() == before


async def test_the_timeline_stands_beside_its_own_event_log(tmp_path: Path) -> None:
    call = Call(SETTINGS)
    call.handle(StreamStarted("CA1", "MZ1"), 0)
    call.handle(CarrierClosed("hangup"), 900)
    identity = {"call_id": "CA1", "stream_id": "MZ1", "direction": "inbound"}
    first = open_journal(tmp_path, "CA1", "MZ1", SETTINGS)
    path = await write_timeline(first, call, identity, {"recording": None})
    assert path == first.path.with_name(TIMELINE_FILE)
    assert mode(path) == 0o600
    record = json.loads(path.read_text("utf-8"))
    assert {name: record[name] for name in identity} == identity
    assert (record["end_reason"], record["ended_ms"]) == ("caller_hung_up", 900)
    assert record["transcript"] == []
    second = open_journal(tmp_path, "CA1", "MZ2", SETTINGS)
    again = await write_timeline(second, call, {**identity, "stream_id": "MZ2"}, {})
    assert again.name == "timeline-MZ2.json"
    assert json.loads(path.read_text("utf-8"))["stream_id"] == "MZ1"
