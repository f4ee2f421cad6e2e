"""Who is on the list stays on it, however often and by whom they are put there; nothing is lost
while the database is away."""

from pathlib import Path

from app.records.database import Database, sql_url
from app.records.do_not_call import DoNotCall, Entry, put, source_of
from tests.records.postgres_fixture import PostgresProcess

THEIRS, OTHER = "+14155550101", "+14155550102"


async def test_the_first_word_stays(database: Database, tmp_path: Path) -> None:
    listed = DoNotCall(database, tmp_path)
    assert not await listed.has(THEIRS)
    assert await listed.add(Entry(THEIRS, "spoken", 1, call_id="CA1"))
    assert await listed.add(Entry(THEIRS, "imported", 2))
    assert await listed.has(THEIRS)
    assert not await listed.has(OTHER)
    async with database.reading() as connection:
        assert await source_of(connection, THEIRS) == "spoken"
        assert await source_of(connection, OTHER) == ""


async def test_many_at_once_say_how_many_are_new(database: Database) -> None:
    entries = [Entry(f"+1415555{n:04}", "imported", n) for n in range(2_500)]
    async with database.writing() as connection:
        assert await put(connection, entries[:100]) == 100
        assert await put(connection, entries) == 2_400


async def test_what_is_taken_back_may_be_called(database: Database, tmp_path: Path) -> None:
    listed = DoNotCall(database, tmp_path)
    await listed.add(Entry(THEIRS, "own", 1))
    assert await listed.take_back(THEIRS)
    assert not await listed.take_back(THEIRS)
    assert not await listed.has(THEIRS)


async def test_what_waits_for_the_database_is_written_when_it_is_back(
    postgres: PostgresProcess, tmp_path: Path
) -> None:
    database = Database(sql_url(postgres.database()))
    await database.upgrade()
    listed = DoNotCall(database, tmp_path)
    postgres.kill()
    try:
        assert not await listed.add(Entry(THEIRS, "sms", 1))
        assert not await listed.add(Entry(OTHER, "key", 2, call_id="CA1"))
        assert not await listed.flush()
        assert listed.waiting.stat().st_mode & 0o777 == 0o600
        with listed.waiting.open("a") as file:
            file.write('{"number": "+1')  # the power went
    finally:
        postgres.start()
    again = DoNotCall(database, tmp_path)
    assert await again.flush()
    assert await again.has(OTHER)
    assert await again.has(THEIRS)
    assert not listed.waiting.exists()
    await database.close()
