"""Invariant: what a caller leaves is told once however often its tool runs, and is promised only
where somebody is told."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.campaigns.asked_times import Asked
from app.dial_book import DialBook
from app.keeping import keeping, with_callbacks
from app.outgoing.endpoints import ALL_EVENTS, Endpoint, Targets, secrets_from
from app.outgoing.outgoing import open_outgoing
from app.records.database import Database
from app.records.tables import attempts
from tests.campaigns.dialling.stage import running
from tests.campaigns.lists import dialled
from tests.outgoing.receiver import NAME, SECRET, Receiver, until
from tests.records.conftest import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]

MESSAGE = {"kind": "message", "message": "call me", "name": "Ada", "number": "+15550100001"}
CALLBACK = {"kind": "callback", "when": "tomorrow", "about": "the bill", "number": "+15550100001"}


async def test_what_is_left_arrives_once(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        targets = Targets((Endpoint(receiver.url, NAME),), ALL_EVENTS)
        async with open_outgoing(
            tmp_path,
            secrets_of=secrets_from({NAME: SECRET}),
            targets_of=lambda agent: targets if agent == "desk" else Targets(),
        ) as outgoing:
            keep = keeping(outgoing, lambda: ("desk", "CA1"), "inbound")
            assert keep is not None
            assert await keep(MESSAGE, "run-1")
            assert await keep(MESSAGE, "run-1")
            assert await keep(CALLBACK, "run-2")
            nobody = keeping(outgoing, lambda: ("other", "CA1"), "inbound")
            assert nobody is not None
            assert not await nobody(MESSAGE, "run-3")
            await until(lambda: len(receiver.taken) == 2)
    told = {got.payload["type"]: got.payload["data"] for got in receiver.taken}
    assert told["message.taken"]["text"] == "call me"
    assert told["message.taken"]["name"] == "Ada"
    assert told["callback.requested"]["at"] == "tomorrow"
    assert told["callback.requested"]["note"] == "the bill"
    assert keeping(None, lambda: ("desk", "CA1"), "inbound") is None


BACK = {"kind": "callback", "when": "at nine", "about": "", "number": "", "time": "09:00"}


async def test_a_campaign_is_told_when_the_person_wants_to_be_called_back(
    database: Database,
) -> None:
    await running(database)
    attempt_id = await dialled(database, 1)
    keep = with_callbacks(None, DialBook(database), attempt_id)
    assert keep is not None
    assert await keep(BACK, "run-1")
    async with database.reading() as connection:
        kept = (await connection.execute(select(attempts.c.callback))).scalar_one()
    asked = Asked.of(kept)
    assert asked is not None
    assert (asked.time, asked.day, asked.in_minutes) == ("09:00", "", 0)


@pytest.mark.parametrize("fields", [MESSAGE, CALLBACK])
async def test_what_a_person_must_see_to_is_not_the_campaigns(
    database: Database, fields: dict[str, str]
) -> None:
    await running(database)
    keep = with_callbacks(None, DialBook(database), await dialled(database, 1))
    assert keep is not None
    assert not await keep(fields, "run-1")


async def test_a_call_of_no_campaign_is_as_it_was(database: Database) -> None:
    assert with_callbacks(None, DialBook(database), "") is None
