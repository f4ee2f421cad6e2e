"""A journal replays through a new heart to the same commands, and says where it does not."""

from pathlib import Path

import pytest

from app.bridge.journal import Journal, JournalError, read, replay
from app.call.call import Call
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    Event,
    ItemAdded,
    MarkEchoed,
    ModelReady,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
    Usage,
)
from app.call.phases import CallSettings
from app.call.playout import PlayoutSettings

SETTINGS = CallSettings(greeting="Say hello.", playout=PlayoutSettings(lead_ms=120))
EVENTS: list[tuple[int, Event]] = [
    (0, StreamStarted("CA1", "MZ1")),
    (20, CallerAudioBegan(5)),
    (300, ModelReady("sess_1", "gpt-realtime-2.1")),
    (400, ResponseCreated("resp_1", "create-1")),
    (410, ItemAdded("resp_1", "item_1", "message")),
    (420, AudioReceived("resp_1", "item_1", 4000)),
    (421, TextReceived("resp_1", "item_1", "Hello — how can I help?")),
    (430, RateLimits({"tokens": 10}, {"tokens": 1000})),
    (450, MarkEchoed("s0.0", 440, 460)),
    (600, SpeechStarted("item_2", 100, 600)),
    (650, MarkEchoed("f0", 640, 660)),
    (
        700,
        ResponseFinished(
            "resp_1", "cancelled", "turn_detected", "", (ToolCall("c", "i", "f", "{}"),), Usage(1)
        ),
    ),
    (710, ToolFinished("c", "{}")),
    (900, CarrierClosed("hangup")),
]


async def recorded(folder: Path) -> Path:
    path = folder / "calls" / "CA1" / "events.jsonl"
    journal, call = Journal(path, SETTINGS), Call(SETTINGS)
    for now_ms, event in EVENTS:
        journal.add(now_ms, event, call.handle(event, now_ms))
    await journal.close()
    return path


async def test_replays_to_the_same_commands(tmp_path: Path) -> None:
    call, difference, count = replay(await recorded(tmp_path))
    assert difference is None
    assert count == len(EVENTS)
    assert str(call.timeline.end_reason) == "caller_hung_up"


async def test_every_event_comes_back_equal(tmp_path: Path) -> None:
    settings, lines = read(await recorded(tmp_path))
    assert settings == SETTINGS
    assert [(now_ms, event) for _, now_ms, event, _ in lines] == EVENTS


async def test_a_changed_journal_is_told_apart_at_its_line(tmp_path: Path) -> None:
    path = await recorded(tmp_path)
    text = path.read_text()
    assert '"n_bytes":4000' in text
    path.write_text(text.replace('"n_bytes":4000', '"n_bytes":4800', 1))
    _, difference, _ = replay(path)
    assert difference is not None
    assert (difference.line, difference.event, difference.at_ms) == (7, "AudioReceived", 420)


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = await recorded(tmp_path)
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1"),
        ("{}\n", "line 1"),
        ('{"format":"other","settings":{}}\n', "expected format earshot-journal-1"),
    ],
)
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(text)
    with pytest.raises(JournalError, match=says):
        replay(path)


async def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = await recorded(tmp_path)
    path.write_text(path.read_text() + '{"t":1,"event":"Nothing","commands":[]}\n')
    with pytest.raises(JournalError, match=f"line {len(EVENTS) + 2}"):
        replay(path)
