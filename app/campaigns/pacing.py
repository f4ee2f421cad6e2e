"""May a call of this campaign go out now, and from which number: the one question of the dialler.

    answer = await pacing.permit(campaign_id, plan, to, now_ms)
    Permit -> place the call; `placed(slot, call_id)` when it is; `done(slot)` when it is over
    Wait   -> ask again at `until_ms`

What nobody can tell is no permit: with Redis or the database away nothing is dialled. `run` keeps
the slots of living calls; those of a dead worker are free after 30 s.
"""

import asyncio
import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from app.campaigns.caller_ids import Rotation
from app.campaigns.meter import Reading
from app.campaigns.permits import AccountLimits, Demand, Room, permitted
from app.campaigns.plan import Plan
from app.campaigns.spacing import SECOND_US, interval_us, ramp
from app.campaigns.throttle import Throttle
from app.live.asking import RedisAwayError
from app.live.capacity import Load
from app.live.pace import RENEW_S, Decide, Hold, Slot
from app.records.database import DatabaseAwayError

logger = logging.getLogger(__name__)

AWAY_MS: Final = 1_000
STOPPED_MS: Final = 60_000
READING_MS: Final = 1_000
LOAD_MS: Final = 500


class Ledger(Protocol):
    """`app.live.pace.RedisPace`. Raises `RedisAwayError` from everything."""

    async def take(
        self, campaign_id: str, numbers: Sequence[str], decide: Decide, name: str
    ) -> Slot | Hold: ...

    async def bind(self, slot: str, call_id: str) -> None: ...

    async def free(self, slot: str) -> None: ...

    async def keep(self, slots: Collection[str]) -> set[str]: ...


class Readings(Protocol):
    """`app.campaigns.meter.Meter`. Raises `DatabaseAwayError`."""

    async def read(self, campaign_id: str, limit: float, now_ms: int) -> Reading: ...


class Loads(Protocol):
    """`app.live.capacity.Capacity`. Raises `RedisAwayError`."""

    async def load(self) -> Load: ...


@dataclass(frozen=True, slots=True)
class Permit:
    """A call may go out, at once: `slot` is counted for it until it is given back."""

    from_number: str
    slot: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. `why`: words for the operator, without a number."""

    until_ms: int
    why: str


Answer: TypeAlias = Permit | Wait


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a campaign dials now, for its status."""

    calls_per_second: float
    at_once: int
    ramp: float
    throttle: Throttle


