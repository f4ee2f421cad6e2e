"""A message that follows a dial is sent once, when the person may get one, and never to who wants
none; of one that is in doubt nobody sends another."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.campaigns.dialling.rounds import Rounds
from app.campaigns.dialling.texts import AGAIN_MS, IN_DOUBT_MS, LOOK_MS, TRIES, Texts
from app.campaigns.dialling.words import Campaign, Contact, OpenText, TextFate
from app.campaigns.dialling.writes import Writes
from app.policy.dialing.words import Allowed, Answer, DialRule, Never, NotNow
from app.records.database import Database
from app.records.tables import contacts, texts
from tests.campaigns.dialling.stage import (
    CAMPAIGN,
    NAME,
    Crash,
    Points,
    Time,
    opt_out,
    running,
    set_state,
)
from tests.campaigns.lists import LINE, NOW_MS, number

STANDING = {NAME: CAMPAIGN}


class Desk:
    """One worker's messages. `fates`: what comes of the next ones, in turn; sent where there is
    nothing."""

    def __init__(self, database: Database, clock: Time | None = None) -> None:
        self.clock = clock or Time()
        self.answer: Answer = Allowed(NOW_MS + 10**9)
        self.judged: list[str] = []
        self.sent: list[str] = []
        self.fates: list[TextFate] = []
        self.points = Points()
        writes = Writes(database, self.points)
        self.texts = Texts(writes, self._judge, self._send, self.clock)

    async def look(self) -> None:
        """After a while, and until all that it began is done."""
        self.clock.now_ms += LOOK_MS
        await self.texts.look(STANDING)
        await self.texts.close()

    async def _judge(self, campaign: Campaign, contact: Contact, now_ms: int) -> Answer:
        self.judged.append(contact.number)
        return self.answer

    async def _send(self, campaign: Campaign, contact: Contact, text: OpenText) -> TextFate:
        self.sent.append(text.text)
        await asyncio.sleep(0)
        return self.fates.pop(0) if self.fates else "sent"


async def due(database: Database, count: int = 1, **given: Any) -> None:
    """So many messages of a campaign that runs, to the first contact."""
    await running(database)
    row = {
        "contact_id": 1,
        "campaign_id": NAME,
        "ordinal": 1,
        "number": number(1),
        "from_number": LINE,
        "state": "due",
        "due_at_ms": NOW_MS,
        "tries": 0,
        **given,
    }
    rows = [{**row, "step": at, "text": f"text {at}"} for at in range(count)]
    async with database.writing() as connection:
        await connection.execute(insert(texts), rows)


async def kept(database: Database) -> Mapping[str, Any]:
    async with database.reading() as connection:
        return dict((await connection.execute(select(texts))).mappings().one())


async def test_each_is_sent_once_by_several_workers(database: Database) -> None:
    await due(database, 30)
    clock = Time()
    desks = [Desk(database, clock) for _ in range(3)]
    for _ in range(40):
        await asyncio.gather(*(desk.look() for desk in desks))
    sent = [text for desk in desks for text in desk.sent]
    assert sorted(sent) == sorted(f"text {at}" for at in range(30))


async def test_it_waits_until_it_is_due_and_the_person_may_get_it(database: Database) -> None:
    await due(database, due_at_ms=NOW_MS + 5_000)
    desk = Desk(database)
    await desk.look()
    assert desk.judged == []
    desk.clock.now_ms = NOW_MS + 5_000
    desk.answer = NotNow(DialRule.WINDOW, "too late in the day", NOW_MS + 60_000)
    await desk.look()
    row = await kept(database)
    assert (row["state"], row["due_at_ms"]) == ("due", NOW_MS + 60_000)
    desk.clock.now_ms, desk.answer = NOW_MS + 60_000, Allowed(NOW_MS + 10**9)
    await desk.look()
    row = await kept(database)
    assert (row["state"], row["tries"], desk.sent) == ("sent", 1, ["text 0"])


async def test_who_may_never_get_one_gets_none(database: Database) -> None:
    await due(database)
    desk = Desk(database)
    desk.answer = Never(DialRule.NO_CONSENT, "no consent is on record")
    await desk.look()
    row = await kept(database)
    assert (row["state"], row["why"], desk.sent) == ("withdrawn", "no consent is on record", [])


async def test_an_opt_out_after_the_judgement_still_counts(database: Database) -> None:
    await due(database)
    desk = Desk(database)
    await opt_out(database)
    await desk.look()
    assert desk.sent == []
    assert (await kept(database))["state"] == "due"


async def test_an_opt_out_beside_the_request_still_counts(database: Database) -> None:
    await due(database)
    desk = Desk(database)
    desk.texts._listed = _yes  # type: ignore[method-assign]
    await desk.look()
    assert ((await kept(database))["state"], desk.sent) == ("opted_out", [])


async def _yes(number: str) -> bool:
    return True


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_a_campaign_that_stands_still_sends_nothing(database: Database, state: str) -> None:
    await due(database)
    await set_state(database, state)
    desk = Desk(database)
    await desk.look()
    assert ((await kept(database))["state"], desk.sent) == ("due", [])


async def test_what_was_not_sent_is_tried_again_for_a_while(database: Database) -> None:
    await due(database)
    desk = Desk(database)
    desk.fates = ["failed"] * TRIES
    for _ in range(TRIES + 2):
        await desk.look()
        desk.clock.now_ms += TRIES * AGAIN_MS
    row = await kept(database)
    assert (row["state"], row["tries"], len(desk.sent)) == ("refused", TRIES, TRIES)


@pytest.mark.parametrize("fate", ["opted_out", "unknown", "refused"])
async def test_other_fates_are_final(database: Database, fate: TextFate) -> None:
    await due(database)
    desk = Desk(database)
    desk.fates = [fate]
    for _ in range(3):
        await desk.look()
        desk.clock.now_ms += IN_DOUBT_MS
    assert ((await kept(database))["state"], len(desk.sent)) == (fate, 1)


async def test_what_a_dead_worker_was_about_to_send_is_never_sent(database: Database) -> None:
    await due(database, state="requested", requested_at_ms=NOW_MS)
    desk = Desk(database)
    await desk.look()
    assert (await kept(database))["state"] == "requested"
    desk.clock.now_ms += IN_DOUBT_MS
    await desk.look()
    assert ((await kept(database))["state"], desk.sent) == ("unknown", [])


async def test_a_death_before_it_was_sent_sends_nothing_twice(database: Database) -> None:
    await due(database)
    first, second = Desk(database), Desk(database)

    async def die(campaign: Campaign, contact: Contact, text: OpenText) -> TextFate:
        first.sent.append(text.text)
        raise Crash

    first.texts._send = die
    first.clock.now_ms += LOOK_MS
    await first.texts.look(STANDING)
    with pytest.raises(Crash):
        await asyncio.gather(*first.texts._sending.values())
    second.clock.now_ms += IN_DOUBT_MS
    for _ in range(3):
        await second.look()
    assert (first.sent, second.sent) == (["text 0"], [])


async def test_a_campaign_is_not_over_before_its_messages_are(database: Database) -> None:
    await due(database)
    async with database.writing() as connection:
        await connection.execute(update(contacts).values(state="done"))
    desk = Desk(database)
    rounds = Rounds(Writes(database), "w1")
    assert not await rounds.complete(NAME, NOW_MS)
    await desk.look()
    assert await rounds.complete(NAME, NOW_MS)


async def test_the_number_that_was_dialled_is_judged(database: Database) -> None:
    await due(database, number=number(7))
    desk = Desk(database)
    await desk.look()
    assert desk.judged == [number(7)]
