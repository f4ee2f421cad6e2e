"""Timelines for tests: as `app.bridge.call_record` writes them, some of them large or odd."""

import json
from pathlib import Path
from typing import Any

from app.call.endings import EndReason
from app.call.events import Usage
from app.call.timeline import Ending, Interruption, Stamp, Timeline, ToolRun
from app.records.spool import Entry

CALLER, CALLED = "+15550100001", "+15550100002"
AT_MS = 1_800_000_000_000
EVIDENCE = {"file": "evidence.jsonl", "links": 2, "head": "b" * 64}


def timeline(call_id: str = "CA1", stream_id: str = "MZ1", **changed: Any) -> dict[str, Any]:
    """Two turns: the greeting, which is cut, and one with a tool."""
    told = Timeline()
    told.started_ms = 0
    told.leg_opened(1, 0, 5)
    told.leg_ready(1, "gpt-realtime-2.1", 300)
    told.leg_taken(1, "start", 310)
    first = told.begin("greeting")
    first.stamps = {Stamp.RESPONSE_REQUESTED: 310, Stamp.RESPONSE_CREATED: 400}
    first.stamp(Stamp.RESPONSE_DONE, 900)
    first.usage.append(Usage(input_text_tokens=100, output_audio_tokens=50, total_tokens=150))
    first.interruption = Interruption(700, 1_500, "fence")
    second = told.begin("caller")
    second.stamps = {Stamp.SPEECH_STARTED: 1_200, Stamp.RESPONSE_CREATED: 2_000}
    second.stamp(Stamp.RESPONSE_DONE, 2_600)
    second.ending = Ending("voice", "silence", 480, judge_usd=0.001)
    second.speech_ended_carrier_ms, second.first_played_carrier_ms = 1_700, 2_300
    second.tools.append(ToolRun("call_1", "book_table", 2_050, 2_090, True))
    second.usage.append(Usage(input_audio_tokens=80, output_text_tokens=9, total_tokens=89))
    told.close(EndReason.CALLER_HUNG_UP, "", 5_000)
    transcript = [
        line("agent", 450, "Good day, this [interrupted]", unheard="is Earshot", cut=True),
        line("caller", 1_250, "A table for four."),
        line("agent", 2_020, "It is booked."),
    ]
    return {
        **{"call_id": call_id, "stream_id": stream_id, "direction": "inbound"},
        **{"agent": "desk", "agent_version": "1a2b"},
        **told.as_json(),
        **{"recording": None, "evidence": EVIDENCE, "transcript": transcript},
        **changed,
    }


def line(speaker: str, at_ms: int, text: str, *, unheard: str = "", cut: bool = False) -> Any:
    return {
        **{"speaker": speaker, "at_ms": at_ms, "text": text},
        **{"unheard": unheard, "interrupted": cut},
    }


def entry(call_id: str = "CA1", stream_id: str = "MZ1", **changed: Any) -> Entry:
    given: dict[str, Any] = {
        **{"kind": "stream", "call_id": call_id, "stream_id": stream_id, "at_ms": AT_MS},
        **{"path": f"calls/{call_id}/timeline.json", "agent": "desk", "agent_version": "1a2b"},
        **{"caller": CALLER, "called": CALLED, **changed},
    }
    return Entry(**given)


def after_entry(call_id: str = "CA1", at_ms: int = AT_MS + 9_000) -> Entry:
    path = f"calls/{call_id}/after.json"
    return Entry(kind="after", call_id=call_id, at_ms=at_ms, path=path)


def after_record(call_id: str = "CA1", **changed: Any) -> dict[str, Any]:
    return {
        **{"call_id": call_id, "agent": "desk", "direction": "inbound", "duration_s": 6},
        **{"summary": "A table was booked.", "disposition": "booked"},
        **{"fields": {"guests": 4}, **changed},
    }


def chain() -> bytes:
    """What an evidence file looks like."""
    links = (f'{{"number":{n},"hash":"{head * 64}"}}\n' for n, head in ((1, "a"), (2, "b")))
    return "".join(links).encode()


def put_file(data_dir: Path, path: str, content: object) -> Path:
    """JSON, or a text as it is."""
    file = data_dir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    file.write_text(text, "utf-8")
    return file
