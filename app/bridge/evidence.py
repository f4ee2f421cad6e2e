"""Gathers a call's evidence: what was disclosed and heard, decided, asked of tools, how it ended.

One chain (`app.records.chain`) for each stream of a call, beside its event log, written link by
link while the call runs: what a killed worker leaves is whole up to there, and not closed. What
tools were given and what came of them stands here as hashes only; the words are in the event log.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from app.call.call import Call
from app.call.commands import Command, RunTool, TakeLeg
from app.call.events import AudioReceived, Event, StreamStarted, TextReceived, ToolFinished
from app.call.timeline import Notice
from app.policy.decisions import Decision
from app.records.chain import BEGAN, CLOSED, Chain, last_hash

logger = logging.getLogger(__name__)

EVIDENCE_FILE: Final = "evidence.jsonl"
_HOT = (AudioReceived, TextReceived)


class Evidence:
    """One per stream. Belongs to one event loop; nothing here waits but `close`."""

    def __init__(
        self,
        path: Path,
        started: StreamStarted,
        unix_ms: Callable[[], int],
        *,
        key: bytes = b"",
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """`unix_ms`: the clock on the wall. Raises `OSError` where the file cannot be made."""
        self.path = path
        self._call_id = started.call_id
        self._unix_ms = unix_ms
        self._on_close = on_close
        self._ms = 0
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._chain = Chain(key, after=_head_before(path))
        path.touch(mode=0o600)
        self._tools: dict[str, str] = {}
        """Names of those that run, by their call's id."""
        self._told: dict[int, int] = {}
        """Notices that were told, by their place, and how much of them was heard then."""
        self._lines: list[bytes] = []
        self._writing: asyncio.Task[None] | None = None
        self._broken = False
        self.add(
            BEGAN,
            0,
            {
                "call": started.call_id,
                "stream": started.stream_id,
                "direction": started.direction,
                "agent": started.agent,
                "agent_version": started.agent_version,
                "resumed": started.resumed is not None,
            },
        )

    def add(self, kind: str, ms: int, what: Mapping[str, Any]) -> None:
        """A link of its own. `ms`: of the call's clock."""
        if self._broken:
            return
        self._lines.append(self._chain.link(kind, ms, self._unix_ms(), what))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def decided(self, decision: Decision) -> None:
        """Policy let something happen, or did not."""
        what = {
            "action": decision.action,
            "allowed": decision.allowed,
            "rule": decision.rule,
            "by": decision.by,
            "subject": decision.subject_masked,
        }
        self.add("decision", self._ms, what)

    def saw(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """Right after a step."""
        self._ms = now_ms
        if len(call.timeline.notices) > len(self._told):
            self._look_at_notices(call.timeline.notices, now_ms)
        if isinstance(event, _HOT):
            return
        if isinstance(event, ToolFinished):
            self._finished(event, now_ms)
        for command in commands:
            if isinstance(command, RunTool):
                self._tools[command.call_id] = command.name
                given = _hash(command.arguments)
                self.add("tool", now_ms, {"tool": command.name, "arguments_sha256": given})
            elif isinstance(command, TakeLeg):
                model = next(leg.model for leg in call.timeline.legs if leg.number == command.leg)
                self.add("model", now_ms, {"model": model, "cause": command.cause})

    async def close(self, call: Call) -> None:
        """The stream is over. Raises nothing: the log says what could not be written."""
        self._on_close()
        timeline = call.timeline
        ended_ms = timeline.ended_ms or 0
        self._look_at_notices(timeline.notices, ended_ms, over=True)
        reason = timeline.end_reason
        what = {"reason": str(reason), "fault": reason.fault} if reason is not None else {}
        self.add(CLOSED, ended_ms, what)
        while self._writing is not None and (self._lines or not self._writing.done()):
            await self._writing
            if self._lines and not self._broken:
                self._writing = asyncio.get_running_loop().create_task(self._write())

    def as_json(self) -> dict[str, object]:
        """For the record: with this, another chain in the place of this one is found."""
        return {"file": self.path.name, "links": self._chain.number, "head": self._chain.head}

    def _look_at_notices(self, notices: list[Notice], now_ms: int, *, over: bool = False) -> None:
        """Each is told when the caller hears no more of it, and again if that was an error."""
        for place, notice in enumerate(notices):
            if over:
                tells = self._told.get(place) != notice.heard_ms
            else:
                tells = place not in self._told and notice.to_ms is not None
            if tells:
                self._told[place] = notice.heard_ms
                self.add("notice", now_ms, _told(notice))

    def _finished(self, event: ToolFinished, now_ms: int) -> None:
        what: dict[str, Any] = {
            "tool": self._tools.pop(event.call_id, ""),
            "ok": event.ok,
            "output_sha256": _hash(event.output),
        }
        if event.effect is not None:
            what["effect"] = event.effect.kind
        if event.proof:
            what["proof"] = event.proof
        self.add("tool_result", now_ms, what)

    async def _write(self) -> None:
        while self._lines and not self._broken:
            lines, self._lines = self._lines, []
            try:
                await asyncio.to_thread(_append, self.path, b"".join(lines))
            except OSError as error:
                self._broken = True
                self._lines = []
                said = error.strerror or type(error).__name__
                fields = {"call": self._call_id, "error": said}
                logger.error("the call's evidence could not be written", extra={"fields": fields})


def evidence_path(journal: Path) -> Path:
    """Beside a stream's event log."""
    return journal.with_name(journal.name.replace("events", "evidence"))


def _told(notice: Notice) -> dict[str, Any]:
    whole = 0 < notice.length_ms <= notice.heard_ms and not notice.fault
    return {
        "text": notice.text,
        "by": notice.by,
        "from_ms": notice.from_ms,
        "to_ms": notice.to_ms,
        "heard_ms": notice.heard_ms,
        "length_ms": notice.length_ms,
        "heard_whole": whole,
    }


def _head_before(path: Path) -> str:
    """Of the newest chain of the call that lies here already."""
    others = path.parent.glob("evidence*.jsonl")
    newest = max(others, key=lambda other: other.stat().st_mtime_ns, default=None)
    return "" if newest is None else last_hash(newest.read_bytes())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _append(path: Path, lines: bytes) -> None:
    """On the disk when it returns."""
    with path.open("ab") as file:
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
