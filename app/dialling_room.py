"""A process that dials campaigns: the database, the law, the pace, the carrier and the list of
those who want no calls, joined."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import cache
from typing import Final

from app.calls_out import carrier_of
from app.campaign_texts import CampaignTexts
from app.campaigning import pacing_of
from app.campaigns import pacing
from app.campaigns.dialling.words import Campaign, Contact, Pace, Permit, Wait
from app.campaigns.dialling.worker import Texting, Worker
from app.campaigns.judging import Judging, histories_of, policy
from app.campaigns.pacing import Pacing
from app.campaigns.plan import Plan
from app.live import Live
from app.live.pace import slot_of
from app.policy.dialing.words import Answer, History
from app.records.database import Database
from app.records.do_not_call import DoNotCall
from app.rest_line import RestLine
from app.settings import Settings

FLUSH_S: Final = 1.0


class CampaignPace(Pace):
    """The pacing, as diallers ask it. Nobody is dialled twice at once, so each contact has a slot
    of its own, which any process can give back."""

    def __init__(self, pacing_: Pacing) -> None:
        self._pacing = pacing_

    async def permit(self, campaign: Campaign, contact: Contact, now_ms: int) -> Permit | Wait:
        answer = await self._pacing.permit(
            campaign.campaign_id,
            campaign.plan,
            contact.number,
            now_ms,
            name=str(contact.contact_id),
        )
        if isinstance(answer, pacing.Permit):
            return Permit(answer.from_number)
        return Wait(answer.until_ms, answer.why)

    async def placed(self, campaign: Campaign, contact: Contact, call_id: str) -> None:
        await self._pacing.placed(_slot(campaign, contact), call_id)

    async def over(self, campaign: Campaign, contact: Contact) -> None:
        await self._pacing.done(_slot(campaign, contact))


class Judges:
    """May this contact be dialled now, by the law, the plan and all that was dialled before? And
    may they get a text message, which no cap on dials counts?"""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def judge(self, campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
        """Raises `DatabaseAwayError`."""
        async with self._database.reading() as connection:
            return await _judging(campaign.plan).one(connection, contact, now_ms)

    async def judge_text(self, campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
        """Raises `DatabaseAwayError`."""
        async with self._database.reading() as connection:
            judging = _judging(campaign.plan)
            found = await histories_of(connection, campaign.campaign_id, [contact.number])
        listed = History(do_not_call=found[contact.number].do_not_call)
        return judging.judge(contact, listed, now_ms)


class DiallingRoom:
    """`name`: one that no other process, past or present, has. `await run()` until `stop`."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        live: Live,
        database: Database,
        rest: RestLine,
        clock: Callable[[], int],
    ) -> None:
        self._pacing = pacing_of(settings, live, database)
        self._listed = DoNotCall(database, settings.data_dir)
        judges = Judges(database)
        self._worker = Worker(
            name,
            database,
            carrier_of(settings, rest),
            judges.judge,
            CampaignPace(self._pacing),
            clock,
            texting=Texting(judges.judge_text, CampaignTexts(settings, live, rest).send),
        )
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """No new dials; calls that ring or talk go on, and others see to their ends."""
        self._stopped.set()
        self._worker.stop()

    async def run(self) -> None:
        # Who opted out while the database was away comes before anybody is dialled.
        while not self._stopped.is_set() and not await self._listed.flush():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), FLUSH_S)
        beside = [
            asyncio.create_task(self._pacing.run(), name="slots"),
            asyncio.create_task(self._listed.run(), name="do not call"),
        ]
        try:
            await self._worker.run()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


@cache
def _judging(plan: Plan) -> Judging:
    return Judging(plan, policy().may_dial)


def _slot(campaign: Campaign, contact: Contact) -> str:
    return slot_of(campaign.campaign_id, str(contact.contact_id))
