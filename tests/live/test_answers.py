"""Copies of a webhook get one answer, on whichever workers they arrive; what fails is forgotten,
and a Redis that is away keeps no webhook waiting."""

import asyncio

import pytest

from app.carriers.twilio.idempotency import Answer, Answers, AnswersHere
from app.live.answers import Code, RedisAnswers
from tests.live.redis_fixture import RedisProcess
from tests.live.store import Store, store_at, until

NOW_S = 1_800_000_000.0
CODE = Code[Answer](
    encode=lambda answer: f"{answer.status}\n{answer.body}".encode(),
    decode=lambda data: Answer(int(data.split(b"\n")[0]), data.split(b"\n")[1].decode()),
)


class Producer:
    """Gives a new answer each time, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.fails = False

    async def __call__(self) -> Answer:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fails:
            raise LookupError(f"failure {number}")
        return Answer(200, f"answer {number}")


def _worker(store: Store, *, wait_s: float = 8.0) -> Answers:
    return RedisAnswers(store.asker, AnswersHere(), CODE, wait_s=wait_s)


async def test_all_copies_on_all_workers_get_what_was_produced_once(store: Store) -> None:
    produce, workers = Producer(), [_worker(store), _worker(store)]
    asked = [
        asyncio.ensure_future(worker.once("key", produce, NOW_S))
        for worker in workers
        for _ in range(3)
    ]
    await asyncio.sleep(0.12)
    produce.may_answer.set()
    assert set(await asyncio.gather(*asked)) == {Answer(200, "answer 1")}
    assert await _worker(store).once("key", produce, NOW_S) == Answer(200, "answer 1")
    assert await _worker(store).once("other", produce, NOW_S) == Answer(200, "answer 2")


async def test_a_failure_is_forgotten_and_the_worker_that_waited_tries_itself(
    store: Store,
) -> None:
    bad, good = Producer(), Producer()
    bad.fails = True
    good.may_answer.set()
    failing = asyncio.ensure_future(_worker(store).once("key", bad, NOW_S))
    await until(lambda: bad.asked == 1)
    waiting = asyncio.ensure_future(_worker(store).once("key", good, NOW_S))
    await asyncio.sleep(0.12)
    assert good.asked == 0
    bad.may_answer.set()
    with pytest.raises(LookupError):
        await failing
    assert await waiting == Answer(200, "answer 1")


async def test_a_worker_that_never_answers_is_not_waited_for_for_ever(store: Store) -> None:
    stuck, good = Producer(), Producer()
    good.may_answer.set()
    asked = asyncio.ensure_future(_worker(store).once("key", stuck, NOW_S))
    await until(lambda: stuck.asked == 1)
    answer = await _worker(store, wait_s=0.2).once("key", good, NOW_S)
    assert answer == Answer(200, "answer 1")
    stuck.may_answer.set()
    assert await asked == Answer(200, "answer 1")


async def test_with_redis_away_each_worker_answers_once_by_itself(
    redis_process: RedisProcess,
) -> None:
    async with store_at(redis_process) as store:
        redis_process.freeze()
        produce, worker = Producer(), _worker(store)
        produce.may_answer.set()
        for _ in range(2):
            assert await worker.once("key", produce, NOW_S) == Answer(200, "answer 1")
        assert await _worker(store).once("key", produce, NOW_S) == Answer(200, "answer 2")
