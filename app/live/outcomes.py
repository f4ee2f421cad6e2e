"""What came of something that several requests may tell of, on any worker: the first counts."""

import logging
from collections import OrderedDict
from typing import Final

from app.live import names
from app.live.asking import Asker, RedisAwayError

logger = logging.getLogger(__name__)

MOST_HERE: Final = 10_000


class Outcomes:
    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._here: OrderedDict[str, None] = OrderedDict()

    async def settle(self, call_id: str, what: str, outcome: str) -> bool:
        """True for the first one only, over all workers; with Redis away over this one."""
        key = names.outcome(call_id, what)
        if key in self._here:
            return False
        self._here[key] = None
        while len(self._here) > MOST_HERE:
            self._here.popitem(last=False)
        try:
            first = await self._asker.ask("SET", key, outcome, "EX", names.STATE_TTL_S, "NX")
        except RedisAwayError as error:
            fields = {"call": call_id, "error": str(error)}
            logger.warning("whether it was settled before is not known", extra={"fields": fields})
            return True
        return bool(first)
