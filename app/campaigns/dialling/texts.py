"""Text messages that follow dials, sent once each.

A message is judged as a dial would be, but for the caps: the person's hours, the law, the list of
those who want nothing. Then it is written down that the carrier is about to be asked, and the list
is looked at once more. A message of which nobody knows whether it was sent is not sent again.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.claims import CONTACT_COLUMNS, contact_of, is_
from app.campaigns.dialling.words import (
    Campaign,
    Clock,
    Contact,
    Judge,
    OpenText,
    SendText,
    TextFate,
)
from app.campaigns.dialling.writes import Writes
from app.campaigns.states import CampaignState
from app.policy.dialing.words import Allowed, NotNow
from app.records.database import DatabaseAwayError
from app.records.tables import campaigns, contacts, do_not_call, texts

logger = logging.getLogger(__name__)

AT_ONCE: Final = 4
LOOK_MS: Final = 1_000
TRIES: Final = 5
AGAIN_MS: Final = 60_000
"""After a message that was not sent; longer each time."""
IN_DOUBT_MS: Final = 60_000
"""Whoever was about to send it is dead by then."""
_T = texts.c


class Texts:
    """Those of one worker. `judge`: may this person get a message now?"""

    def __init__(self, writes: Writes, judge: Judge, send: SendText, clock: Clock) -> None:
        self._writes = writes
        self._judge = judge
        self._send = send
        self._clock = clock
        self._looked_ms = 0
        self._sending: dict[int, asyncio.Task[None]] = {}

    async def look(self, standing: Mapping[str, Campaign]) -> None:
        """Now and then: begin what is due. Raises `DatabaseAwayError`."""
        now_ms = self._clock()
        if now_ms < self._looked_ms + LOOK_MS:
            return
        self._looked_ms = now_ms
        await self._give_up(now_ms)
        room = AT_ONCE - len(self._sending)
        running = [campaign.campaign_id for campaign in standing.values() if campaign.running]
        if room <= 0 or not running:
            return
        for text, contact in await self._due(running, now_ms, room + len(self._sending)):
            if len(self._sending) < AT_ONCE and text.text_id not in self._sending:
                self._begin(standing[contact.campaign_id], contact, text)

    async def close(self) -> None:
        """When what is being sent was sent."""
        if self._sending:
            await asyncio.wait(self._sending.values())

    async def _due(
        self, running: list[str], now_ms: int, most: int
    ) -> list[tuple[OpenText, Contact]]:
        columns = (
            _T.text_id, _T.contact_id.label("of_contact"), _T.number.label("to"), _T.from_number,
            _T.text, _T.tries,
        )  # fmt: skip
        statement = (
            select(*CONTACT_COLUMNS, *columns)
            .select_from(texts.join(contacts, contacts.c.contact_id == _T.contact_id))
            .where(_T.campaign_id.in_(running), _T.state == is_("due"), _T.due_at_ms <= now_ms)
            .order_by(_T.due_at_ms, _T.text_id)
            .limit(most)
        )
        async with self._writes.database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return [(_text_of(row), contact_of(row)) for row in rows]

    def _begin(self, campaign: Campaign, contact: Contact, text: OpenText) -> None:
        work = self._one(campaign, replace(contact, number=text.number), text)
        task = asyncio.create_task(work, name="a text message")
        self._sending[text.text_id] = task
        task.add_done_callback(lambda _: self._done(text.text_id, task))

    def _done(self, text_id: int, task: "asyncio.Task[None]") -> None:
        del self._sending[text_id]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, DatabaseAwayError):
            logger.error("a text message failed inside the bot", exc_info=error)

    async def _one(self, campaign: Campaign, contact: Contact, text: OpenText) -> None:
        now_ms = self._clock()
        answer = await self._judge(campaign, contact, now_ms)
        if isinstance(answer, NotNow):
            await self._write(text, "due", due_at_ms=answer.again_ms, why=answer.reason)
            return
        if not isinstance(answer, Allowed):
            await self._write(text, "withdrawn", ended_at_ms=now_ms, why=answer.reason)
            return
        if not await self._request(text, now_ms):
            return
        if await self._listed(text.number):
            await self._fate(text, "opted_out")
            return
        fate = await self._send(campaign, contact, text)
        await self._fate(text, fate)

    async def _request(self, text: OpenText, now_ms: int) -> bool:
        """The carrier is about to be asked. False: another worker was quicker, the campaign was
        halted, or the person wants nothing any more; the next look says which."""
        statement = (
            update(texts)
            .where(
                _T.text_id == text.text_id,
                _T.state == is_("due"),
                exists().where(
                    campaigns.c.campaign_id == _T.campaign_id,
                    campaigns.c.state == is_(CampaignState.RUNNING),
                ),
                ~exists().where(do_not_call.c.number == _T.number),
            )
            .values(state=is_("requested"), requested_at_ms=now_ms, tries=_T.tries + 1)
        )
        return await self._changed(statement) == 1

    async def _listed(self, number: str) -> bool:
        async with self._writes.database.reading() as connection:
            found = select(exists().where(do_not_call.c.number == number))
            return bool((await connection.execute(found)).scalar_one())

    async def _fate(self, text: OpenText, fate: TextFate) -> None:
        now_ms = self._clock()
        if fate == "failed" and text.tries + 1 < TRIES:
            again_ms = now_ms + AGAIN_MS * (text.tries + 1)
            await self._write(text, "due", due_at_ms=again_ms, requested_at_ms=None)
            return
        state = "refused" if fate == "failed" else fate
        await self._write(text, state, ended_at_ms=now_ms)

    async def _write(self, text: OpenText, state: str, **values: object) -> None:
        """What is known already stays: it was written by whoever sent it."""
        unsettled = or_(_T.state == is_("due"), _T.state == is_("requested"))
        if state not in ("due", "withdrawn"):
            unsettled = or_(_T.state == is_("requested"), _T.state == is_("unknown"))
        statement = (
            update(texts).where(_T.text_id == text.text_id, unsettled).values(state=state, **values)
        )
        await self._changed(statement)

    async def _give_up(self, now_ms: int) -> None:
        """Of what somebody was about to send, and never said that it was sent."""
        statement = (
            update(texts)
            .where(
                _T.state == is_("requested"),
                _T.requested_at_ms < now_ms - IN_DOUBT_MS,
                _T.text_id.not_in(list(self._sending)),
            )
            .values(state="unknown", ended_at_ms=now_ms)
        )
        if lost := await self._changed(statement):
            fields = {"texts": lost}
            logger.warning("nobody knows whether text messages were sent", extra={"fields": fields})

    async def _changed(self, statement: Any) -> int:
        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(statement)).rowcount)

        return await self._writes.run("text", work)


def _text_of(row: Any) -> OpenText:
    return OpenText(
        text_id=row.text_id,
        contact_id=row.of_contact,
        number=row.to,
        from_number=row.from_number,
        text=row.text,
        tries=row.tries,
    )
