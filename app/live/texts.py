"""Conversations by text for all workers: what came in, where each stands, who waits for an answer.

A message is written down before the carrier is answered, and goes out of the inbox in the same
transaction in which a turn takes it into the conversation's state: a worker that is killed in
between loses none, and a copy that comes later is known by the state. While Redis is away the
process goes on with what it remembers, and what it writes waits.
"""

import logging
from collections.abc import Sequence
from typing import Final

from app.live import names
from app.live.asking import Asker, Command, RedisAwayError
from app.live.outbox import Outbox
from app.live.texts_here import Looked, TextsHere
from app.live.waiting import Op

logger = logging.getLogger(__name__)

LIMIT_S: Final = 1.0
"""Longest wait for Redis: nobody is on the line."""


class LiveTexts:
    """`here`: what this process remembers, for when Redis is away."""

    def __init__(self, asker: Asker, outbox: Outbox, here: TextsHere) -> None:
        self._asker = asker
        self._outbox = outbox
        self._here = here
        self._ttl_s = max(1, round(here.ttl_s))

    async def accept(self, conversation: str, message_id: str, message: bytes) -> None:
        """Keep a message until a turn takes it. A copy of one that waits changes nothing."""
        inbox = names.text_inbox(conversation)
        kept: list[Command] = [
            ("HSETNX", inbox, message_id, message),
            ("EXPIRE", inbox, self._ttl_s),
        ]
        due = ("ZADD", names.TEXTS_DUE, self._here.now_s(), conversation)
        try:
            # The mark first: one without a message is taken off again, the other way round a
            # message could wait unseen.
            await self._asker.ask(*due, limit_s=LIMIT_S)
            await self._asker.ask_all(kept, atomic=True, limit_s=LIMIT_S)
        except RedisAwayError:
            await self._here.accept(conversation, message_id, message)

    async def look(self, conversation: str) -> Looked:
        """The newest state and all that waits, here or in Redis."""
        here = await self._here.look(conversation)
        try:
            state, inbox = await self._asker.ask_all(
                [
                    ("GET", names.text_state(conversation)),
                    ("HGETALL", names.text_inbox(conversation)),
                ],
                atomic=True,
                limit_s=LIMIT_S,
            )
        except RedisAwayError as error:
            fields = {"conversation": conversation, "error": str(error)}
            logger.warning(
                "a text conversation goes on from this process's memory", extra={"fields": fields}
            )
            return here
        waiting = {key.decode(): value for key, value in inbox.items()}
        version, text = _unversioned(state)
        if here.version > version:
            version, text = here.version, here.state
        return Looked(version, text, {**here.inbox, **waiting})

    async def save(
        self, conversation: str, version: int, state: bytes, taken: Sequence[str] = ()
    ) -> None:
        """Keep where it stands; `taken`: messages that the state holds from now on."""
        await self._here.save(conversation, version, state, taken)
        key, inbox = names.text_state(conversation), names.text_inbox(conversation)
        write: list[Command] = [("SET", key, b"%d %s" % (version, state), "EX", self._ttl_s)]
        if taken:
            write.append(("HDEL", inbox, *taken))
        try:
            await self._asker.ask_all(write, atomic=True, limit_s=LIMIT_S)
        except RedisAwayError:
            self._outbox.put(f"text:{conversation}", Op(tuple(write), _newest_state))

    async def due(self, older_s: float) -> list[str]:
        """Conversations in which somebody has waited for so long, of all workers."""
        here = await self._here.due(older_s)
        latest_s = self._here.now_s() - older_s
        ask = ("ZRANGEBYSCORE", names.TEXTS_DUE, "-inf", latest_s, "LIMIT", 0, 100)
        try:
            found = await self._asker.ask(*ask, limit_s=LIMIT_S)
        except RedisAwayError:
            return here
        return list(dict.fromkeys([*here, *(member.decode() for member in found)]))

    async def settled(self, conversation: str) -> None:
        """Nobody waits for an answer in it."""
        await self._here.settled(conversation)
        try:
            await self._asker.ask("ZREM", names.TEXTS_DUE, conversation, limit_s=LIMIT_S)
        except RedisAwayError:
            return  # Whoever looks at what is due finds nothing to do.

    async def put_call(self, person: str, call: bytes) -> None:
        """Keep what was said in a call, for the messages after it."""
        await self._here.put_call(person, call)
        self._put(names.text_call(person), call)

    async def call_of(self, person: str) -> bytes | None:
        value = await self._get(names.text_call(person))
        return await self._here.call_of(person) if value is None else value

    async def put_newest(self, person: str, conversation: str) -> None:
        """Keep which conversation a person wrote in last."""
        await self._here.put_newest(person, conversation)
        self._put(names.text_newest(person), conversation.encode())

    async def newest_of(self, person: str) -> str | None:
        value = await self._get(names.text_newest(person))
        return await self._here.newest_of(person) if value is None else value.decode()

    def _put(self, key: str, value: bytes) -> None:
        self._outbox.put(f"text:{key}", Op((("SET", key, value, "EX", self._ttl_s),)))

    async def _get(self, key: str) -> bytes | None:
        try:
            value: bytes | None = await self._asker.ask("GET", key)
        except RedisAwayError:
            return None
        return value


def _newest_state(earlier: Op, later: Op) -> Op:
    """The later state, and all messages that either of them took."""
    return Op((later.commands[0], *earlier.commands[1:], *later.commands[1:]), _newest_state)


def _unversioned(value: bytes | None) -> tuple[int, bytes | None]:
    version, blank, state = (value or b"").partition(b" ")
    return (int(version), state) if blank and version.isdigit() else (0, None)
