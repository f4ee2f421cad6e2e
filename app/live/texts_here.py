"""Conversations by text in the memory of one process: without Redis, or while it is away."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 2_000
"""Conversations remembered; those untouched for longest go first."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is kept of a conversation."""

    version: int = 0
    state: bytes | None = None
    inbox: Mapping[str, bytes] = field(default_factory=dict)
    """Messages that no turn has taken, by their id."""


@dataclass(slots=True)
class _Kept:
    until_s: float
    version: int = 0
    state: bytes | None = None
    inbox: dict[str, bytes] = field(default_factory=dict)


class TextsHere:
    """`now_s`: Unix seconds. `ttl_s`: how long a conversation is kept after its last message."""

    def __init__(self, ttl_s: float, now_s: Callable[[], float] = time.time) -> None:
        self.ttl_s = ttl_s
        self.now_s = now_s
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._due: dict[str, float] = {}
        self._small: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def accept(self, conversation: str, message_id: str, message: bytes) -> None:
        self._of(conversation).inbox.setdefault(message_id, message)
        self._due[conversation] = self.now_s()

    async def look(self, conversation: str) -> Looked:
        kept = self._kept.get(conversation)
        if kept is None or kept.until_s < self.now_s():
            return Looked()
        return Looked(kept.version, kept.state, dict(kept.inbox))

    async def save(
        self, conversation: str, version: int, state: bytes, taken: Sequence[str] = ()
    ) -> None:
        kept = self._of(conversation)
        if version >= kept.version:
            kept.version, kept.state = version, state
        for message_id in taken:
            kept.inbox.pop(message_id, None)

    async def due(self, older_s: float) -> list[str]:
        latest_s = self.now_s() - older_s
        return [conversation for conversation, at_s in self._due.items() if at_s <= latest_s]

    async def settled(self, conversation: str) -> None:
        self._due.pop(conversation, None)

    async def put_call(self, person: str, call: bytes) -> None:
        self._put(f"call {person}", call)

    async def call_of(self, person: str) -> bytes | None:
        return self._get(f"call {person}")

    async def put_newest(self, person: str, conversation: str) -> None:
        self._put(f"newest {person}", conversation.encode())

    async def newest_of(self, person: str) -> str | None:
        found = self._get(f"newest {person}")
        return None if found is None else found.decode()

    def _of(self, conversation: str) -> _Kept:
        until_s = self.now_s() + self.ttl_s
        kept = self._kept.pop(conversation, None)
        if kept is None or kept.until_s < self.now_s():
            kept = _Kept(until_s)
        kept.until_s = until_s
        self._kept[conversation] = kept
        while len(self._kept) > MOST:
            gone, _ = self._kept.popitem(last=False)
            self._due.pop(gone, None)
        return kept

    def _put(self, key: str, value: bytes) -> None:
        self._small.pop(key, None)
        self._small[key] = (self.now_s() + self.ttl_s, value)
        while len(self._small) > MOST:
            self._small.popitem(last=False)

    def _get(self, key: str) -> bytes | None:
        until_s, value = self._small.get(key, (0.0, b""))
        return value if self.now_s() < until_s else None
