"""Campaigns by a simulated clock: whom to dial is asked of the policy, whether now of the pacing,
and a line of made-up people decides what comes of it."""

import heapq
import random
from array import array
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from app.campaigns.pacing import Pacing, Permit
from app.campaigns.plan import Plan
from app.policy.dialing.words import Allowed, Never, NotNow, Person

Judge: TypeAlias = Callable[[str, Person, int], Allowed | NotNow | Never]
"""May this campaign dial this person at this time (Unix ms)?"""


@dataclass(slots=True)
class Clock:
    """`us`: as the books want it."""

    now_ms: int

    def us(self) -> int:
        return self.now_ms * 1_000


@dataclass(frozen=True, slots=True)
class Fate:
    """What comes of a dial. `answered_ms`: after it, None if nobody alive answers; `audio_ms`:
    after that; `length_ms`: all of it."""

    length_ms: int
    answered_ms: int | None = None
    audio_ms: int = 0


class Line(Protocol):
    def fate(self, at_ms: int) -> Fate: ...


@dataclass(slots=True)
class EvenLine:
    """A quarter of all dials are answered by people, of whom few are left in silence."""

    rng: random.Random
    abandoned: float = 0.005

    def fate(self, at_ms: int) -> Fate:
        kind = self.rng.random()
        if kind > 0.25:
            return Fate(25_000 if kind > 0.5 else 40_000)
        answered_ms = 3_000 + int(self.rng.random() * 15_000)
        audio_ms = 2_400 if self.rng.random() < self.abandoned else 350
        return Fate(
            answered_ms + 20_000 + int(self.rng.expovariate(1 / 60_000)), answered_ms, audio_ms
        )


class Notes(Protocol):
    """Where live answers are counted."""

    async def note(
        self, campaign: str, dialled_ms: int, answered_ms: int, abandoned: bool
    ) -> None: ...


@dataclass(slots=True)
class Log:
    """Every dial, in order: when, of which campaign, from which number, to whom (indices)."""

    at_ms: "array[int]" = field(default_factory=lambda: array("q"))
    campaign: "array[int]" = field(default_factory=lambda: array("h"))
    number: "array[int]" = field(default_factory=lambda: array("h"))
    contact: "array[int]" = field(default_factory=lambda: array("l"))
    most_at_once: int = 0
    waits: dict[str, int] = field(default_factory=dict)
    """How often it was told to wait, by the first words of why."""


@dataclass(slots=True)
class Campaign:
    """`contacts`: (due ms, index), a heap. `judged`: until when the first of them may be dialled;
    `ask_ms`: when pacing wants to be asked again."""

    name: str
    plan: Plan
    contacts: list[tuple[int, int]]
    judged: tuple[int, int] = (-1, 0)
    ask_ms: int = 0
    never: int = 0


class Run:
    """`person_of`: by index. `log.contact` has each that was dialled once."""

    def __init__(
        self,
        clock: Clock,
        campaigns: Iterable[Campaign],
        pacing: Pacing,
        judge: Judge,
        person_of: Callable[[int], Person],
        line: Line,
        notes: Notes,
    ) -> None:
        self.clock, self.campaigns, self.log = clock, list(campaigns), Log()
        self._pacing, self._judge, self._person_of = pacing, judge, person_of
        self._line, self._notes = line, notes
        pool = dict.fromkeys(n for c in self.campaigns for n in c.plan.caller_ids.numbers)
        self.numbers = {number: index for index, number in enumerate(pool)}
        self._events: list[tuple[int, int, Callable[[], Awaitable[None]]]] = []
        self._count = 0
        self._in_air = 0

    def at(self, at_ms: int, do: Callable[[], Awaitable[None]]) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_ms, self._count, do))

    async def go(self, until_ms: int | None = None) -> None:
        """To the end of all contacts, or of the time."""
        while any(campaign.contacts for campaign in self.campaigns):
            if until_ms is not None and self.clock.now_ms >= until_ms:
                return
            while self._events and self._events[0][0] <= self.clock.now_ms:
                await heapq.heappop(self._events)[2]()
            for index, campaign in enumerate(self.campaigns):
                if campaign.contacts and campaign.ask_ms <= self.clock.now_ms:
                    campaign.ask_ms = await self._turn(index, campaign)
            self.clock.now_ms = max(self._next_ms(), self.clock.now_ms + 1)
        while self._events:
            at_ms, _, do = heapq.heappop(self._events)
            self.clock.now_ms = max(at_ms, self.clock.now_ms)
            await do()

    def _next_ms(self) -> int:
        asks = [campaign.ask_ms for campaign in self.campaigns if campaign.contacts]
        events = [self._events[0][0]] if self._events else []
        return min([*asks, *events], default=self.clock.now_ms)

    async def _turn(self, index: int, campaign: Campaign) -> int:
        """Dial whoever may be dialled now; when to ask again."""
        now_ms = self.clock.now_ms
        while campaign.contacts:
            due_ms, contact = campaign.contacts[0]
            if due_ms > now_ms:
                return due_ms
            person = self._person_of(contact)
            if not self._allowed(campaign, contact, person, now_ms):
                continue
            answer = await self._pacing.permit(campaign.name, campaign.plan, person.number, now_ms)
            if not isinstance(answer, Permit):
                why = answer.why.partition(":")[0].partition(";")[0]
                self.log.waits[why] = self.log.waits.get(why, 0) + 1
                return answer.until_ms
            heapq.heappop(campaign.contacts)
            self._dialled(index, contact, answer, now_ms)
        return now_ms

    def _allowed(self, campaign: Campaign, contact: int, person: Person, now_ms: int) -> bool:
        if campaign.judged[0] == contact and now_ms < campaign.judged[1]:
            return True
        match self._judge(campaign.name, person, now_ms):
            case Allowed(until_ms=until_ms):
                campaign.judged = (contact, until_ms)
                return True
            case NotNow(again_ms=again_ms):
                heapq.heapreplace(campaign.contacts, (again_ms, contact))
            case Never():
                heapq.heappop(campaign.contacts)
                campaign.never += 1
        return False

    def _dialled(self, index: int, contact: int, permit: Permit, now_ms: int) -> None:
        log = self.log
        log.at_ms.append(now_ms)
        log.campaign.append(index)
        log.number.append(self.numbers[permit.from_number])
        log.contact.append(contact)
        self._in_air += 1
        log.most_at_once = max(log.most_at_once, self._in_air)
        fate = self._line.fate(now_ms)
        self.at(now_ms + fate.length_ms, lambda: self._over(permit.slot))
        if fate.answered_ms is not None:
            name, answered_ms = self.campaigns[index].name, now_ms + fate.answered_ms
            silent = fate.audio_ms > 2_000
            self.at(
                answered_ms + min(fate.audio_ms, 2_001),
                lambda: self._notes.note(name, now_ms, answered_ms, silent),
            )

    async def _over(self, slot: str) -> None:
        self._in_air -= 1
        await self._pacing.done(slot)
