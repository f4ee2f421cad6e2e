"""A journal replays through a new heart to the same commands, and says where it does not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from app.bridge.journal import Journal, JournalError, read, replay
from app.call.call import Call
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    DeadlineReached,
    Event,
    ItemAdded,
    KeyPressed,
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
from app.call.playout_settings import PlayoutSettings

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
        ("", "line 1: expected a journal's header, got an empty file"),
        ("{}\n", "line 1: expected a journal's header, got something else"),
        ("x = 1\n", "line 1: expected a journal's header: JSON is malformed"),
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


# Hidden keys

COLLECT = ToolCall("d", "i", "collect_digits", '{"min_digits":8,"max_digits":8,"masked":true}')
PIN = "83719264"


def with_a_pin(*, early: int = 0) -> list[tuple[int, Event]]:
    """A caller who presses so many keys of the PIN before the model has called the tool."""
    keys = [(600 + 100 * n, KeyPressed(key)) for n, key in enumerate(PIN)]
    asked = ResponseFinished("resp_1", "completed", tool_calls=(COLLECT,))
    return [
        (0, StreamStarted("CA1", "MZ1")),
        (300, ModelReady("sess_1", "gpt-realtime-2.1")),
        (400, ResponseCreated("resp_1")),
        *keys[:early],
        (1_400, asked),
        *[(at_ms + 1_000, key) for at_ms, key in keys[early:]],
        (9_000, CarrierClosed("hangup")),
    ]


def pressed(path: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return [record for record in records if record["event"] == "KeyPressed"]


async def kept(path: Path, events: list[tuple[int, Event]]) -> Path:
    """As the bridge keeps it."""
    journal, call = Journal(path, CallSettings()), Call()
    for now_ms, happened in events:
        commands, keypad = call.handle(happened, now_ms), call.keypad
        pressed_now = isinstance(happened, KeyPressed)
        event = KeyPressed(keypad.shown) if pressed_now else happened
        journal.hide_keys(keypad.take_to_hide())
        journal.add(now_ms, event, commands, held=keypad.undecided)
        await asyncio.sleep(0)
    await journal.close()
    return path


@pytest.mark.parametrize("early", [0, 3, 8])
@pytest.mark.parametrize("batch", [1, 500])
async def test_a_private_number_is_hidden_on_disk_and_replays_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, early: int, batch: int
) -> None:
    monkeypatch.setattr("app.bridge.journal.BATCH", batch)
    path = await kept(tmp_path / "events.jsonl", with_a_pin(early=early))

    keys = pressed(path)
    assert [key["with"] for key in keys] == [{"digit": "•"}] * 8
    assert all(key["masked"] is True for key in keys)
    assert not [digit for digit in PIN if f'"{digit}"' in path.read_text()]
    assert "SendToolOutput" in path.read_text()
    call, difference, count = replay(path)
    assert (difference, count) == (None, 13)
    assert not call.history.open_tools


async def test_keys_that_are_not_private_stand_there_as_they_were_pressed(tmp_path: Path) -> None:
    events: list[tuple[int, Event]] = [(0, StreamStarted("CA1", "MZ1"))]
    events += [(100, KeyPressed("4")), (2_000, DeadlineReached()), (2_001, KeyPressed("#"))]
    keys = pressed(await kept(tmp_path / "events.jsonl", events))

    assert [key["with"]["digit"] for key in keys] == ["4", "#"]
    assert not any("masked" in key for key in keys)


async def test_a_key_that_may_be_private_is_not_written_before_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bridge.journal.BATCH", 1)
    journal = Journal(tmp_path / "events.jsonl", SETTINGS)
    journal.add(0, KeyPressed("0"), [])
    for n in (1, 2):
        journal.add(n, KeyPressed(str(n)), [], held=True)
        await asyncio.sleep(0.05)
    assert [key["with"]["digit"] for key in pressed(journal.path)] == ["0"]

    journal.hide_keys(["•", "•"])
    journal.add(9, DeadlineReached(), [])
    await journal.close()
    assert [key["with"]["digit"] for key in pressed(journal.path)] == ["0", "•", "•"]


def test_where_no_key_is_to_be_hidden_no_line_is_looked_at(tmp_path: Path) -> None:
    class Unread(list[bytes]):
        def __getitem__(self, at: Any) -> Any:
            raise AssertionError(f"line {at} was read")

    journal = Journal(tmp_path / "events.jsonl", SETTINGS)
    journal._lines = Unread([b"line"] * 400)
    journal.hide_keys([])
    with pytest.raises(AssertionError, match="line 399"):
        journal.hide_keys(["•"])
