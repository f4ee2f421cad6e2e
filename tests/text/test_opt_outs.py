"""Who says STOP is out at once, everywhere and for good, until they say otherwise; when nobody can
tell, they count as out."""

import stat
from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis

from app.live.opt_outs import LiveOptOuts, Word
from app.text.digests import Digests
from app.text.opt_out_file import OptOutFile
from app.text.opt_outs import KeptOptOuts
from tests.live.redis_fixture import running_redis
from tests.live.store import Clock, Store, store_at, store_on

NUMBER, OTHER = "+15550100001", "+15550100002"


def kept(folder: Path, store: Store | None, clock: Clock, *secrets: str) -> KeptOptOuts:
    """One worker, with the file of its machine."""
    live = None if store is None else LiveOptOuts(store.asker, store.outbox)
    return KeptOptOuts(OptOutFile(folder), live, Digests(secrets or ("secret",)), clock)


async def test_out_and_back_survive_the_process_without_redis(tmp_path: Path) -> None:
    clock = Clock()
    one = kept(tmp_path, None, clock)
    assert not await one.is_out(NUMBER)
    await one.out(NUMBER, "sms")
    assert await kept(tmp_path, None, clock).is_out(NUMBER)
    assert not await one.is_out(OTHER)
    clock.now_s += 1
    await kept(tmp_path, None, clock).back(NUMBER, "sms")
    assert not await one.is_out(NUMBER)


async def test_a_word_on_one_machine_counts_on_all_at_once(tmp_path: Path) -> None:
    clock = Clock()
    with running_redis() as redis:
        async with store_at(redis) as a, store_at(redis) as b:
            here, there = kept(tmp_path / "a", a, clock), kept(tmp_path / "b", b, clock)
            await here.out(NUMBER, "sms")
            assert await there.is_out(NUMBER)
            clock.now_s += 1
            await there.back(NUMBER, "sms")
            assert not await here.is_out(NUMBER), "the newer word counts, not the own file's"
            dump = await a.redis.hgetall("opt-outs")
            assert len(dump) == 1
            assert NUMBER[1:] not in repr(dump)


async def test_redis_that_is_away_loses_no_stop(tmp_path: Path) -> None:
    clock = Clock()
    with running_redis() as redis:
        async with store_at(redis) as a, store_at(redis) as b:
            here, there = kept(tmp_path / "a", a, clock), kept(tmp_path / "b", b, clock)
            redis.kill()
            await here.out(NUMBER, "sms")
            assert await here.is_out(NUMBER)
            redis.start()
            await a.settle()
            assert await there.is_out(NUMBER)


async def test_what_redis_lost_comes_back_from_the_file_under_the_secret_in_use(
    tmp_path: Path,
) -> None:
    clock = Clock()
    redis = FakeAsyncRedis()
    async with store_on(redis) as store:
        await kept(tmp_path / "a", store, clock, "old").out(NUMBER, "sms")
        rotated = kept(tmp_path / "a", store, clock, "new")
        await rotated.publish()
        elsewhere = kept(tmp_path / "b", store, clock, "new")
        assert await elsewhere.is_out(NUMBER)
        clock.now_s += 1
        await elsewhere.back(NUMBER, "sms")
        await rotated.publish()
        assert not await elsewhere.is_out(NUMBER), "an old word of a file replaces no newer one"
    await redis.aclose()


async def test_a_file_that_cannot_be_read_means_out(tmp_path: Path) -> None:
    OptOutFile(tmp_path).path.write_bytes(
        b"this is no database, and longer than a header of one" * 40
    )
    one = kept(tmp_path, None, Clock())
    assert await one.is_out(OTHER)
    await one.publish()


async def test_a_stop_that_cannot_be_written_still_counts_here(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    one = kept(tmp_path / "file", None, Clock())
    await one.out(NUMBER, "sms")
    assert await one.is_out(NUMBER)


def test_an_older_word_never_replaces_a_newer_one_and_only_its_owner_reads(tmp_path: Path) -> None:
    file = OptOutFile(tmp_path / "deep" / "folder")
    assert file.word_of(NUMBER) is None
    file.put(NUMBER, Word(True, 2.0, "sms"))
    file.put(NUMBER, Word(False, 1.0, "sms"))
    assert file.word_of(NUMBER) == Word(True, 2.0, "sms")
    assert file.all() == [(NUMBER, Word(True, 2.0, "sms"))]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b'{"out": "yes"}'])
async def test_a_word_of_an_unknown_form_is_none(tmp_path: Path, value: bytes) -> None:
    redis = FakeAsyncRedis()
    async with store_on(redis) as store:
        digests = Digests(["secret"])
        await redis.hset("opt-outs", digests.of(NUMBER), value)
        live = LiveOptOuts(store.asker, store.outbox)
        assert await live.word_of(digests.all(NUMBER)) is None
    await redis.aclose()
