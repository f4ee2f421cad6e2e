"""What the leg that carries the call remembers, and how it is put right there.

Items that this leg spoke are truncated or deleted (memory.py). Items that it was told as text,
because another leg spoke them, cannot be truncated: they are rewritten to what was heard. What
neither is true of, this leg does not know.
"""

from collections.abc import Sequence

from app.call.axis import BYTES_PER_MS
from app.call.commands import Command, DeleteItem, RewriteItem, TruncateItem
from app.call.events import Entry
from app.call.history import Logged
from app.call.pruning import Pruner
from app.call.recent import Recent
from app.call.transcript import Speaker, Transcript

NOBODY = 0
"""The leg of phrases that no model spoke."""


class LegMemory:
    """One per call. `transcript` is only read."""

    def __init__(self, transcript: Transcript, pruner: Pruner) -> None:
        self._transcript = transcript
        self._pruner = pruner
        self._leg = 0
        self._told: set[str] = set()
        """Items of other legs that this one was told."""
        self._spoken_by: Recent[int] = Recent(256)
        """By item id the leg that spoke it."""
        self._rewrites = 0

    def taken(self, leg: int, entries: tuple[Entry, ...]) -> None:
        """Another leg carries the call, and was told these."""
        self._leg, self._told = leg, {entry.item_id for entry in entries}
        self._pruner.leg_taken()

    def lost(self) -> None:
        """No leg carries the call."""
        self._leg = 0

    def sounded(self, item_id: str, n_bytes: int) -> None:
        self._spoken_by.put(item_id, self._leg)
        self._pruner.sounded(item_id, n_bytes)

    def heard(self, item_id: str, ms: int) -> None:
        """The leg heard a turn of the caller."""
        self._pruner.sounded(item_id, ms * BYTES_PER_MS)

    def said_by_nobody(self, item_id: str) -> None:
        """A phrase of ours: it sounds without any model's knowledge."""
        self._spoken_by.put(item_id, NOBODY)

    def told(self, item_id: str) -> None:
        """The leg was told of a phrase of ours."""
        self._told.add(item_id)

    def mended(self, mending: Sequence[TruncateItem | DeleteItem]) -> list[Command]:
        """The commands that put the memory right, as this leg can carry them out."""
        commands: list[Command] = []
        for command in mending:
            if self._spoken_by.get(command.item_id) in (self._leg, None):
                commands.append(command)
            elif command.item_id in self._told:
                self._told.discard(command.item_id)
                line = self._transcript.line_of(command.item_id)
                text = str(line) if line is not None and line.text else ""
                commands.append(self._rewrite(command.item_id, "agent", text))
        return commands

    def pruned(self, log: Sequence[Logged]) -> list[Command]:
        """Old audio that its words replace now."""
        batch = self._pruner.batch(log)
        return [self._rewrite(old.item_id, old.speaker, old.text) for old in batch]

    def _rewrite(self, item_id: str, speaker: Speaker, text: str) -> RewriteItem:
        self._rewrites += 1
        new_id = f"words-{self._leg}-{self._rewrites}"
        return RewriteItem(f"rewrite-{self._rewrites}", item_id, new_id, speaker, text)
