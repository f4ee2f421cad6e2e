"""Counts behind the policy's limits, common to all workers. Fits `app.policy.limits.Counters`.

What is counted (a caller, a destination) is known to Redis only by a keyed digest: who reads the
store without the secret cannot try all numbers to find out which it was.
"""

import hmac
import logging
from typing import Final

from app.live import names
from app.live.asking import Asker, RedisAwayError

logger = logging.getLogger(__name__)

LIMIT_S: Final = 0.3
"""Longest wait for Redis before a dial."""
SHORTEST_SECRET_BYTES: Final = 16


class RedisLimits:
    """`secret`: the same for all workers. Raises `ValueError` for one that could be guessed."""

    def __init__(self, asker: Asker, secret: bytes) -> None:
        if len(secret) < SHORTEST_SECRET_BYTES:
            raise ValueError(
                f"expected a secret of {SHORTEST_SECRET_BYTES} bytes or more, got {len(secret)}"
            )
        self._asker = asker
        self._secret = secret

    async def add(self, key: str, ttl_s: int, n: int) -> int | None:
        """The total of all workers after adding; None when Redis does not say within 0.3 s."""
        digest = hmac.digest(self._secret, key.encode("utf-8", "replace"), "sha256").hex()
        name = names.limit(digest)
        try:
            _, total = await self._asker.ask_all(
                [("SET", name, 0, "EX", ttl_s, "NX"), ("INCRBY", name, n)],
                atomic=True,
                limit_s=LIMIT_S,
            )
        except RedisAwayError as error:
            fields = {"error": str(error)}
            logger.warning("limits are counted in this process only", extra={"fields": fields})
            return None
        return int(total)
