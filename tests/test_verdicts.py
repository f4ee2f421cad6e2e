"""The carrier's verdict reaches the call wherever it runs, whether it comes before the stream or
during the call, here or to another worker."""

import asyncio
from pathlib import Path

from app.call.events import AnsweredBy
from app.live import Live, open_live
from app.verdicts import MOST_KEPT, Verdicts
from tests.live.redis_fixture import running_redis
from tests.live.store import until


class Carried:
    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.told: list[AnsweredBy] = []

    def answered(self, by: AnsweredBy) -> None:
        self.told.append(by)


async def test_a_call_that_runs_here_is_told_at_once() -> None:
    verdicts, call = Verdicts(None), Carried("CA1")
    assert await verdicts.known("CA1") is None
    verdicts.begun(call, None)
    await verdicts.answered("CA1", "machine_start")
    await verdicts.answered("CA2", "human")
    assert call.told == ["machine_start"]


async def test_one_that_comes_before_the_stream_is_known_to_it() -> None:
    verdicts, call = Verdicts(None), Carried("CA1")
    await verdicts.answered("CA1", "human")
    known = await verdicts.known("CA1")
    assert known == "human"
    verdicts.begun(call, known)
    assert call.told == []


async def test_one_that_comes_between_the_question_and_the_stream_is_told() -> None:
    verdicts, call = Verdicts(None), Carried("CA1")
    known = await verdicts.known("CA1")
    await verdicts.answered("CA1", "fax")
    verdicts.begun(call, known)
    assert call.told == ["fax"]


async def test_words_that_are_not_known_are_nothing() -> None:
    verdicts, call = Verdicts(None), Carried("CA1")
    verdicts.begun(call, None)
    await verdicts.answered("CA1", "robot")
    await verdicts.run()
    assert call.told == []
    assert await verdicts.known("CA1") is None


async def test_calls_that_are_gone_and_old_verdicts_are_forgotten() -> None:
    verdicts = Verdicts(None)
    verdicts.begun(Carried("CA0"), None)
    for number in range(MOST_KEPT + 1):
        await verdicts.answered(f"CA{number}", "human")
    assert await verdicts.known("CA0") is None
    assert await verdicts.known(f"CA{MOST_KEPT}") == "human"


async def test_another_worker_that_was_told_tells_the_one_with_the_call(
    tmp_path: Path,
) -> None:
    with running_redis() as redis:
        await _told_across(redis.url, tmp_path)


async def _told_across(url: str, folder: Path) -> None:
    async with open_live(url, folder, "w1") as one, open_live(url, folder, "w2") as two:
        told, carries = Verdicts(one), Verdicts(two)
        call = Carried("CA1")
        listening = asyncio.create_task(carries.run())
        carries.begun(call, await carries.known("CA1"))
        await _until_heard(told, call)
        assert call.told == ["machine_end_beep"]
        await two.outbox.flushed(5)
        assert await Verdicts(two).known("CA1") == "machine_end_beep"
        listening.cancel()
        await asyncio.wait([listening])
        await _not_told_twice(told, one, call)


async def _until_heard(told: Verdicts, call: Carried) -> None:
    """A worker that has not begun to listen misses the news."""
    async with asyncio.timeout(60):
        while not call.told:
            await told.answered("CA1", "machine_end_beep")
            await asyncio.sleep(0.06)


async def _not_told_twice(told: Verdicts, live: Live, call: Carried) -> None:
    await told.answered("CA1", "machine_end_beep")
    await until(lambda: live.outbox.waiting == 0)
    assert call.told == ["machine_end_beep"]
