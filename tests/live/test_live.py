"""The store as one worker has it: all its parts work together, it leaves nothing running, it writes
only what its table of keys says, in one slot a call, with commands that Redis 6.2 knows."""

import asyncio
import re
from pathlib import Path

import pytest
from redis.crc import key_slot

from app.carriers.twilio.idempotency import Answer, AnswersHere
from app.live import Live, open_live
from app.live import connection as connection_module
from app.live.answers import Code
from app.live.blocks import Block
from app.live.fleet import WorkerState
from app.live.keys import TABLE, Key, page
from app.live.opt_outs import LiveOptOuts, Word
from app.live.pace import Books, Entry, NumberBook, slot_of
from app.live.text_leases import TextLeases
from app.live.texts import LiveTexts
from app.live.texts_here import TextsHere
from tests.live.redis_fixture import RedisProcess, require_redis_server
from tests.live.store import monitored, until

PAGE = Path(__file__).parents[2] / "docs" / "redis.md"
ANSWERS = Code[Answer](lambda answer: answer.body.encode(), lambda body: Answer(200, body.decode()))
KNOWN_SINCE = {
    "DEL": "1.0", "EXEC": "1.2", "EXPIRE": "1.0", "GET": "1.0", "HDEL": "2.0", "HGET": "2.0",
    "HGETALL": "2.0", "HINCRBY": "2.0", "HMGET": "2.0", "HSET": "4.0", "HSETNX": "2.0",
    "INCR": "1.0", "INCRBY": "1.0", "MULTI": "1.2", "PEXPIRE": "2.6", "PING": "1.0",
    "PUBLISH": "2.0", "SET": "2.6.12", "SUBSCRIBE": "2.0", "UNSUBSCRIBE": "2.0", "ZADD": "1.2",
    "ZCARD": "1.2", "ZCOUNT": "2.0", "ZRANGE": "1.2", "ZRANGEBYSCORE": "1.0.5", "ZREM": "2.4",
    "ZREMRANGEBYSCORE": "1.2",
    "HVALS": "2.0", "MGET": "1.0", "TIME": "2.6", "UNWATCH": "2.2", "WATCH": "2.2",
    "ZMSCORE": "6.2",
}  # fmt: skip
"""Redis's version that brought each command, in the form used here (HSET of several fields 4.0,
SET with options 2.6.12, ZREM of several members 2.4)."""
SET_OPTIONS = {"EX", "NX", "PX"}


async def _serve(live: Live) -> None:
    live.served.listed("CA1", b"about")
    live.served.listed("CA2", b"about")
    live.served.over("CA2")
    await live.outbox.flushed(5.0)
    await live.served.keep({"CA1": b"about"})
    await live.served.leave("CA1")
    await live.served.lapsed()
    await live.served.claim("CA1")
    await live.served.lost("CA1")


async def _do_everything(live: Live) -> None:
    """Every command that the store has, each at least once."""
    notices = live.channel.subscribe()
    heard = asyncio.ensure_future(anext(notices))
    live.calls.save("CA1", b"state")
    live.calls.save("CA2", b"state")
    live.calls.end("CA2", "caller_hung_up")
    live.counters.incr("calls")
    await _serve(live)
    lease = await live.leases.take("CA1")
    await live.leases.keep([("CA1", lease.number), ("CA3", 0)])
    await live.leases.release("CA3", 0)
    await live.tool_runs.begin("CA1", "t1")
    await live.tool_runs.begin("CA1", "t1")
    await live.tool_runs.finish("CA1", "t1", "done", True)
    await live.outcomes.settle("CA1", "held-1", "joined")
    await live.limits(bytes(16)).add("dial:call:CA1", 3600, 1)
    live.blocks.remember("CA1", "d1", "…01")
    live.blocks.add("d1", Block("…01", 0.0, "", "operator"))
    await live.blocks.find("d1")
    await live.blocks.called("d1", "CA1", 60)
    live.consents.given("CA1", True)
    live.consents.recorded("CA1", "RE1")
    await live.tokens.burn("token", 1_800_000_030, 1_800_000_000.0)
    await _answer(live)
    for _ in range(3):
        live.breakers.failed("model")
    await live.fleet.beat(WorkerState(1, 10, True, 0))
    await live.fleet.reserve("CA4")
    live.fleet.withdraw("CA4")
    await live.fleet.reserve("CA5")
    await live.fleet.beat(WorkerState(1, 10, True, 0))
    async with asyncio.timeout(60):
        while not heard.done():
            live.channel.publish("hello")
            await asyncio.sleep(0.06)
    await notices.aclose()
    await until(lambda: live.outbox.waiting == 0)
    await live.breakers.refresh()
    await live.calls.load("CA1")
    await live.calls.ending_of("CA2")
    await live.calls.in_progress()
    await live.counters.totals()
    await _write_texts(live)
    await _after(live)
    await _dial(live)


