"""Invariant: a process that is killed with `kill -9` between accepting an event and delivering it
loses none: the next one delivers it, under the same id and with the same bytes."""

import asyncio
import os
import random
import sys
from collections import defaultdict
from pathlib import Path

from app.outgoing.events import CallEnded
from app.outgoing.messages import message_of
from app.outgoing.sqlite_store import SqliteStore
from tests.outgoing import teller
from tests.outgoing.receiver import SECRET, Answer, Receiver, until

RUNS = 20
EACH = 8
ROOT = Path(__file__).parents[2]


async def tell(folder: Path, url: str, first: int) -> asyncio.subprocess.Process:
    code = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, teller.__file__, str(folder), url, SECRET, str(first), str(EACH)),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": code},
        stdout=asyncio.subprocess.PIPE,
    )


def id_of(number: int) -> str:
    return message_of(CallEnded(call_id=f"CA{number}", agent="desk", reason="x"), 0.0).message_id


async def test_twenty_killed_processes_lose_nothing_that_they_accepted(tmp_path: Path) -> None:
    chance = random.Random(5)
    accepted: set[int] = set()
    answers = [Answer(chance.choice((200, 503)), delay_s=0.02) for _ in range(RUNS * EACH)]
    async with Receiver(answers) as receiver:
        for run in range(RUNS):
            process = await tell(tmp_path, receiver.url, run * EACH)
            assert process.stdout is not None
            for _ in range(chance.randint(1, EACH)):
                accepted.add(int(await process.stdout.readline()))
            await asyncio.sleep(chance.choice((0, 0, 0.01, 0.05)))
            process.kill()
            rest = await process.stdout.read()
            accepted |= {int(number) for number in rest.split()}
            assert await process.wait() == -9
        before = len(receiver.got)
        last = await tell(tmp_path, receiver.url, RUNS * EACH)
        store = SqliteStore(tmp_path)
        ids = {id_of(number) for number in accepted}
        await until(lambda: {got.message_id for got in receiver.taken} >= ids, 60)
        await until(lambda: "waiting" not in store.counts())
        store.close()
        last.kill()
        await last.wait()
    assert len(accepted) >= RUNS
    assert before < len(receiver.got), "nothing was left for the last one: the kills came too late"
    bodies = defaultdict(set)
    for got in receiver.got:
        assert got.verified
        bodies[got.message_id].add(got.body)
    assert {len(each) for each in bodies.values()} == {1}
