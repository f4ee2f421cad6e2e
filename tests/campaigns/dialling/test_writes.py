"""What `run` has returned is on the disk, whoever shared its commit; one's failure is its own."""

import asyncio
from functools import partial

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.writes import Writes
from app.records.database import Database
from app.records.tables import do_not_call
from tests.records.test_database import numbers, row


async def put(connection: AsyncConnection, number: str) -> str:
    await connection.execute(insert(do_not_call), [row(number)])
    return number


async def test_many_at_once_are_all_written(database: Database) -> None:
    writes = Writes(database)
    tries = [writes.run("hear", partial(put, number=f"+{n}")) for n in range(200)]
    assert await asyncio.gather(*tries) == [f"+{n}" for n in range(200)]
    assert len(await numbers(database)) == 200
    await writes.idle()


async def test_a_failure_is_told_to_its_own_writer_only(database: Database) -> None:
    writes = Writes(database)
    tries = [writes.run("hear", partial(put, number=to)) for to in ("+1", "+2", "+1", "+3")]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(one, IntegrityError) for one in found].count(True) == 1
    assert sorted(await numbers(database)) == ["+1", "+2", "+3"]
    await writes.idle()


async def test_who_gives_up_waiting_holds_up_nobody(database: Database) -> None:
    writes = Writes(database)
    first = asyncio.create_task(writes.run("hear", partial(put, number="+1")))
    await asyncio.sleep(0)
    first.cancel()
    assert await writes.run("hear", partial(put, number="+2")) == "+2"
    assert "+2" in await numbers(database)
    await writes.idle()
