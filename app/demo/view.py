"""The conversation as it happens, in the terminal: who speaks, what was heard, what was cut.

At a terminal a status line below shows who is speaking right now; elsewhere there are plain lines.
"""

import json
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.call.call import Call
from app.call.commands import Command, EndCall, RunTool, TruncateItem
from app.call.events import Event, ToolFinished
from app.call.transcript import INTERRUPTED, Line
from app.lab.phone.report import LineEvent

WIDTH = 96
_STYLES = {"caller": "bold cyan", "agent": "bold yellow", "tool": "bold magenta", "call": "dim"}


class View:
    """An observer of the heart and a listener of the telephone. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = 0
        self._now_ms = 0
        self._speaking: set[str] = set()
        self._tools: dict[str, tuple[int, RunTool]] = {}
        self._held: list[tuple[int, RunTool, ToolFinished]] = []
        """Tools that finished while the words before them were still being said."""
        self._told_latency: set[int] = set()
        self.truncated_ms: dict[str, int] = {}
        """What the model was told to remember, by item."""
        self._live: Live | None = None
        self._call: Call | None = None

    def __enter__(self) -> "View":
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._status,
                refresh_per_second=10,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def heard(self, event: LineEvent) -> None:
        """What the telephone tells: who makes a sound right now."""
        match event.kind:
            case "caller_started" | "bot_started":
                self._speaking.add("caller" if event.kind.startswith("caller") else "agent")
            case "caller_stopped" | "bot_stopped":
                self._speaking.discard("caller" if event.kind.startswith("caller") else "agent")
            case "error":
                self._say(event.at_ms, "call", f"the telephone reports an error: {event.text}")
            case _:
                pass

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """What the heart does."""
        self._now_ms, self._call = now_ms, call
        if isinstance(event, ToolFinished) and event.call_id in self._tools:
            self._held.append((*self._tools.pop(event.call_id), event))
        for command in commands:
            match command:
                case RunTool():
                    self._tools[command.call_id] = (now_ms, command)
                case TruncateItem():
                    self.truncated_ms[command.item_id] = command.audio_end_ms
                case _:
                    pass
        self._show_lines(call)
        self._show_tools(call)
        if commands and isinstance(commands[-1], EndCall):
            reason = commands[-1].reason.replace("_", " ")
            self._say(now_ms, "call", f"ended: {reason}")

    def _show_lines(self, call: Call) -> None:
        lines = call.transcript.lines
        while self._shown < len(lines):
            line = lines[self._shown]
            overtaken = line.speaker == "caller" and any(
                later.final for later in lines[self._shown + 1 :]
            )
            if not line.final and not overtaken:
                return
            self._shown += 1
            self._show_line(call, line)

    def _show_line(self, call: Call, line: Line) -> None:
        if line.speaker == "caller":
            self._say(line.at_ms, "caller", line.text or "(nothing understood)")
            return
        words = Text(line.text)
        if line.interrupted:
            words.append(f" {INTERRUPTED}".lstrip() if not line.text else f" {INTERRUPTED}", "bold")
        self._say(line.at_ms, "agent", words, *self._remarks(call, line))

    def _remarks(self, call: Call, line: Line) -> list[str]:
        turn = call.timeline.item(line.item_id)
        remarks = []
        latency_ms = turn.perceived_latency_ms
        if latency_ms is not None and turn.number not in self._told_latency:
            self._told_latency.add(turn.number)
            remarks.append(f"answered after {latency_ms} ms")
        if line.interrupted and turn.interruption is not None:
            cut = turn.interruption
            kept_ms = self.truncated_ms.get(line.item_id, 0)
            remarks.append(
                f"interrupted at {cut.percent} %; the model remembers {kept_ms} of "
                f"{cut.received_ms} ms"
            )
            if line.unheard:
                remarks.append(f"never heard: {_shortened(line.unheard)}")
        return remarks

    def _show_tools(self, call: Call) -> None:
        waiting = call.transcript.lines[self._shown :]
        while self._held:
            began_ms, command, finished = self._held[0]
            if any(line.at_ms <= began_ms for line in waiting):
                return
            del self._held[0]
            arguments, result = _fields(command.arguments), _fields(finished.output)
            self._say(began_ms, "tool", f"{command.name}({arguments})", f"returned {result}")

    def _say(self, at_ms: int, who: str, words: str | Text, *remarks: str) -> None:
        row = Table.grid(padding=(0, 2, 0, 0))
        row.width = min(WIDTH, self._console.width)
        row.add_column(width=7, justify="right", style="dim")
        row.add_column(width=6, style=_STYLES[who])
        row.add_column(ratio=1)
        row.add_row(_clock(at_ms), who, words)
        for remark in remarks:
            row.add_row("", "", Text(remark, style="dim"))
        self._console.print(row, highlight=False)

    def _status(self) -> RenderableType:
        """Who makes a sound right now, and the words on their way to the caller."""
        status = Text(f"{_clock(self._now_ms):>7}  ", style="dim")
        for who in ("caller", "agent"):
            speaking = who in self._speaking
            status.append("● " if speaking else "○ ", _STYLES[who] if speaking else "dim")
            status.append(f"{who}   ", _STYLES[who] if speaking else "dim")
        saying = self._saying()
        return (
            Group(status, Padding(Text(saying, "dim italic"), (0, 0, 0, 17))) if saying else status
        )

    def _saying(self) -> str:
        lines = self._call.transcript.lines[self._shown :] if self._call is not None else []
        return " ".join(line.text for line in lines if line.speaker == "agent").strip()


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms / 1000, 60)
    return f"{int(minutes)}:{seconds:04.1f}"


def _shortened(text: str, most: int = 160) -> str:
    return f"“{text}”" if len(text) <= most else f"“{text[:most].rsplit(' ', 1)[0]} …”"


def _fields(text: str) -> str:
    """A JSON object as `name=value, …`; anything else as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict):
        return text
    return ", ".join(f"{name}={json.dumps(v, ensure_ascii=False)}" for name, v in value.items())
