"""The breakers of all models, shared by all workers: a new call starts with a model that works.

What happens here counts here at once; Redis carries it to the other workers within about 0.5 s.
While Redis is away each worker trusts what it sees itself.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import Final

import msgspec

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.breaker import Breaker, BreakerSettings
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

REFRESH_S: Final = 0.5
DEFAULTS: Final = BreakerSettings()


class Breakers:
    """`model_key` names a model and where it is served; no secret may be in it.

    `now_s`: Unix seconds, so that workers can share them.
    """

    def __init__(
        self,
        asker: Asker,
        outbox: Outbox,
        settings: BreakerSettings = DEFAULTS,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._settings = settings
        self._now_s = now_s
        self._breakers: dict[str, Breaker] = {}
        self._id = secrets.token_hex(4)
        self._numbers = count(1)

    def healthy(self, model_key: str) -> bool:
        """Whether a new call may begin with this model; ask only when it then will.

        After a model's rest this is True once, for the call that tries it.
        """
        return self._breaker(model_key).allows(self._now_s())

    def succeeded(self, model_key: str) -> None:
        """The model took a call: its failures so far are forgotten, everywhere."""
        now_s = self._now_s()
        if self._breaker(model_key).succeeded(now_s):
            closed = ("HSET", names.BREAKERS_CLOSED, model_key, now_s)
            self._outbox.put(f"closed:{model_key}", Op((closed, ("DEL", names.probe(model_key)))))

    def failed(self, model_key: str) -> None:
        """The model refused a call or dropped it, by a fault that is not the caller's."""
        now_s, mark = self._now_s(), f"{self._id}{next(self._numbers)}"
        opened = self._breaker(model_key).failed(now_s, mark)
        member = msgspec.json.encode((mark, now_s, model_key))
        self._outbox.put(f"failure:{mark}", Op((("ZADD", names.BREAKERS_FAILURES, now_s, member),)))
        if opened:
            self._tell_open(model_key)

    async def run(self) -> None:
        """Keep up with the other workers until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> None:
        """Learn what the other workers know, and draw the probes that are due."""
        try:
            await self._learn()
        except RedisAwayError:
            logger.debug("breakers are not shared: Redis is away")
        for model_key, breaker in list(self._breakers.items()):
            if breaker.wants_probe(self._now_s()) and await self._draw(model_key):
                breaker.grant_probe(self._now_s())

    async def _learn(self) -> None:
        now_s = self._now_s()
        oldest_s = now_s - self._settings.window_s
        _, opened, closed, members = await self._asker.ask_all(
            [
                ("ZREMRANGEBYSCORE", names.BREAKERS_FAILURES, "-inf", oldest_s),
                ("HGETALL", names.BREAKERS_OPEN),
                ("HGETALL", names.BREAKERS_CLOSED),
                ("ZRANGE", names.BREAKERS_FAILURES, 0, -1),
            ],
            atomic=True,
        )
        failures: dict[str, dict[str, float]] = {}
        for member in members:
            mark, at_s, model_key = msgspec.json.decode(member, type=tuple[str, float, str])
            failures.setdefault(model_key, {})[mark] = at_s
        known = {name.decode() for name in [*opened, *closed]} | failures.keys()
        for model_key in known | self._breakers.keys():
            tripped = self._breaker(model_key).learn(
                now_s,
                failures=failures.get(model_key, {}),
                open_until_s=float(opened.get(model_key.encode(), 0)),
                closed_s=float(closed.get(model_key.encode(), 0)),
            )
            if tripped:
                self._tell_open(model_key)

    async def _draw(self, model_key: str) -> bool:
        """Whether this worker is the one that may try. Alone, without Redis, it may."""
        ttl_s = max(1, round(self._settings.probe_s))
        try:
            drawn = await self._asker.ask("SET", names.probe(model_key), 1, "EX", ttl_s, "NX")
        except RedisAwayError:
            return True
        return bool(drawn)

    def _tell_open(self, model_key: str) -> None:
        until_s = self._breaker(model_key).open_until_s
        fields = {"model": model_key, "rest_s": self._settings.open_s}
        logger.warning("a model rests: it failed again and again", extra={"fields": fields})
        opened = ("HSET", names.BREAKERS_OPEN, model_key, until_s)
        self._outbox.put(f"open:{model_key}", Op((opened,)))

    def _breaker(self, model_key: str) -> Breaker:
        if model_key not in self._breakers:
            self._breakers[model_key] = Breaker(self._settings)
        return self._breakers[model_key]
