"""One worker at a time writes in a conversation by text.

Unlike a call, whose stream comes to one worker, messages come to any. The lease is asked for, not
taken: whoever has it goes on until it is done, and a worker that died lets go after 10 s.
"""

import asyncio
import secrets
from typing import Final

from app.live import names
from app.live.asking import Asker, RedisAwayError

RENEW_S: Final = 3.0


class TextLeases:
    """The leases of one worker. With Redis away it has what it asks for: then no worker knows of
    another, and the state that is newer counts in the end."""

    def __init__(self, asker: Asker | None, ttl_s: float = names.TEXT_LEASE_TTL_S) -> None:
        """`asker` None: there is no other worker."""
        self._asker = asker
        self._ttl_ms = round(ttl_s * 1000)
        self._ours: dict[str, bytes] = {}

    async def ask(self, conversation: str) -> bool:
        """Whether it is ours from now on."""
        if conversation in self._ours:
            return False
        mark = secrets.token_hex(8).encode()
        self._ours[conversation] = mark
        if self._asker is None:
            return True
        key = names.text_lease(conversation)
        try:
            given = await self._asker.ask("SET", key, mark, "PX", self._ttl_ms, "NX")
        except RedisAwayError:
            return True
        if not given:
            del self._ours[conversation]
        return bool(given)

    async def holds(self, conversation: str) -> bool:
        """Whether it is still ours: a worker that hung for long may have lost it."""
        mark = self._ours.get(conversation)
        if mark is None or self._asker is None:
            return mark is not None
        try:
            found = await self._asker.ask("GET", names.text_lease(conversation))
        except RedisAwayError:
            return True
        # None: nobody has it, as after Redis lost its data; then nobody else writes either.
        return found in (mark, None)

    async def keep(self, conversation: str) -> None:
        """Keep it alive until cancelled."""
        while True:
            await asyncio.sleep(min(RENEW_S, self._ttl_ms / 3000))
            if self._asker is not None and await self.holds(conversation):
                mark = self._ours.get(conversation, b"")
                key = names.text_lease(conversation)
                try:
                    await self._asker.ask_all(
                        [
                            ("PEXPIRE", key, self._ttl_ms),
                            ("SET", key, mark, "PX", self._ttl_ms, "NX"),
                        ]
                    )
                except RedisAwayError:
                    continue

    async def release(self, conversation: str) -> None:
        """Others may have it."""
        ours = await self.holds(conversation)
        self._ours.pop(conversation, None)
        if self._asker is None or not ours:
            return
        try:
            await self._asker.ask("DEL", names.text_lease(conversation))
        except RedisAwayError:
            return  # It expires by itself.
