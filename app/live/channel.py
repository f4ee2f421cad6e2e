"""What calls do, told to whoever watches: the console, on any worker. Nothing is kept."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec
from redis.exceptions import RedisError

from app.live import names
from app.live.asking import Asker, within
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

Plain: TypeAlias = str | int | float | bool | None
SUBSCRIBE_S: Final = 1.0
LISTEN_S: Final = 1.0
AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Notice:
    kind: str
    at_s: float
    """Unix seconds, by the teller's clock."""
    fields: Mapping[str, Plain] = field(default_factory=dict)


class Channel:
    """`now_s`: Unix seconds."""

    def __init__(
        self, asker: Asker, outbox: Outbox, now_s: Callable[[], float] = time.time
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._now_s = now_s
        self._told = 0

    def publish(self, kind: str, fields: Mapping[str, Plain] | None = None) -> None:
        """Tell, if Redis is there: what is old news when it comes back is not told any more.

        No number, no digit and nothing that was said may be in `fields`. Never waits.
        """
        if self._outbox.away_since_s is not None:
            return
        notice = msgspec.json.encode(Notice(kind, self._now_s(), fields or {}))
        self._told += 1
        op = Op((("PUBLISH", names.CHANNEL, notice),), keep=False)
        self._outbox.put(f"publish:{self._told}", op)

    async def subscribe(self) -> AsyncGenerator[Notice, None]:
        """What is told from now on; what is told while Redis is away is missed."""
        while True:
            try:
                async with self._asker.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await within(SUBSCRIBE_S, pubsub.subscribe(names.CHANNEL))
                    while True:
                        message = await within(
                            LISTEN_S + SUBSCRIBE_S, pubsub.get_message(timeout=LISTEN_S)
                        )
                        if message is not None and (notice := _decoded(message["data"])):
                            yield notice
            except (RedisError, OSError, TimeoutError) as error:
                fields = {"error": type(error).__name__}
                logger.warning("not listening to calls: Redis is away", extra={"fields": fields})
                await asyncio.sleep(AGAIN_S)


def _decoded(data: bytes) -> Notice | None:
    try:
        return msgspec.json.decode(data, type=Notice)
    except msgspec.MsgspecError as error:
        fields = {"error": type(error).__name__}
        logger.warning("a message of an unknown form", extra={"fields": fields})
        return None
