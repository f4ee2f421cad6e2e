"""The ledger of a worker that is on its own: in its memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class ClaimHere:
    ours: bool
    tries: int = 1


@dataclass(slots=True)
class _Entry:
    """One call: `Left` and `Due` at once."""

    call_id: str
    about: bytes = b""
    said: bytes | None = None
    over: bytes | None = None
    state: bytes | None = None
    news_s: float = 0.0
    carried: bool = False
    claimed: bool = False
    done: bool = field(default=False)


class LedgerHere:
    """See `app.after.ports.Ledger`. `now_s`: Unix seconds."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s
        self._calls: OrderedDict[str, _Entry] = OrderedDict()

    def note(self, call_id: str, about: bytes) -> None:
        entry = self._entry(call_id)
        entry.about, entry.news_s = about, self._now_s()

    def keep(self, call_id: str, said: bytes) -> None:
        self._entry(call_id).said = said

    def mark_over(self, call_id: str, how: bytes) -> None:
        self._entry(call_id).over = how

    async def claim(self, call_id: str) -> ClaimHere:
        entry = self._entry(call_id)
        ours = not (entry.claimed or entry.done)
        entry.claimed = True
        return ClaimHere(ours)

    async def left(self, call_id: str) -> _Entry:
        return self._entry(call_id)

    def done(self, call_id: str) -> None:
        entry = self._entry(call_id)
        entry.done, entry.said, entry.about = True, None, b""

    def give_back(self, call_id: str) -> None:
        self._entry(call_id).claimed = False

    async def due(self, quiet_s: float) -> Sequence[_Entry]:
        until_s = self._now_s() - quiet_s
        return [
            entry
            for entry in self._calls.values()
            if entry.about and not entry.claimed and not entry.done and entry.news_s <= until_s
        ]

    def _entry(self, call_id: str) -> _Entry:
        entry = self._calls.setdefault(call_id, _Entry(call_id))
        self._calls.move_to_end(call_id)
        if len(self._calls) > MOST:
            self._calls.popitem(last=False)
        return entry
