"""One answer for all copies of a webhook, whichever worker each of them reaches.

Fits `app.carriers.twilio.idempotency.Answers`. Within a process the local form finds copies; only
the first of them asks Redis, which finds those of other workers.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from app.live import names
from app.live.asking import Asker, RedisAwayError

logger = logging.getLogger(__name__)

WAIT_S: Final = 8.0
"""Longest wait for another worker's answer; the carrier waits 15 s for ours."""
POLL_S: Final = 0.05
_PRODUCING: Final = b"producing "
_ANSWER: Final = b"answer "

A = TypeVar("A")


class LocalAnswers(Protocol[A]):
    """What finds copies within one process."""

    async def once(self, key: str, produce: Callable[[], Awaitable[A]], now_s: float) -> A: ...


@dataclass(frozen=True)  # With slots, Python 3.11 cannot make a Code[Answer](...).
class Code(Generic[A]):
    """How an answer becomes bytes and comes back."""

    encode: Callable[[A], bytes]
    decode: Callable[[bytes], A]


class RedisAnswers(Generic[A]):
    """`wait_s`: how long to wait for the worker that produces before producing as well."""

    def __init__(
        self, asker: Asker, local: LocalAnswers[A], code: Code[A], *, wait_s: float = WAIT_S
    ) -> None:
        self._asker = asker
        self._local = local
        self._code = code
        self._wait_s = wait_s

    async def once(self, key: str, produce: Callable[[], Awaitable[A]], now_s: float) -> A:
        """The answer under `key`, produced by whoever asks first; the others wait for it.

        When producing fails, who asked here gets its error and nothing is remembered; a worker that
        waits for it then produces by itself. With Redis away each worker produces its own.
        """

        async def shared() -> A:
            return await self._shared(names.answer(key), produce)

        return await self._local.once(key, shared, now_s)

    async def _shared(self, key: str, produce: Callable[[], Awaitable[A]]) -> A:
        ours = _PRODUCING + secrets.token_hex(8).encode()
        try:
            given = await self._given_or_ours(key, ours)
        except (RedisAwayError, TimeoutError) as error:
            fields = {"error": str(error) or "another worker took too long"}
            logger.warning("a webhook's copies may be answered twice", extra={"fields": fields})
            return await produce()
        if given is not None:
            return self._code.decode(given)
        return await self._produce(key, ours, produce)

    async def _given_or_ours(self, key: str, ours: bytes) -> bytes | None:
        """Another worker's answer, or None: it is ours to produce.

        Raises `RedisAwayError`, and `TimeoutError` when the other worker takes too long.
        """
        async with asyncio.timeout(self._wait_s):
            while True:
                _, value = await self._asker.ask_all(
                    [("SET", key, ours, "EX", names.PRODUCING_TTL_S, "NX"), ("GET", key)],
                    atomic=True,
                )
                if value == ours:
                    return None
                if value is not None and value.startswith(_ANSWER):
                    return bytes(value.removeprefix(_ANSWER))
                await asyncio.sleep(POLL_S)

    async def _produce(self, key: str, ours: bytes, produce: Callable[[], Awaitable[A]]) -> A:
        try:
            answer = await produce()
        except BaseException:
            await self._tell("DEL", key)
            raise
        value = _ANSWER + self._code.encode(answer)
        await self._tell("SET", key, value, "EX", names.ANSWER_TTL_S)
        return answer

    async def _tell(self, *command: str | bytes | int) -> None:
        try:
            await self._asker.ask(*command)
        except RedisAwayError:
            logger.warning("a webhook's answer is not shared: Redis is away")
