"""What was said, as heard: an agent's line holds only words that reached the caller."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.call.recent import Recent

INTERRUPTED = "[interrupted]"


Speaker: TypeAlias = Literal["caller", "agent"]


@dataclass(slots=True)
class Line:
    speaker: Speaker
    item_id: str
    at_ms: int
    """Call clock of the line's beginning."""
    text: str = ""
    """Caller: as transcribed. Agent: as received so far; once `final`, as heard."""
    unheard: str = ""
    """Agent: the words that were generated and never reached the caller."""
    interrupted: bool = False
    final: bool = False
    audio_start_ms: int | None = None
    audio_end_ms: int | None = None
    """Caller: where the turn lies on the caller axis; its end is None while it is being said."""

    def __str__(self) -> str:
        if not self.interrupted:
            return self.text
        return f"{self.text} {INTERRUPTED}".strip()


class Transcript:
    """The lines of a call in the order in which they began.

    `began` is told of each line when it begins.
    """

    def __init__(self, began: Callable[[Line], None] = lambda line: None) -> None:
        self.lines: list[Line] = []
        self._began = began
        self._by_item: Recent[Line] = Recent(256)
        """A caller's words may be transcribed long after they were said."""

    def caller_began(self, item_id: str, audio_start_ms: int, now_ms: int) -> None:
        """`audio_start_ms`: on the caller axis."""
        self._line("caller", item_id, now_ms).audio_start_ms = audio_start_ms

    def caller_ended(self, item_id: str, audio_end_ms: int) -> None:
        line = self._by_item.get(item_id)
        if line is not None:
            line.audio_end_ms = audio_end_ms

    def caller_carried(self, item_id: str, new_id: str) -> None:
        """What the caller is saying has another item now: another leg hears it from its start."""
        line = self._by_item.pop(item_id)
        if line is not None:
            line.item_id = new_id
            self._by_item.put(new_id, line)

    def caller_said(self, item_id: str, text: str, now_ms: int) -> None:
        """The transcript of a caller's turn; it may come long after the turn."""
        line = self._line("caller", item_id, now_ms)
        line.text, line.final = text.strip(), True

    def agent_says(self, item_id: str, text: str, now_ms: int) -> None:
        """A piece of what the agent is about to say."""
        line = self._line("agent", item_id, now_ms)
        if not line.final:
            line.text += text

    def agent_heard(self, item_id: str) -> None:
        """The caller heard this item to its end."""
        line = self._by_item.get(item_id)
        if line is not None and not line.final:
            line.text, line.final = line.text.strip(), True

    def agent_cut(self, item_id: str, heard: str, unheard: str) -> None:
        """The caller heard these words of what had come, and not the others."""
        line = self._by_item.get(item_id)
        if line is None or line.final:
            return
        line.text, line.unheard = heard, unheard
        line.interrupted = line.final = True

    def agent_broke_off(
        self, item_id: str, said: str, unsaid: str, *, played: bool = False
    ) -> None:
        """No more comes of this item than the sound of these words. Until that was `played` it may
        be cut. Where not a word was said the line does not count as begun."""
        line = self._by_item.get(item_id)
        if line is not None and not line.final:
            line.text, line.unheard, line.interrupted = said, unsaid, bool(said)
            line.final = played

    def agent_silent(self, item_id: str, *, interrupted: bool) -> None:
        """Nothing of this item ever came to sound."""
        line = self._by_item.get(item_id)
        if line is not None:
            self._silence(line, interrupted=interrupted)

    def line_of(self, item_id: str) -> Line | None:
        return self._by_item.get(item_id)

    @property
    def newest_of_agent(self) -> str:
        """What the agent said last, as heard or on its way."""
        said = (line.text for line in reversed(self.lines) if line.speaker == "agent" and line.text)
        return next(said, "")

    def close(self) -> None:
        """The call is over: what was neither heard nor cut by now was never heard."""
        for line in self.lines:
            if line.speaker == "agent":
                self._silence(line, interrupted=False)

    @staticmethod
    def _silence(line: Line, *, interrupted: bool) -> None:
        if not line.final:
            line.text, line.unheard = "", f"{line.text} {line.unheard}".strip()
            line.interrupted, line.final = interrupted, True

    def as_json(self) -> list[dict[str, object]]:
        return [
            {
                "speaker": line.speaker,
                "at_ms": line.at_ms,
                "text": str(line),
                "unheard": line.unheard,
                "interrupted": line.interrupted,
            }
            for line in self.lines
            if line.text or line.unheard or line.interrupted
        ]

    def _line(self, speaker: Speaker, item_id: str, now_ms: int) -> Line:
        line = self._by_item.get(item_id)
        if line is None:
            line = Line(speaker, item_id, now_ms)
            self._by_item.put(item_id, line)
            self.lines.append(line)
            self._began(line)
        return line
