"""Whether a call may go out, by the books as they stand. Pure: `RedisPace` and a simulated run ask
the same function."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.campaigns.caller_ids import NoneFree, Rotation, choose
from app.campaigns.spacing import SECOND_US, free_at_us, interval_us, stamped_us
from app.live.pace import Books, Entry, Hold

FULL_WAIT_US: Final = SECOND_US // 4
"""Nobody knows when a call ends, so it is asked again after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """What the carrier, and our own workers, bear. The environment's EARSHOT_CALLS_PER_SECOND,
    EARSHOT_NUMBER_CALLS_PER_SECOND, EARSHOT_CALLS_AT_ONCE, EARSHOT_CALLS_KEPT_FREE."""

    calls_per_second: float = 1.0
    number_calls_per_second: float = 1.0
    at_once: int = 0
    """Calls in both directions; 0: as many as the workers can carry."""
    kept_free: int = 0
    """Places that campaigns leave to callers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One call that a campaign would like to make. `share` of its pace is given, by the ramp and
    the throttle; `at_once`: the most calls that it may have now."""

    to: str
    pool: tuple[str, ...]
    rotation: Rotation
    calls_per_second: float
    share: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Room:
    """`places`: of the account and the workers together, None for no limit; `others`: calls that
    are no campaign's."""

    places: int | None
    others: int = 0


def permitted(books: Books, demand: Demand, limits: AccountLimits, room: Room) -> Entry | Hold:
    """What the call writes into the books, or why there is none now."""
    account = interval_us(limits.calls_per_second)
    campaign = interval_us(demand.calls_per_second, demand.share)
    now_us = books.now_us
    waits = [
        (free_at_us(books.account_us, account, now_us), "the account's calls per second"),
        (free_at_us(books.campaign_us, campaign, now_us), "the campaign's calls per second"),
        *((now_us + FULL_WAIT_US, why) for why in _full(books, demand, limits, room)),
    ]
    until_us, why = max(waits)
    if until_us > now_us:
        return Hold(until_us - now_us, why)
    chosen = choose(demand.pool, books.numbers, demand.rotation, demand.to, now_us)
    if isinstance(chosen, NoneFree):
        return Hold(chosen.until_us - now_us, chosen.why)
    return Entry(
        number=chosen.number,
        book=chosen.book,
        account_us=stamped_us(books.account_us, account, now_us),
        campaign_us=stamped_us(books.campaign_us, campaign, now_us),
    )


def _full(books: Books, demand: Demand, limits: AccountLimits, room: Room) -> Iterator[str]:
    if books.campaign_calls >= demand.at_once:
        yield f"the campaign has {books.campaign_calls} calls at once, {demand.at_once} may be"
    used = books.calls + room.others
    if room.places is not None and used + limits.kept_free >= room.places:
        yield (
            f"there are {room.places} places for calls; {used} are taken and {limits.kept_free} "
            "are kept free for callers"
        )
