"""Who wants no messages, for all workers at once: one hash, numbers as keyed digests only.

The newest word counts, so a START that one machine heard outweighs a STOP of yesterday on another.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

LIMIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of somebody. `at_s`: Unix seconds."""

    out: bool
    at_s: float
    source: str


class LiveOptOuts:
    """`digests` of a number: under every secret that is in use, the newest first."""

    def __init__(self, asker: Asker, outbox: Outbox) -> None:
        self._asker = asker
        self._outbox = outbox

    async def word_of(self, digests: tuple[str, ...]) -> Word | None:
        """The newest one; None: there is none, or Redis does not say."""
        try:
            found = await self._asker.ask("HMGET", names.OPT_OUTS, *digests, limit_s=LIMIT_S)
        except RedisAwayError:
            return None
        words = [_read(value) for value in found if value is not None]
        return max(filter(None, words), key=lambda word: word.at_s, default=None)

    async def put(self, digests: tuple[str, ...], word: Word) -> None:
        """At once; while Redis is away as soon as it is back."""
        value = msgspec.json.encode(word)
        pairs = tuple(part for digest in digests for part in (digest, value))
        write = ("HSET", names.OPT_OUTS, *pairs)
        try:
            await self._asker.ask(*write, limit_s=LIMIT_S)
        except RedisAwayError:
            self._outbox.put(f"opt-out:{digests[0]}", Op((write,)))


def _read(value: bytes) -> Word | None:
    try:
        return msgspec.json.decode(value, type=Word)
    except msgspec.MsgspecError:
        return None
