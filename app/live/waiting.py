"""What waits to be written: the newest op of each kind, in the order of the last word on each.

    put -> waiting --take--> under way --sent--> gone
                       under way --back--> waiting, before what came since and joined with it

Bounded: when too many wait, those whose last word is oldest go, and are counted. Pure; `Outbox`
does the sending.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from app.live.asking import Command


@dataclass(frozen=True, slots=True)
class Op:
    """Commands that belong together; their keys hash to one slot."""

    commands: tuple[Command, ...]
    join: "Join | None" = None
    """Makes one op of an earlier one and this. None: this one counts alone."""
    keep: bool = True
    """False: worthless later; dropped when it cannot be sent at once."""


Join: TypeAlias = Callable[[Op, Op], Op]
"""Of the earlier op and the later one."""


class Waiting:
    """`most`: how many ops may wait, those under way apart."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[str, Op] = {}
        self._under_way: dict[str, Op] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    def put(self, key: str, op: Op) -> None:
        # Taken out and put in again: the order is that of the last word on each key.
        self._waiting[key] = _joined(self._waiting.pop(key, None), op)
        self._drop_oldest()

    def take(self, most: int) -> dict[str, Op]:
        """The oldest ops; they are under way until `sent` or `back`."""
        for key in list(self._waiting)[:most]:
            self._under_way[key] = self._waiting.pop(key)
        return dict(self._under_way)

    def sent(self, keys: Iterable[str]) -> None:
        for key in keys:
            del self._under_way[key]

    def back(self) -> None:
        """What is still under way was not sent."""
        unsent = {key: op for key, op in self._under_way.items() if op.keep}
        self.dropped += len(self._under_way) - len(unsent)
        self._under_way = {}
        for key in unsent.keys() & self._waiting.keys():
            self._waiting[key] = _joined(unsent.pop(key), self._waiting[key])
        self._waiting = unsent | self._waiting
        self._drop_oldest()

    def drop_all(self) -> int:
        """Give up; how many ops that were."""
        left = len(self)
        self.dropped += left
        self._waiting, self._under_way = {}, {}
        return left

    def _drop_oldest(self) -> None:
        while len(self._waiting) > self._most:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1


def _joined(earlier: Op | None, later: Op) -> Op:
    return later if earlier is None or later.join is None else later.join(earlier, later)