async def _dial(live: Live) -> None:
    def decide(books: Books) -> Entry:
        book, now_us = NumberBook(books.now_us), books.now_us
        return Entry(number="+1", book=book, account_us=now_us, campaign_us=now_us)

    for name in ("gone", "gone", "ID-1"):
        await live.pace.take("ID", ["+1"], decide, name)
        await live.pace.bind(slot_of("ID", name), "CA1")
    await live.capacity.load()
    await live.pace.free(slot_of("ID", "gone"))
    await live.pace.keep([slot_of("ID", "ID-1")])


async def _after(live: Live) -> None:
    ledger = live.after_calls
    ledger.note("CA1", b"about")
    ledger.keep("CA1", b"said")
    ledger.mark_over("CA1", b"over")
    assert (await ledger.claim("CA1")).ours
    await until(lambda: live.outbox.waiting == 0)
    await ledger.left("CA1")
    await ledger.due(0.0)


async def _write_texts(live: Live) -> None:
    texts = LiveTexts(live.asker, live.outbox, TextsHere(60))
    await texts.accept("ID", "SM1", b"hello")
    await texts.accept("ID", "SM2", b"hello")
    await texts.save("ID", 1, b"state", ["SM1"])
    await texts.look("ID")
    await texts.due(0)
    await texts.accept("ID2", "SM1", b"hello")
    await texts.settled("ID2")
    live.verdicts.tell("CA1", "human")
    await texts.put_call("PERSON", b"call")
    await texts.put_newest("PERSON", "ID")
    await until(lambda: live.outbox.waiting == 0)
    assert (await texts.call_of("PERSON"), await texts.newest_of("PERSON")) == (b"call", "ID")
    leases = TextLeases(live.asker, ttl_s=30)
    assert await leases.ask("ID")
    opt_outs = LiveOptOuts(live.asker, live.outbox)
    await opt_outs.put(("digest", "older"), Word(True, 1.0, "sms"))
    assert await opt_outs.word_of(("digest", "older")) == Word(True, 1.0, "sms")
    other = TextLeases(live.asker, ttl_s=0.3)
    assert await other.ask("ID2")
    keeper = asyncio.create_task(other.keep("ID2"))
    await asyncio.sleep(0.15)
    keeper.cancel()
    await asyncio.wait([keeper])
    await other.release("ID2")


async def _answer(live: Live) -> None:
    answers = live.answers(AnswersHere(), ANSWERS)

    async def produce() -> Answer:
        return Answer(200, "said")

    async def fail() -> Answer:
        raise LookupError

    assert await answers.once("key", produce, 0.0) == Answer(200, "said")
    with pytest.raises(LookupError):
        await answers.once("other", fail, 0.0)


def test_the_page_of_keys_is_fresh() -> None:
    assert PAGE.read_text() == page(), "run: python -m app.live.keys > docs/redis.md"