class Pacing:
    """One per process. `loads` of None: nobody carries the calls here, as in a test of dialling;
    then only the settings limit how many there are at once."""

    def __init__(
        self, ledger: Ledger, readings: Readings, limits: AccountLimits, loads: Loads | None
    ) -> None:
        self._ledger, self._readings, self._loads = ledger, readings, loads
        self._limits = limits
        self._held: set[str] = set()
        self._leasing = asyncio.Lock()
        """A lease that is being renewed while its call ends would outlive it."""
        self._read: dict[str, tuple[int, float, Reading]] = {}
        self._load: tuple[int, Load] | None = None

    @property
    def held(self) -> frozenset[str]:
        """The slots of this process."""
        return frozenset(self._held)

    async def permit(
        self, campaign_id: str, plan: Plan, to: str, now_ms: int, *, name: str = ""
    ) -> Answer:
        """`to`: for the choice of the number. `name`: of the contact or the attempt, if processes
        that have not the permit shall give it back (`slot_of`). The permit of a call that is not
        placed counts for the pace all the same."""
        try:
            reading = await self._reading(campaign_id, plan, now_ms)
            if reading.throttle.level == "stopped":
                return Wait(now_ms + STOPPED_MS, reading.throttle.why)
            pace = _pace(plan, reading, now_ms)
            room = await self._room(now_ms)
            demand = _demand(plan, pace, to, self._limits)
            taken = await self._ledger.take(
                campaign_id,
                demand.pool,
                lambda books: permitted(books, demand, self._limits, room),
                name,
            )
        except RedisAwayError as error:
            why = f"nothing is dialled without Redis, which counts the calls: {error}"
            return Wait(now_ms + AWAY_MS, why)
        except DatabaseAwayError:
            why = "nothing is dialled without the database, which knows the abandoned calls"
            return Wait(now_ms + AWAY_MS, why)
        if isinstance(taken, Hold):
            return Wait(now_ms + max(1, math.ceil(taken.wait_us / 1_000)), _why(taken, pace))
        self._held.add(taken.slot)
        return Permit(taken.number, taken.slot)

    async def pace(self, campaign_id: str, plan: Plan, now_ms: int) -> Pace:
        """For `campaign status`. Raises `DatabaseAwayError`."""
        return _pace(plan, await self._reading(campaign_id, plan, now_ms), now_ms)

    async def placed(self, slot: str, call_id: str) -> None:
        """The carrier has the call: its stream is then not counted besides its slot. Without this
        word it is counted twice while it lasts. Never raises."""
        try:
            await self._ledger.bind(slot, call_id)
        except RedisAwayError as error:
            fields = {"call": call_id, "error": str(error)}
            logger.warning("a call of a campaign is counted twice", extra={"fields": fields})

    async def done(self, slot: str) -> None:
        """The call is over, or was never placed. Again, or of another process's: no harm. Never
        raises; with Redis away the slot is free after 30 s, if its process was told or is dead."""
        self._held.discard(slot)
        async with self._leasing:
            try:
                await self._ledger.free(slot)
            except RedisAwayError:
                logger.debug("a slot ends by itself: Redis is away")

    async def renew(self) -> None:
        """Keep the slots of this process. Raises `RedisAwayError`."""
        async with self._leasing:
            held = sorted(self._held)
            kept = await self._ledger.keep(held)
            self._held.difference_update(slot for slot in held if slot not in kept)

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            try:
                await self.renew()
            except RedisAwayError as error:
                fields = {"error": str(error)}
                logger.warning("slots of campaigns are not renewed", extra={"fields": fields})
            await asyncio.sleep(RENEW_S)

    async def _reading(self, campaign_id: str, plan: Plan, now_ms: int) -> Reading:
        limit = plan.limits.abandonment
        known = self._read.get(campaign_id)
        if known and known[1] == limit and 0 <= now_ms - known[0] < READING_MS:
            return known[2]
        reading = await self._readings.read(campaign_id, limit, now_ms)
        self._read[campaign_id] = (now_ms, limit, reading)
        return reading

    async def _room(self, now_ms: int) -> Room:
        most = self._limits.at_once or None
        if self._loads is None:
            return Room(most)
        if self._load is None or not 0 <= now_ms - self._load[0] < LOAD_MS:
            self._load = (now_ms, await self._loads.load())
        load = self._load[1]
        return Room(min(most or load.seats, load.seats), load.others)


def _pace(plan: Plan, reading: Reading, now_ms: int) -> Pace:
    throttle, pacing = reading.throttle, plan.pacing
    rising = ramp(reading.begun_ms, pacing.ramp_minutes, now_ms)
    at_once = 1 if throttle.alone else math.ceil(pacing.concurrent * throttle.share)
    if throttle.level == "stopped":
        return Pace(0.0, 0, rising, throttle)
    share = rising * throttle.share
    full = SECOND_US / interval_us(pacing.calls_per_second)
    return Pace(full * share, max(1, at_once), rising, throttle)


def _demand(plan: Plan, pace: Pace, to: str, limits: AccountLimits) -> Demand:
    ids = plan.caller_ids
    rotation = Rotation(
        interval_us=interval_us(limits.number_calls_per_second),
        rest_us=round(ids.rest_s * SECOND_US),
        per_day=ids.per_day,
        local_presence=ids.local_presence,
    )
    return Demand(
        to=to,
        pool=ids.numbers,
        rotation=rotation,
        calls_per_second=plan.pacing.calls_per_second,
        share=pace.ramp * pace.throttle.share,
        at_once=pace.at_once,
    )


def _why(hold: Hold, pace: Pace) -> str:
    """What slows the campaign down is told with what holds this call back."""
    return f"{hold.why}; {pace.throttle.why}" if pace.throttle.why else hold.why
