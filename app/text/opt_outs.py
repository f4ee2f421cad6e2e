"""Who has opted out of our messages. Asked just before each one is sent.

A word is written to the file of this machine and to Redis before the webhook is answered; of the
two the newer counts. At the start the file's words that Redis lacks are put there: Redis may have
lost its data, or the secret of its digests may have changed.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeAlias

from app.live.opt_outs import LiveOptOuts, Word
from app.observe.log import event
from app.text.digests import Digests
from app.text.opt_out_file import OptOutFile

logger = logging.getLogger(__name__)

Source: TypeAlias = Literal["sms", "carrier", "call", "operator"]
"""They wrote it; Twilio knows it; they said it on the phone; somebody of ours entered it."""


class OptOuts(Protocol):
    """What campaigns and every sender of messages ask."""

    async def is_out(self, number: str) -> bool:
        """Whether this number (E.164) must get no message. True also when nobody can say."""
        ...

    async def out(self, number: str, source: Source, at_s: float | None = None) -> None:
        """No more messages there, from now on and on every worker."""
        ...

    async def back(self, number: str, source: Source, at_s: float | None = None) -> None:
        """They want messages again."""
        ...


class KeptOptOuts:
    """`OptOuts` in a file and in Redis. `live` None: there is no Redis. `now_s`: Unix seconds."""

    def __init__(
        self,
        file: OptOutFile,
        live: LiveOptOuts | None,
        digests: Digests,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._live = live
        self._digests = digests
        self._now_s = now_s
        self.told: Callable[[str], Awaitable[None]] | None = None
        """Is told, before anything else, of each number that wants no messages by its own or the
        carrier's word."""
        self._here: dict[str, Word] = {}
        """What could not be written: until it can, this process alone knows."""

    async def is_out(self, number: str) -> bool:
        """See `OptOuts`."""
        words = [self._here.get(number)]
        try:
            words.append(await asyncio.to_thread(self._file.word_of, number))
        except (sqlite3.Error, OSError) as error:
            event(logger, logging.ERROR, "opt-outs cannot be read", error=type(error).__name__)
            return True
        if self._live is not None:
            words.append(await self._live.word_of(self._digests.all(number)))
        newest = max(filter(None, words), key=lambda word: word.at_s, default=None)
        return newest is not None and newest.out

    async def out(self, number: str, source: Source, at_s: float | None = None) -> None:
        """See `OptOuts`."""
        if self.told is not None and source != "call":
            await self.told(number)
        await self._put(number, Word(True, self._now_s() if at_s is None else at_s, source))

    async def back(self, number: str, source: Source, at_s: float | None = None) -> None:
        """See `OptOuts`."""
        await self._put(number, Word(False, self._now_s() if at_s is None else at_s, source))

    async def publish(self) -> None:
        """Put into Redis what only the file knows."""
        if self._live is None:
            return
        try:
            known = await asyncio.to_thread(self._file.all)
        except (sqlite3.Error, OSError) as error:
            event(logger, logging.ERROR, "opt-outs cannot be read", error=type(error).__name__)
            return
        for number, word in known:
            digests = self._digests.all(number)
            there = await self._live.word_of(digests)
            if there is None or there.at_s < word.at_s:
                await self._live.put(digests, word)

    async def _put(self, number: str, word: Word) -> None:
        try:
            await asyncio.to_thread(self._file.put, number, word)
            self._here.pop(number, None)
        except (sqlite3.Error, OSError) as error:
            self._here[number] = word
            event(logger, logging.ERROR, "an opt-out is not on disk", error=type(error).__name__)
        if self._live is not None:
            await self._live.put(self._digests.all(number), word)
