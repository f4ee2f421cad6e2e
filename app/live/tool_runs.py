"""A tool call of the model runs once, also when its worker dies between running it and saying so.

What was begun is written before the tool runs, what came of it before the model is told. Whoever
takes the call over then knows the result, or knows that nobody knows, and does not run it again.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import msgspec

from app.call.events import Effect
from app.live import names
from app.live.asking import Asker, RedisAwayError
from app.live.outbox import Outbox
from app.live.waiting import Op

logger = logging.getLogger(__name__)

LIMIT_S: Final = 1.0
"""Longest wait for Redis before a tool runs. Whoever does not know of another one's run may do the
same again, and that is worse than a caller who hears the waiting sound for a moment."""
MOST_REMEMBERED: Final = 10_000
_BEGUN: Final = b"begun"

Verdict: TypeAlias = Literal["run", "finished", "unknown"]


@dataclass(frozen=True, slots=True)
class Begun:
    """`run`: nobody has begun it, so it is ours. `finished`: here is what came of it. `unknown`: it
    was begun before and no result is known; it may be running, or its worker may have died."""

    kind: Verdict
    output: str = ""
    ok: bool = False
    effect: Effect | None = None
    proof: str = ""


class _Ended(msgspec.Struct, array_like=True):
    """What came of a run. Workers of an older version read and write the first ones only."""

    output: str
    ok: bool
    effect: Effect | None = None
    proof: str = ""


class ToolRuns:
    """With Redis away a tool call runs once in each process. `now_s`: any monotonic clock."""

    def __init__(
        self, asker: Asker, outbox: Outbox, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._asker = asker
        self._outbox = outbox
        self._now_s = now_s
        self._here: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def __len__(self) -> int:
        """How many this process remembers."""
        return len(self._here)

    async def begin(self, call_id: str, tool_call_id: str) -> Begun:
        """Ask before running a tool; waits 1 s at most."""
        key = names.tool_run(call_id, tool_call_id)
        known = self._here.get(key, (0.0, None))[1]
        if known is not None and known != _BEGUN:
            return _begun(known)
        if known == _BEGUN:
            return await self._asked_again(key)
        # Marked before the first wait, so that a second request of this process is told.
        self._remember(key, _BEGUN)
        try:
            ours, value = await self._asker.ask_all(
                [("SET", key, _BEGUN, "EX", names.STATE_TTL_S, "NX"), ("GET", key)],
                atomic=True,
                limit_s=LIMIT_S,
            )
        except RedisAwayError as error:
            fields = {"call": call_id, "error": str(error)}
            logger.warning("whether a tool ran before is not known", extra={"fields": fields})
            begun = ("SET", key, _BEGUN, "EX", names.STATE_TTL_S, "NX")
            self._outbox.put(f"tool:{key}", Op((begun,)))
            return Begun("run")
        if ours:
            return Begun("run")
        self._remember(key, value)
        return _begun(value)

    async def _asked_again(self, key: str) -> Begun:
        """Begun here, or known to be begun elsewhere: a result may have come since."""
        try:
            value = await self._asker.ask("GET", key, limit_s=LIMIT_S)
        except RedisAwayError:
            value = self._here.get(key, (0.0, _BEGUN))[1]
        return _begun(value)

    async def finish(
        self,
        call_id: str,
        tool_call_id: str,
        output: str,
        ok: bool,
        effect: Effect | None = None,
        proof: str = "",
    ) -> None:
        """Keep what came of it, before the model is told; waits 1 s at most."""
        key = names.tool_run(call_id, tool_call_id)
        ended = _Ended(output, ok, effect, proof)
        more = effect is not None or proof
        value = msgspec.json.encode(ended if more else (output, ok))
        self._remember(key, value)
        write = ("SET", key, value, "EX", names.STATE_TTL_S)
        try:
            await self._asker.ask(*write, limit_s=LIMIT_S)
        except RedisAwayError:
            self._outbox.put(f"tool:{key}", Op((write,)))

    def _remember(self, key: str, value: bytes) -> None:
        now_s = self._now_s()
        self._here.pop(key, None)
        self._here[key] = (now_s, value)
        while self._here:
            oldest_s, _ = next(iter(self._here.values()))
            if len(self._here) <= MOST_REMEMBERED and now_s - oldest_s < names.STATE_TTL_S:
                return
            self._here.popitem(last=False)


def _begun(value: Any) -> Begun:
    if value is None or value == _BEGUN:
        return Begun("unknown")
    ended = msgspec.json.decode(value, type=_Ended)
    return Begun("finished", ended.output, ended.ok, ended.effect, ended.proof)
