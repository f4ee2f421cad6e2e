"""The books of outbound dialling, common to all workers: who dialled when, and what is in the air.

Redis only keeps them. Whether a call may go out is decided by a function that is given them as
they stand and says what is to be written; of two workers that decide at once one decides again.
Nothing is decided without Redis. `app.campaigns.pacing` is who asks.
"""

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from app.live import names
from app.live.asking import Asker, Command

logger = logging.getLogger(__name__)

RENEW_S: Final = 5.0
TRIES: Final = 20
"""So often it is decided anew because another worker was first."""
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NumberBook:
    """One caller number. Unix µs. `day`: the day's number where it is; `today`: calls on it."""

    stamp_us: int
    dialled_us: int = 0
    day: int = 0
    today: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """As they stand at `now_us` (Unix µs). A stamp that was never written is `since_us`, when the
    books were begun: Redis may have lost it."""

    now_us: int
    since_us: int
    account_us: int
    campaign_us: int
    calls: int
    """Calls of all campaigns, ringing ones included."""
    campaign_calls: int
    numbers: Mapping[str, NumberBook]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one dial writes."""

    number: str
    book: NumberBook
    account_us: int
    campaign_us: int


@dataclass(frozen=True, slots=True)
class Hold:
    """No call now. `wait_us`: it makes no sense to ask earlier; `why`: words for the operator."""

    wait_us: int
    why: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A call that is counted until `RedisPace.free`, or until its lease ends."""

    slot: str
    number: str


Decide: TypeAlias = Callable[[Books], Entry | Hold]


