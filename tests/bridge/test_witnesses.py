"""Every step is seen by the recording, the event log and the observers, and none of them sees a
private key; when the call is over its record stands, or the log says why not."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from app.bridge import journal
from app.bridge.call_record import open_journal
from app.bridge.recording import Recording
from app.bridge.witnesses import Witnesses
from app.call.call import Call
from app.call.commands import Command
from app.call.events import (
    CarrierClosed,
    Event,
    KeyPressed,
    MarkEchoed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    ToolCall,
)
from app.call.phases import CallSettings

SETTINGS = CallSettings()
STARTED = StreamStarted("CA1", "MZ1", agent="desk", agent_version="0123", attempt_id="a-7")


class Tape:
    def __init__(self) -> None:
        self.told: list[str] = []

    def marked(self) -> None:
        self.told.append("marked")

    async def close(self) -> None:
        self.told.append("closed")

    def as_json(self) -> dict[str, object]:
        return {"told": list(self.told)}


class Observer:
    def __init__(self) -> None:
        self.seen: list[Event] = []

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        self.seen.append(event)


class Watched:
    """A call with a witness of each kind."""

    def __init__(self, folder: Path | None) -> None:
        self.call, self.tape, self.observer = Call(SETTINGS), Tape(), Observer()
        self.journal = None if folder is None else open_journal(folder, "CA1", "MZ1", SETTINGS)
        self.witnesses = Witnesses(
            self.call,
            STARTED,
            journal=self.journal,
            recording=cast("Recording", self.tape),
            observers=[self.observer],
        )

    async def steps(self, *events: Event) -> None:
        for now_ms, event in enumerate(events):
            self.witnesses.saw(event, self.call.handle(event, now_ms), now_ms)
            if self.journal is not None and self.journal._writing is not None:
                await self.journal._writing


async def test_the_record_says_whose_call_it_was_and_how_it_ended(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    await watched.steps(STARTED, MarkEchoed("p0.160", 0, 0), CarrierClosed("hangup"))
    await watched.witnesses.close()

    folder = tmp_path / "calls" / "CA1"
    record: dict[str, Any] = json.loads((folder / "timeline.json").read_text("utf-8"))
    assert (record["call_id"], record["stream_id"]) == ("CA1", "MZ1")
    assert (record["agent"], record["agent_version"]) == ("desk", "0123")
    assert record["attempt_id"] == "a-7"
    assert record["direction"] == "inbound"
    assert record["end_reason"] == "caller_hung_up"
    assert record["recording"] == {"told": ["marked", "closed"]}
    assert len((folder / "events.jsonl").read_text("utf-8").splitlines()) == 1 + 3
    assert len(watched.observer.seen) == 3


async def test_a_private_key_is_seen_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "BATCH", 1)
    watched = Watched(tmp_path)
    wanted = ToolCall("d1", "item-d1", "collect_digits", '{"min_digits": 4, "masked": true}')
    await watched.steps(
        STARTED,
        ModelReady("s", "m"),
        KeyPressed("5"),
        ResponseCreated("r1"),
        ResponseFinished("r1", "completed", tool_calls=(wanted,)),
        KeyPressed("7"),
        CarrierClosed("hangup"),
    )
    await watched.witnesses.close()

    assert KeyPressed("7") not in watched.observer.seen
    log = (tmp_path / "calls" / "CA1" / "events.jsonl").read_text("utf-8")
    keys = [line for line in log.splitlines() if '"event":"KeyPressed"' in line]
    assert len(keys) == 2
    assert not any('"5"' in line or '"7"' in line for line in keys)


async def test_a_call_without_a_log_closes_its_recording_all_the_same() -> None:
    watched = Watched(None)
    await watched.steps(STARTED, CarrierClosed("hangup"))
    await watched.witnesses.close()

    assert watched.tape.told == ["closed"]


async def test_a_record_that_cannot_be_written_is_an_error_in_the_log_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(tmp_path)
    await watched.steps(STARTED, CarrierClosed("hangup"))
    shutil.rmtree(tmp_path)
    with caplog.at_level(logging.ERROR):
        await watched.witnesses.close()

    assert [r.message for r in caplog.records] == ["the call's record could not be written"]
