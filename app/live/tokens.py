"""Stream tokens that were used, known to all workers.

Fits `app.carriers.twilio.tokens.UsedTokens`.
"""

import logging
import math
from typing import Final, Literal, TypeAlias

from app.live import names
from app.live.asking import Asker, RedisAwayError

logger = logging.getLogger(__name__)

Burn: TypeAlias = Literal["fresh", "used", "full"]
SKEW_S: Final = 5
"""Kept for so long after its end, should another worker's clock be behind."""


class RedisTokens:
    """`most`: tokens that this process remembers by itself."""

    def __init__(self, asker: Asker, most: int = 100_000) -> None:
        self._asker = asker
        self._most = most
        self._here: dict[str, int] = {}

    async def burn(self, token_id: str, expires_s: int, now_s: float) -> Burn:
        """Mark as used; "fresh" for the first one to ask on any worker. Unix seconds."""
        self._forget_expired(now_s)
        if token_id in self._here:
            return "used"
        ttl_s = max(1, math.ceil(expires_s - now_s)) + SKEW_S
        try:
            fresh = await self._asker.ask("SET", names.token(token_id), 1, "EX", ttl_s, "NX")
        except RedisAwayError:
            # Refusing would cost every new call. A token is signed, good for 30 s and for one call
            # only: to use it a second time somebody must have read it on its way through TLS.
            logger.warning("a stream token is checked in this process only: Redis is away")
            return self._burn_here(token_id, expires_s)
        if not fresh:
            return "used"
        self._burn_here(token_id, expires_s)
        return "fresh"

    def _burn_here(self, token_id: str, expires_s: int) -> Burn:
        if token_id in self._here:
            return "used"
        if len(self._here) >= self._most:
            return "full"
        self._here[token_id] = expires_s
        return "fresh"

    def _forget_expired(self, now_s: float) -> None:
        """All tokens live equally long, so the oldest are at the front."""
        while self._here:
            oldest = next(iter(self._here))
            if self._here[oldest] > now_s:
                return
            del self._here[oldest]
