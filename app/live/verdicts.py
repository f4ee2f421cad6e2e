"""The carrier's verdicts on who answered the calls that we placed: from whichever worker was told
to whichever carries the call, now or later."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Final

from redis.exceptions import RedisError

from app.live import names
from app.live.asking import Asker, RedisAwayError, within
from app.live.channel import AGAIN_S, LISTEN_S, SUBSCRIBE_S
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

_SEPARATOR: Final = b" "


class Verdicts:
    """With Redis away a verdict reaches only the calls of the worker that was told."""

    def __init__(self, asker: Asker, outbox: Outbox) -> None:
        self._asker = asker
        self._outbox = outbox

    def tell(self, call_id: str, by: str) -> None:
        """Soon; never waits."""
        # Kept first, so that a stream that begins in between finds it.
        keep = ("SET", names.answered(call_id), by, "EX", names.STATE_TTL_S)
        self._outbox.put(f"answered:{call_id}", Op((keep,)))
        news = f"{call_id} {by}".encode()
        told = Op((("PUBLISH", names.ANSWERED, news),), keep=False)
        self._outbox.put(f"answered-news:{call_id}:{by}", told)

    async def known(self, call_id: str) -> str:
        """The newest verdict; "": none, or Redis does not say so within 0.5 s."""
        try:
            kept: bytes | None = await self._asker.ask("GET", names.answered(call_id))
        except RedisAwayError:
            return ""
        return "" if kept is None else kept.decode()

    async def news(self) -> AsyncGenerator[tuple[str, str], None]:
        """(call, by) of every verdict from now on; those while Redis is away are missed."""
        while True:
            try:
                async with self._asker.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await within(SUBSCRIBE_S, pubsub.subscribe(names.ANSWERED))
                    while True:
                        message = await within(
                            LISTEN_S + SUBSCRIBE_S, pubsub.get_message(timeout=LISTEN_S)
                        )
                        if message is not None:
                            call_id, _, by = bytes(message["data"]).partition(_SEPARATOR)
                            yield call_id.decode(), by.decode()
            except (RedisError, OSError, TimeoutError) as error:
                fields = {"error": type(error).__name__}
                logger.warning("not told who answers: Redis is away", extra={"fields": fields})
                await asyncio.sleep(AGAIN_S)
