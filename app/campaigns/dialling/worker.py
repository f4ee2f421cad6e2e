"""A dialler's worker: it claims what is due, dials it, and sees each attempt to its end.

Several may run, in as many processes and machines as there is work for; with SQLite, one. Any of
them may die at any moment: see docs/campaign-dialling.md.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.campaigns.dialling.claims import Claims
from app.campaigns.dialling.dial import Dial, Mood
from app.campaigns.dialling.hearing import Hearing, Known
from app.campaigns.dialling.ledger import Ledger
from app.campaigns.dialling.rounds import Rounds
from app.campaigns.dialling.running import Campaigns
from app.campaigns.dialling.settling import Settling
from app.campaigns.dialling.steps import Steps
from app.campaigns.dialling.texts import Texts
from app.campaigns.dialling.watch import Watch
from app.campaigns.dialling.words import (
    Attempt,
    Campaign,
    Clock,
    Contact,
    Follow,
    Judge,
    Pace,
    SendText,
    Timing,
)
from app.campaigns.dialling.writes import At, Writes, nothing
from app.campaigns.ports import Carrier, Heard
from app.records.database import Database, DatabaseAwayError

logger = logging.getLogger(__name__)

MOST_HELD: Final = 1_000
AHEAD: Final = 20
TAKE_OVER_MOST: Final = 200
LOOKS_WHEN_BUSY: Final = 4
"""In the time in which an idle worker looks once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`held`: contacts of one worker, from the claim to the end of their calls. `ahead`: those of
    one campaign that are on their way to the carrier."""

    held: int = MOST_HELD
    ahead: int = AHEAD


@dataclass(frozen=True, slots=True)
class Texting:
    """`judge`: may this person get a message now? `send`: sends one."""

    judge: Judge
    send: SendText


class Worker:
    """`name`: one that no other worker, past or present, has. `follow`: what is next after an
    attempt; by default the steps of the plan. `texting` None: text messages are left to others.
    `run` returns when `stop` was called and no request is on its way."""

    def __init__(
        self,
        name: str,
        database: Database,
        carrier: Carrier,
        judge: Judge,
        pace: Pace,
        clock: Clock,
        *,
        follow: Follow | None = None,
        texting: Texting | None = None,
        timing: Timing | None = None,
        room: Room | None = None,
        at: At = nothing,
    ) -> None:
        self._timing = timing or Timing()
        self._room = room or Room()
        self._clock = clock
        self._mood = Mood()
        self._dialling: dict[int, asyncio.Task[None]] = {}
        self._ahead: Counter[str] = Counter()
        self._woken = asyncio.Event()
        self._held = 0
        self._took_over_ms = 0
        self._writes = writes = Writes(database, at)
        self._claims = Claims(writes, name, self._timing.lease_ms)
        self._hearing = Hearing(writes)
        self._rounds = Rounds(writes, name)
        self._campaigns = Campaigns(writes, name)
        self._texts: Texts | None = None
        if texting is not None:
            self._texts = Texts(writes, texting.judge, texting.send, clock)
        ledger = Ledger(writes, name)
        settling = Settling(carrier, ledger, self._hearing, self._timing, clock, at)
        self._dial = Dial(
            claims=self._claims,
            ledger=ledger,
            rounds=self._rounds,
            carrier=carrier,
            judge=judge,
            pace=pace,
            timing=self._timing,
            clock=clock,
            mood=self._mood,
            at=at,
        )
        self._watch = Watch(
            claims=self._claims,
            rounds=self._rounds,
            settling=settling,
            follow=follow or Steps(database, self._timing.found_within_ms),
            pace=pace,
            timing=self._timing,
            clock=clock,
            begin=self._resume,
            wake=self._woken.set,
        )

    async def hear(self, heard: Heard) -> Known:
        """News of a call, of any worker's. On the disk when this returns."""
        known = await self._hearing.hear(heard)
        self._woken.set()
        return known

    async def idle(self) -> None:
        """When nothing that was heard is being written."""
        await self._writes.idle()

    def stop(self) -> None:
        """No new dials from now on."""
        self._mood.leaving = True
        self._woken.set()

    async def run(self) -> None:
        renewing = asyncio.create_task(self._renew(), name="dialler leases")
        try:
            while not self._mood.leaving:
                self._woken.clear()
                await self._turn()
                await self._pause()
            await self._leave()
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._watch.close()
            await self._claims.hang_up()
            await self._writes.idle()

    async def _turn(self) -> None:
        try:
            now_ms = self._clock()
            campaigns = await self._campaigns.all(now_ms)
            self._mood.running = {c.campaign_id for c in campaigns.values() if c.running}
            if now_ms >= self._took_over_ms + self._timing.lease_ms // 4:
                await self._claims.take_over(TAKE_OVER_MOST, now_ms)
                self._took_over_ms = now_ms
            busy = set(self._dialling)
            self._held = await self._watch.look(campaigns, busy, leaving=self._mood.leaving)
            if self._texts is not None and not self._mood.leaving:
                await self._texts.look(campaigns)
            for campaign in campaigns.values():
                if campaign.running and not self._mood.leaving:
                    await self._claim(campaign)
        except DatabaseAwayError:
            logger.warning("the database is away: nothing is dialled until it is back")

    async def _claim(self, campaign: Campaign) -> None:
        ahead = self._room.ahead - self._ahead[campaign.campaign_id]
        most = min(ahead, self._room.held - self._held)
        if most <= 0:
            return
        now_ms = self._clock()
        found = await self._claims.claim(campaign.campaign_id, most, now_ms)
        for contact in found:
            self._begin(campaign, contact, None)
        self._held += len(found)
        if not found and await self._rounds.complete(campaign.campaign_id, now_ms):
            fields = {"campaign": campaign.campaign_id}
            logger.info("a campaign is completed", extra={"fields": fields})

    def _resume(self, campaign: Campaign, contact: Contact, attempt: Attempt | None) -> None:
        """What a dead worker began; where there is no room for it now, it is looked at again."""
        if self._ahead[campaign.campaign_id] < self._room.ahead:
            self._begin(campaign, contact, attempt)

    def _begin(self, campaign: Campaign, contact: Contact, attempt: Attempt | None) -> None:
        dial = self._dial.dial(campaign, contact, attempt)
        task = asyncio.create_task(dial, name="a dial")
        self._dialling[contact.contact_id] = task
        self._ahead[contact.campaign_id] += 1
        task.add_done_callback(partial(self._dialled, contact))

    def _dialled(self, contact: Contact, task: "asyncio.Task[None]") -> None:
        # It may have been put back, claimed and begun anew before this one came to its end.
        if self._dialling.get(contact.contact_id) is task:
            del self._dialling[contact.contact_id]
        self._ahead[contact.campaign_id] -= 1
        self._woken.set()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, DatabaseAwayError):
            logger.warning("the database is away: a dial waits for it")
        else:
            logger.error("a dial failed inside the bot", exc_info=error)

    async def _pause(self) -> None:
        look_s = self._timing.look_ms / 1_000
        await asyncio.sleep(look_s / LOOKS_WHEN_BUSY)
        try:
            async with asyncio.timeout(look_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._timing.lease_ms / 3_000)
            try:
                await self._claims.renew(self._clock())
            except DatabaseAwayError:
                logger.warning("the database is away: leases run out")

    async def _leave(self) -> None:
        """Requests on their way are waited for; calls in progress are left to others."""
        if self._dialling:
            await asyncio.wait(self._dialling.values())
        if self._texts is not None:
            await self._texts.close()
        try:
            now_ms = self._clock()
            await self._watch.look(await self._campaigns.all(now_ms), (), leaving=True)
            await self._claims.let_go(now_ms)
        except DatabaseAwayError:
            logger.warning("the database is away: leases are left to run out")
