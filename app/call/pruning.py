"""Old audio in the model's memory, replaced by its words: in batches, and seldom.

Audio makes three to six times the tokens of its words, and every answer reads all of them again.
But whatever is changed in the memory is read without the vendor's cache from there on, once, so
single items are not worth it: a batch is replaced when enough has gathered. What was said in the
newest turns stays as it sounded. `python -m bench.cost` compares this with other policies.
Vendor facts: 10 audio tokens a second of the caller, 20 of the agent (OpenAI guide: costs).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.call.axis import BYTES_PER_MS
from app.call.recent import Recent
from app.call.transcript import Line, Speaker

CALLER_MS_PER_TOKEN = 100
AGENT_MS_PER_TOKEN = 50


@dataclass(frozen=True, slots=True)
class Replaced:
    """An item whose words may stand for its sound."""

    item_id: str
    speaker: Speaker
    text: str


class Pruner:
    """What the leg that carries the call remembers as sound. `tokens` 0: nothing is replaced."""

    def __init__(self, tokens: int, keep_turns: int) -> None:
        self.tokens = tokens
        self.keep_turns = keep_turns
        """So many of the caller's newest turns stay, with what was answered to them."""
        self._bytes: Recent[int] = Recent(512)
        """By item id: audio that this leg remembers."""

    def leg_taken(self) -> None:
        """A new leg was told words, and remembers no sound."""
        self._bytes = Recent(512)

    def sounded(self, item_id: str, n_bytes: int) -> None:
        """The leg spoke, or heard a turn of the caller."""
        if self.tokens:
            self._bytes.put(item_id, n_bytes + (self._bytes.get(item_id) or 0))

    def batch(self, log: Sequence[object]) -> list[Replaced]:
        """What to replace now; it is forgotten here. Empty while too little has gathered."""
        if not self.tokens:
            return []
        old = [line for line in _old(log, self.keep_turns) if self._bytes.get(line.item_id)]
        if sum(map(self._tokens_of, old)) < self.tokens:
            return []
        for line in old:
            self._bytes.pop(line.item_id)
        return [Replaced(line.item_id, line.speaker, str(line)) for line in old]

    def _tokens_of(self, line: Line) -> int:
        ms = (self._bytes.get(line.item_id) or 0) // BYTES_PER_MS
        return ms // (CALLER_MS_PER_TOKEN if line.speaker == "caller" else AGENT_MS_PER_TOKEN)


def _old(log: Sequence[object], keep_turns: int) -> list[Line]:
    """Lines with words that nobody will change any more, before the newest turns."""
    lines = [entry for entry in log if isinstance(entry, Line)]
    turns = [place for place, line in enumerate(lines) if line.speaker == "caller"]
    if len(turns) <= keep_turns:
        return []
    before = lines[: turns[-keep_turns]] if keep_turns else lines
    return [line for line in before if line.final and line.text]
