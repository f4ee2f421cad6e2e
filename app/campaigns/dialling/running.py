"""The campaigns as they stand now: their plans, which of them run, and which are to begin."""

import logging
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.words import Campaign
from app.campaigns.dialling.writes import Writes
from app.campaigns.loading import plan_of
from app.campaigns.plan import Plan
from app.campaigns.states import CampaignState, WrongMoveError
from app.campaigns.store import move
from app.campaigns.times import instant_ms
from app.records.tables import campaigns

logger = logging.getLogger(__name__)
_K = campaigns.c


class Campaigns:
    """A plan is read once a version; one that cannot be read stands still, and the log says so."""

    def __init__(self, writes: Writes, worker: str) -> None:
        self._database = writes.database
        self._worker = worker
        self._plans: dict[tuple[str, str], Plan | None] = {}

    async def all(self, now_ms: int) -> dict[str, Campaign]:
        """Those that may have something under way, by their ids. The scheduled ones whose time has
        come begin to run. Raises `DatabaseAwayError`."""
        found: dict[str, Campaign] = {}
        async with self._database.reading() as connection:
            rows = (await connection.execute(_STANDING)).all()
            plans = [
                await self._plan(connection, row.campaign_id, row.plan_version) for row in rows
            ]
        for row, plan in zip(rows, plans, strict=True):
            if plan is None:
                continue
            running = row.state == CampaignState.RUNNING
            if row.state == CampaignState.SCHEDULED:
                running = await self._opened(row.campaign_id, plan, now_ms)
            found[row.campaign_id] = Campaign(row.campaign_id, plan, running)
        return found

    async def _opened(self, campaign_id: str, plan: Plan, now_ms: int) -> bool:
        if plan.schedule.starts and instant_ms(plan.schedule.starts) > now_ms:
            return False
        with suppress(WrongMoveError):  # another worker, or an operator, was quicker
            await move(self._database, campaign_id, "open", by=self._worker, now_ms=now_ms)
        return True

    async def _plan(
        self, connection: AsyncConnection, campaign_id: str, version: str
    ) -> Plan | None:
        key = (campaign_id, version)
        if key not in self._plans:
            statement = select(_K.plan).where(_K.campaign_id == campaign_id)
            read = (await connection.execute(statement)).scalar_one()
            try:
                self._plans[key] = plan_of(read)
            except ValueError:
                fields = {"campaign": campaign_id, "version": version}
                text = "a campaign stands still: its plan is none of this version's"
                logger.exception(text, extra={"fields": fields})
                self._plans[key] = None
        return self._plans[key]


_STANDING = select(_K.campaign_id, _K.state, _K.plan_version).where(
    _K.state != CampaignState.DRAFT.value
)