async def test_only_keys_of_the_table_are_written_and_those_with_an_end_have_one(
    redis_process: RedisProcess, tmp_path: Path
) -> None:
    async with open_live(redis_process.url, tmp_path, "w1") as live:
        await _do_everything(live)
        await live.breakers._draw("model")
        live.breakers.succeeded("resting")
        keys = await _keys(live, "*")
        rows = {_row_of(key): key for key in keys}
        for row, key in rows.items():
            assert (await live.connection.client.ttl(key) > 0) == _ends(row)
    unseen = {row.pattern for row in TABLE} - {row.pattern for row in rows}
    assert unseen == {"earshot:calls", "earshot:answered", "{breakers}:closed"}


async def test_all_keys_of_a_call_share_a_slot(redis_process: RedisProcess, tmp_path: Path) -> None:
    async with open_live(redis_process.url, tmp_path, "w1") as live:
        await _do_everything(live)
        keys = await _keys(live, "*CA1*")
    assert {key.split("}:")[1] for key in keys} == {
        *("state", "owner", "fence", "tool:t1", "outcome:held-1"),
        *("after", "after-tries", "said", "over"),
        *("caller", "consent", "recording", "answered", "served", "served-by"),
    }
    assert len({key_slot(key.encode()) for key in keys}) == 1


async def test_only_commands_of_redis_6_2_are_used(
    redis_process: RedisProcess, tmp_path: Path
) -> None:
    async with monitored(redis_process) as seen:
        async with open_live(redis_process.url, tmp_path, "w1") as live:
            await _do_everything(live)
        await until(lambda: ["DEL", "{fleet}:worker:w1"] in seen)
    assert {name for name, *_ in seen} <= KNOWN_SINCE.keys()
    assert len(seen) > 50
    for name, *arguments in seen:
        if name == "SET":
            assert {word for word in arguments[2:] if word.isalpha()} <= SET_OPTIONS
    # MONITOR does not show what the server did not know.
    assert "errorstat" not in redis_process.say("INFO errorstats")


async def test_it_leaves_no_task_and_no_connection(
    redis_process: RedisProcess, tmp_path: Path
) -> None:
    before = asyncio.all_tasks()
    async with open_live(redis_process.url, tmp_path, "w1") as live:
        await _do_everything(live)
    assert asyncio.all_tasks() == before
    await until(lambda: redis_process.say("CLIENT LIST").count(" fd=") == 1)


async def test_without_any_server_everything_works_in_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "find_server", lambda: None)
    async with open_live("", tmp_path, "w1") as live:
        await _do_everything(live)
        assert await live.calls.load("CA1") == b"state"
        assert live.connection.where == "here"


async def test_the_private_server_keeps_a_call_for_the_next_process(tmp_path: Path) -> None:
    require_redis_server()
    async with open_live("", tmp_path, "w1") as live:
        live.calls.save("CA1", b"summary")
    async with open_live("", tmp_path, "w2") as live:
        assert await live.calls.load("CA1") == b"summary"
        assert [call.worker_id for call in await live.calls.in_progress()] == ["w1"]


async def test_a_worker_starts_and_ends_while_redis_is_away(tmp_path: Path) -> None:
    async with open_live("redis://127.0.0.1:1", tmp_path, "w1") as live:
        live.calls.save("CA1", b"state")
        assert await live.calls.load("CA1") is None
        assert (await live.leases.take("CA1")).number == 0
        assert live.breakers.healthy("model")
        assert live.outbox.waiting == 2


async def _keys(live: Live, pattern: str) -> set[str]:
    return {str(key, "utf-8") for key in await live.asker.ask("KEYS", pattern)}


def _row_of(key: str) -> Key:
    """The row that this key belongs to: its words in capitals stand for anything."""
    rows = [row for row in TABLE if re.fullmatch(_as_regex(row.pattern), key)]
    assert len(rows) == 1, f"{key} is in {len(rows)} rows of the table"
    return rows[0]


def _as_regex(pattern: str) -> str:
    return re.sub(r"\b(SID|ID|MODEL|DIGEST)\b", r"[\\w.-]+", re.escape(pattern))


def _ends(row: Key) -> bool:
    return row.ttl[0].isdigit() or row.ttl.startswith("to ")