class RedisPace:
    """`clock_us`: Unix µs; None: Redis' own clock, which is the same for all workers."""

    def __init__(self, asker: Asker, clock_us: Callable[[], int] | None = None) -> None:
        self._asker = asker
        self._clock_us = clock_us
        self._turn = asyncio.Lock()
        """One of this process at a time: they would only get into each other's way."""

    async def take(
        self, campaign_id: str, numbers: Sequence[str], decide: Decide, name: str = ""
    ) -> Slot | Hold:
        """Let `decide` judge the books, and write what it says. `name`: of the call, for
        `slot_of`; "" for one of its own. Raises `RedisAwayError`: nothing may be dialled; what was
        written then only makes the next ones wait."""
        slot = slot_of(campaign_id, name or uuid.uuid4().hex)
        async with self._turn:
            for _ in range(TRIES):
                taking = _Taking(self, slot, numbers, decide)
                if await self._asker.exchange(names.DIALING, taking.work):
                    return taking.answer
        return Hold(_SECOND_US // 100, "other workers are dialling in this very moment")

    async def bind(self, slot: str, call_id: str) -> None:
        """The carrier has placed it: its stream is not counted besides. Raises `RedisAwayError`."""
        await self._asker.ask("HSET", names.DIALING_CALLS, slot, call_id)

    async def free(self, slot: str) -> None:
        """The call is over. Raises `RedisAwayError`: then its lease has to end."""
        await self._asker.ask_all(_forgetting([slot]), atomic=True)

    async def keep(self, slots: Collection[str]) -> set[str]:
        """Renew the leases of these and forget the dead; which of these there still are. One that
        was given back, by whatever process, is not. Raises `RedisAwayError`."""
        now_us = await self.now_us()
        end_us = now_us + names.SLOT_TTL_S * _SECOND_US
        dead = await self._asker.ask("ZRANGEBYSCORE", names.DIALING_SLOTS, "-inf", now_us)
        # A process that stood still for so long that its leases ended has its calls all the same.
        gone = {member.decode() for member in dead} - set(slots)
        commands = [*_forgetting(sorted(gone))]
        for slot in slots:
            commands += _leasing(slot, end_us, "XX")
        if commands:
            await self._asker.ask_all(commands, atomic=True)
        if not slots:
            return set()
        scores = await self._asker.ask("ZMSCORE", names.DIALING_SLOTS, *slots)
        return {slot for slot, score in zip(slots, scores, strict=True) if score is not None}

    async def now_us(self) -> int:
        """Raises `RedisAwayError`."""
        if self._clock_us is not None:
            return self._clock_us()
        seconds, micros = await self._asker.ask("TIME")
        return int(seconds) * _SECOND_US + int(micros)

    async def books(self, campaign_id: str, numbers: Sequence[str]) -> Books | None:
        """None: they are not begun. Raises `RedisAwayError`."""
        # The clock is read first: a lease that ends in between is counted once more, no harm done.
        now_us = await self.now_us()
        number_keys = [names.dialing_number(_digest(number)) for number in numbers]
        account, campaign, calls, here, *kept = await self._asker.ask_all(
            [
                ("GET", names.DIALING),
                ("GET", names.dialing_campaign(campaign_id)),
                ("ZCOUNT", names.DIALING_SLOTS, f"({now_us}", "+inf"),
                ("ZCOUNT", names.dialing_slots(campaign_id), f"({now_us}", "+inf"),
                *([("MGET", *number_keys)] if number_keys else []),
            ],
            atomic=True,
        )
        if account is None:
            return None
        since_us, account_us = msgspec.json.decode(account, type=tuple[int, int])
        found = zip(numbers, kept[0] if kept else [], strict=True)
        return Books(
            now_us=now_us,
            since_us=since_us,
            account_us=account_us,
            campaign_us=int(campaign) if campaign is not None else since_us,
            calls=int(calls),
            campaign_calls=int(here),
            numbers={number: _book(value, since_us) for number, value in found},
        )


class _Taking:
    """One try. `answer` counts once what `work` gives has been written."""

    def __init__(self, pace: RedisPace, slot: str, numbers: Sequence[str], decide: Decide) -> None:
        self._pace, self._slot, self._numbers, self._decide = pace, slot, numbers, decide
        self.answer: Slot | Hold = Hold(0, "")

    async def work(self) -> Sequence[Command]:
        books = await self._pace.books(campaign_of(self._slot), self._numbers)
        if books is None:
            now_us = await self._pace.now_us()
            self.answer = Hold(0, "the books of dialling are begun")
            return [_account(now_us, now_us)]
        decided = self._decide(books)
        if isinstance(decided, Hold):
            self.answer = decided
            return []
        self.answer = Slot(self._slot, decided.number)
        return _entering(books, decided, self._slot)


def slot_of(campaign_id: str, name: str) -> str:
    """`name` holds no "/"."""
    return f"{campaign_id}/{name}"


def campaign_of(slot: str) -> str:
    return slot.rpartition("/")[0]


def _account(since_us: int, stamp_us: int) -> Command:
    value = msgspec.json.encode((since_us, stamp_us))
    return ("SET", names.DIALING, value, "EX", names.DIALING_TTL_S)


def _entering(books: Books, entry: Entry, slot: str) -> list[Command]:
    book, ttl_s = entry.book, names.DIALING_TTL_S
    value = msgspec.json.encode((book.stamp_us, book.dialled_us, book.day, book.today))
    return [
        _account(books.since_us, entry.account_us),
        ("SET", names.dialing_campaign(campaign_of(slot)), entry.campaign_us, "EX", ttl_s),
        ("SET", names.dialing_number(_digest(entry.number)), value, "EX", ttl_s),
        *_leasing(slot, books.now_us + names.SLOT_TTL_S * _SECOND_US),
    ]


def _leasing(slot: str, end_us: int, *only: str) -> list[Command]:
    of_campaign = names.dialing_slots(campaign_of(slot))
    return [
        ("ZADD", names.DIALING_SLOTS, *only, end_us, slot),
        ("ZADD", of_campaign, *only, end_us, slot),
        ("EXPIRE", of_campaign, names.DIALING_TTL_S),
    ]


def _forgetting(slots: Sequence[str]) -> list[Command]:
    return [
        command
        for slot in slots
        for command in (
            ("ZREM", names.DIALING_SLOTS, slot),
            ("ZREM", names.dialing_slots(campaign_of(slot)), slot),
            ("HDEL", names.DIALING_CALLS, slot),
        )
    ]


def _book(value: bytes | None, since_us: int) -> NumberBook:
    if value is None:
        return NumberBook(since_us)
    return NumberBook(*msgspec.json.decode(value, type=tuple[int, int, int, int]))


def _digest(number: str) -> str:
    """No key holds a number; that ours can be guessed from it does no harm."""
    return hashlib.sha256(number.encode()).hexdigest()[:24]
