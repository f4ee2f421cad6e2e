"""The conversation in order, as the next model session must know it.

What was said stands here as it was heard, beside the keys that were pressed and the tools that
ran. A summary may stand for the older part: `covered` says for how much of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.call.crew import Who
from app.call.events import Direction, Entry, Snapshot, ToolCall
from app.call.transcript import Line


@dataclass(slots=True)
class ToolUse:
    """A tool that the model called. `output` is None while it runs."""

    call_id: str
    item_id: str
    name: str
    arguments: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Pressed:
    """Keys, as the model was told of them."""

    item_id: str
    text: str


Logged: TypeAlias = Line | ToolUse | Pressed | Entry


class History:
    """`log` is shared with the transcript, which adds each line when it begins."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.summary = ""
        """What stands for the entries before `covered`; "" while nothing does."""
        self.covered = 0
        self._tools: dict[str, ToolUse] = {}
        """Those without an output yet."""

    def resume(self, snapshot: Snapshot) -> None:
        """Begin where another worker's call stopped."""
        self.summary = snapshot.summary
        for entry in snapshot.entries:
            if entry.kind == "tool" and entry.output is None:
                self.called(ToolCall(entry.call_id, entry.item_id, entry.name, entry.arguments))
            else:
                self.log.append(entry)

    def pressed(self, item_id: str, text: str) -> None:
        self.log.append(Pressed(item_id, text))

    def called(self, call: ToolCall) -> None:
        self._tools[call.call_id] = use = ToolUse(
            call.call_id, call.item_id, call.name, call.arguments
        )
        self.log.append(use)

    def returned(self, call_id: str, output: str) -> None:
        use = self._tools.pop(call_id, None)
        if use is not None:
            use.output = output

    def amended(self, call_id: str, output: str) -> None:
        """What came of a tool turned out to be something else."""
        for at, logged in enumerate(self.log):
            if isinstance(logged, ToolUse) and logged.call_id == call_id:
                logged.output = output
            elif isinstance(logged, Entry) and logged.kind == "tool" and logged.call_id == call_id:
                self.log[at] = replace(logged, output=output)

    @property
    def open_tools(self) -> list[ToolUse]:
        return list(self._tools.values())

    @property
    def words_awaited(self) -> bool:
        """A turn of the caller is over and its words have not come."""
        newest = self.log[-8:]
        return any(
            isinstance(e, Line) and not e.final and e.audio_end_ms is not None for e in newest
        )

    @property
    def wordless_from_ms(self) -> list[int]:
        """Where on the caller axis the newest turns begin whose words are not known."""
        lines = (e for e in self.log[-8:] if isinstance(e, Line) and not e.final)
        return [line.audio_start_ms for line in lines if line.audio_start_ms is not None]

    def summarised(self, summary: str, covered: int) -> None:
        """From now on `summary` stands for the first `covered` entries of the log."""
        self.summary, self.covered = summary, covered

    def entries(self, *, keep: int, most: int) -> tuple[Entry, ...]:
        """What follows the summary, and the last `keep` entries before it verbatim; `most` in all.

        A tool that still runs is always among them: its output will come.
        """
        first = max(0, self.covered - keep if self.covered else 0, len(self.log) - most)
        older = [use for use in self.log[:first] if isinstance(use, ToolUse) and use.output is None]
        return tuple(_entries([*older, *self.log[first:]]))

    def snapshot(
        self,
        *,
        call_id: str,
        direction: Direction,
        unanswered: bool,
        broke_off: bool,
        moved: bool,
        model: int,
        cost_usd: float,
        who: Who,
        keep: int,
        most: int,
    ) -> Snapshot:
        return Snapshot(
            call_id=call_id,
            direction=direction,
            summary=self.summary,
            entries=self.entries(keep=keep, most=most),
            unanswered=unanswered,
            broke_off=broke_off,
            moved=moved,
            model=model,
            cost_usd=cost_usd,
            agent=who.agent,
            language=who.language,
        )


def _entries(log: list[Logged]) -> Iterator[Entry]:
    for logged in log:
        match logged:
            case Entry():
                yield logged
            case Pressed():
                yield Entry("keys", logged.item_id, logged.text)
            case ToolUse():
                yield Entry(
                    "tool",
                    logged.item_id,
                    call_id=logged.call_id,
                    name=logged.name,
                    arguments=logged.arguments,
                    output=logged.output,
                )
            case Line():
                entry = _of_line(logged)
                if entry is not None:
                    yield entry


def _of_line(line: Line) -> Entry | None:
    """None for a line of which nothing was heard or that is only now being said."""
    text = str(line).strip()
    if text:
        return Entry(line.speaker, line.item_id, text)
    if line.speaker == "agent" or line.final or line.audio_end_ms is None:
        return None
    return Entry(
        "caller",
        line.item_id,
        audio_start_ms=line.audio_start_ms,
        audio_end_ms=line.audio_end_ms,
    )


def as_text(entries: tuple[Entry, ...]) -> str:
    """The conversation as plain text, for a model that reads no items."""
    names = {"caller": "Caller", "agent": "Agent", "keys": "Caller pressed", "tool": "Tool"}
    lines = []
    for entry in entries:
        said = entry.text
        if entry.kind == "tool":
            said = f"{entry.name} {entry.arguments} -> {entry.output or 'still running'}"
        if said:
            lines.append(f"{names[entry.kind]}: {said}")
    return "\n".join(lines)
