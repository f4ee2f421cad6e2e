"""What remains of a call on disk: its event log while it runs, its timeline when it is over."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from app.bridge.journal import Journal
from app.call.call import Call
from app.call.phases import CallSettings

EVENTS_FILE = "events.jsonl"
TIMELINE_FILE = "timeline.json"


def call_folder(data_dir: Path, call_id: str) -> Path:
    return data_dir / "calls" / call_id


def open_journal(
    data_dir: Path,
    call_id: str,
    stream_id: str,
    settings: CallSettings,
    who: Mapping[str, str] | None = None,
) -> Journal:
    """A call that comes back on a second stream keeps the first one's log. `who`: for its header,
    such as which agent answers."""
    folder = call_folder(data_dir, call_id)
    path = folder / EVENTS_FILE
    return Journal(folder / f"events-{stream_id}.jsonl" if path.exists() else path, settings, who)


def recording_path(data_dir: Path, call_id: str, stream_id: str) -> Path:
    return call_folder(data_dir, call_id) / f"recording-{stream_id}.wav"


def timeline_path(events: Path) -> Path:
    """Where the timeline of a stream will be, by the path of its event log."""
    return events.with_name(events.name.replace("events", "timeline")).with_suffix(".json")


async def write_timeline(
    journal: Journal,
    call: Call,
    identity: dict[str, str],
    beside: Mapping[str, dict[str, object] | None],
) -> Path:
    """Write the timeline and transcript beside the call's event log, whole or not at all.
    `beside`: what is known of its recording and its evidence; None where there is none.

    Raises `OSError`.
    """
    path = timeline_path(journal.path)
    record = {
        **identity,
        **call.timeline.as_json(),
        **beside,
        "transcript": call.transcript.as_json(),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)

    def write() -> None:
        unfinished = path.with_suffix(".part")
        unfinished.touch(mode=0o600)
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(path)

    await asyncio.to_thread(write)
    return path
