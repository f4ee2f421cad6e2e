"""`earshot replay` tells the same commands from others, and what cannot be replayed in one line."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.bridge.journal import Journal
from app.call.call import Call
from app.call.events import CallerAudioBegan, CarrierClosed, Event, ModelReady, StreamStarted
from app.call.phases import CallSettings
from app.cli import earshot

SETTINGS = CallSettings(greeting="Say hello.")
EVENTS: tuple[tuple[int, Event], ...] = (
    (0, StreamStarted("CA1", "MZ1")),
    (20, CallerAudioBegan(0)),
    (300, ModelReady("sess_1", "gpt-realtime-2.1")),
    (900, CarrierClosed("hangup")),
)


def replay(*arguments: str) -> Result:
    return CliRunner().invoke(earshot, ["replay", *arguments])


async def record(path: Path) -> Path:
    call, journal = Call(SETTINGS), Journal(path, SETTINGS)
    for now_ms, event in EVENTS:
        journal.add(now_ms, event, call.handle(event, now_ms))
    await journal.close()
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return asyncio.run(record(tmp_path / "earshot-data" / "calls" / "CA1" / "events.jsonl"))


@pytest.mark.parametrize("named", ["CA1", "earshot-data/calls/CA1/events.jsonl"])
def test_a_call_named_by_its_sid_or_its_file_gives_the_same_commands(
    recording: Path, named: str
) -> None:
    result = replay(named)
    assert result.exit_code == 0, result.output
    assert "same commands for all 4 events" in result.output
    assert "caller_hung_up" in result.output


def test_another_command_is_shown_with_its_line_and_both_versions(recording: Path) -> None:
    lines = recording.read_text().splitlines()
    record = json.loads(lines[3])
    names = [name for name, _ in record["commands"]]
    assert names == ["TakeLeg", "CreateResponse"]
    record["commands"][1][1]["instructions"] = "Say nothing."
    lines[3] = json.dumps(record)
    recording.write_text("\n".join(lines))
    result = replay("CA1")
    assert result.exit_code == 1
    assert "line 4" in result.output
    assert "ModelReady at 300 ms" in result.output
    assert "Say nothing." in result.output
    assert "Say hello." in result.output


def test_a_call_that_was_not_recorded_is_told_with_where_it_was_looked_for() -> None:
    result = replay("CA2")
    assert result.exit_code == 1
    assert "CA2/events.jsonl" in result.stderr


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, ""),
        (1, "no journal"),
        (1, '{"format":"another"}'),
        (1, '{"format":"earshot-journal-1","settings":{"greeting":7}}'),
        (2, "{"),
        (2, '{"event":"StreamStarted","with":{"call_id":"a","stream_id":"b"},"commands":[]}'),
        (2, '{"t":"soon","event":"DeadlineReached","commands":[]}'),
        (2, '{"t":0,"event":"Unheard","commands":[]}'),
        (2, '{"t":0,"event":"Mapping","commands":[]}'),
        (2, '{"t":0,"event":"StreamStarted","with":{"call_id":7},"commands":[]}'),
        (2, '{"t":0,"event":"DeadlineReached"}'),
    ],
)
def test_a_file_that_is_no_journal_is_told_in_one_line(
    recording: Path, line: int, text: str
) -> None:
    lines = recording.read_text().splitlines()
    lines[line - 1] = text
    recording.write_text("\n".join(lines))
    result = replay(str(recording))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    [said] = result.stderr.splitlines()
    assert "events.jsonl" in said


def test_an_empty_file_is_no_journal(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").touch()
    result = replay("events.jsonl")
    assert result.exit_code == 1
    assert "expected a journal's header" in result.stderr
