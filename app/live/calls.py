"""Calls in progress: where each of them stands, so that another worker can go on with it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that has not ended, as far as Redis knows. Unix seconds."""

    call_id: str
    worker_id: str
    """The worker that wrote last."""
    since_s: float
    """Since when that worker has carried it."""
    seen_s: float
    """When its newest state was written."""


class LiveCalls:
    """`now_s`: Unix seconds, so that workers can share them."""

    def __init__(
        self,
        asker: Asker,
        outbox: Outbox,
        worker_id: str,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._worker_id = worker_id
        self._now_s = now_s
        self._since_s: dict[str, float] = {}

    def save(self, call_id: str, state: bytes) -> None:
        """Keep where a call stands. Only the newest state is written, and soon; never waits."""
        now_s = self._now_s()
        since_s = self._since_s.setdefault(call_id, now_s)
        self._outbox.put(
            f"state:{call_id}",
            Op(
                (
                    ("SET", names.state(call_id), state, "EX", names.STATE_TTL_S),
                    # It goes on: what a stream before this one ended with is no ending.
                    ("DEL", names.ending(call_id)),
                )
            ),
        )
        about = msgspec.json.encode((self._worker_id, since_s, now_s))
        self._outbox.put(
            f"index:{call_id}",
            Op((("ZADD", names.SEEN, now_s, call_id), ("HSET", names.ABOUT, call_id, about))),
        )

    def end(self, call_id: str, reason: str, detail: str = "") -> None:
        """Keep why a call's stream ended, for the carrier's question what to do next; never waits.

        Its state stays for a while: the call may come back.
        """
        self._since_s.pop(call_id, None)
        self._outbox.put(
            f"end:{call_id}",
            Op(
                (
                    ("SET", names.ending(call_id), f"{reason}\n{detail}", "EX", names.ENDED_TTL_S),
                    ("EXPIRE", names.state(call_id), names.ENDED_TTL_S),
                )
            ),
        )
        self._outbox.put(
            f"index:{call_id}",
            Op((("ZREM", names.SEEN, call_id), ("HDEL", names.ABOUT, call_id))),
        )

    async def load(self, call_id: str) -> bytes | None:
        """Where a call stood. None: nobody knows, or Redis did not say so within 0.5 s."""
        return await self._get(names.state(call_id), call_id)

    async def ending_of(self, call_id: str) -> tuple[str, str] | None:
        """Why the call's last stream ended, and its detail; None as for `load`."""
        ending = await self._get(names.ending(call_id), call_id)
        if ending is None:
            return None
        reason, _, detail = ending.decode().partition("\n")
        return reason, detail

    async def in_progress(self) -> list[LiveCall]:
        """All calls of all workers, the newest last; empty when Redis does not say.

        A call whose worker died stays until another one takes it over, 3 hours at most.
        """
        oldest_s = self._now_s() - names.STATE_TTL_S
        try:
            gone, seen, about = await self._asker.ask_all(
                [
                    ("ZRANGEBYSCORE", names.SEEN, "-inf", oldest_s),
                    ("ZRANGEBYSCORE", names.SEEN, f"({oldest_s}", "+inf"),
                    ("HGETALL", names.ABOUT),
                ],
                atomic=True,
            )
        except RedisAwayError:
            logger.warning("calls in progress are not known: Redis is away")
            return []
        self._forget([member.decode() for member in gone])
        calls = [_live_call(member.decode(), about.get(member, b"")) for member in seen]
        return [call for call in calls if call is not None]

    def _forget(self, call_ids: list[str]) -> None:
        for call_id in call_ids:
            forgotten = (("ZREM", names.SEEN, call_id), ("HDEL", names.ABOUT, call_id))
            self._outbox.put(f"index:{call_id}", Op(forgotten))

    async def _get(self, key: str, call_id: str) -> bytes | None:
        try:
            value: bytes | None = await self._asker.ask("GET", key)
        except RedisAwayError as error:
            fields = {"call": call_id, "error": str(error)}
            logger.warning("the call's state is not known", extra={"fields": fields})
            return None
        return value


def _live_call(call_id: str, about: bytes) -> LiveCall | None:
    """None: it ended between the two lists, or was written by a version that we do not know."""
    try:
        worker_id, since_s, seen_s = msgspec.json.decode(about, type=tuple[str, float, float])
    except msgspec.MsgspecError:
        return None
    return LiveCall(call_id, worker_id, since_s, seen_s)
