"""Invariant: a process that is killed with `kill -9` between accepting an event and delivering it
loses none: the next one delivers it, under the same id and with the same bytes."""

import asyncio
import os
import random
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.outgoing.events import CallEnded
from app.outgoing.messages import message_of
from app.outgoing.sqlite_store import SqliteStore
from tests.outgoing import teller
from tests.outgoing.receiver import SECRET, Answer, Receiver, until

RUNS = 20
EACH = 8
LIMIT_S = 60
ROOT = Path(__file__).parents[2]


class Tellers:
    """Processes that tell events, one after another: forks of one that has loaded the code."""

    def __init__(self, template: asyncio.subprocess.Process) -> None:
        self._template = template
        self._pid = 0

    async def begin(self, folder: Path, url: str, first: int) -> None:
        """The next one, which tells `EACH` events from `first` on."""
        assert self._template.stdin is not None
        words = (str(folder), url, SECRET, str(first), str(EACH))
        self._template.stdin.write("\t".join(words).encode() + b"\n")
        self._pid = int(await self.line())

    async def line(self) -> str:
        """The number of the next event that was accepted, or how the process ended."""
        assert self._template.stdout is not None
        return (await asyncio.wait_for(self._template.stdout.readline(), LIMIT_S)).decode()

    async def kill(self) -> set[int]:
        """As `kill -9` does. What had been accepted besides."""
        os.kill(self._pid, signal.SIGKILL)
        rest = set()
        while (line := await self.line()) != "ended by 9\n":
            rest.add(int(line))
        self._pid = 0
        return rest

    async def close(self) -> None:
        self._template.kill()
        await self._template.wait()
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)


@asynccontextmanager
async def tellers() -> AsyncIterator[Tellers]:
    code = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
    template = await asyncio.create_subprocess_exec(
        *(sys.executable, teller.__file__),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": code},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    running = Tellers(template)
    try:
        yield running
    finally:
        await running.close()


def id_of(number: int) -> str:
    return message_of(CallEnded(call_id=f"CA{number}", agent="desk", reason="x"), 0.0).message_id


async def test_twenty_killed_processes_lose_nothing_that_they_accepted(tmp_path: Path) -> None:
    chance = random.Random(5)
    accepted: set[int] = set()
    answers = [Answer(chance.choice((200, 503)), delay_s=0.02) for _ in range(RUNS * EACH)]
    async with Receiver(answers) as receiver, tellers() as process:
        for run in range(RUNS):
            await process.begin(tmp_path, receiver.url, run * EACH)
            for _ in range(chance.randint(1, EACH)):
                accepted.add(int(await process.line()))
            await asyncio.sleep(chance.choice((0, 0, 0.01, 0.05)))
            accepted |= await process.kill()
        before = len(receiver.got)
        await process.begin(tmp_path, receiver.url, RUNS * EACH)
        store = SqliteStore(tmp_path)
        ids = {id_of(number) for number in accepted}
        await until(lambda: {got.message_id for got in receiver.taken} >= ids, LIMIT_S)
        await until(lambda: "waiting" not in store.counts(), LIMIT_S)
        store.close()
        await process.kill()
    assert len(accepted) >= RUNS
    assert before < len(receiver.got), "nothing was left for the last one: the kills came too late"
    bodies = defaultdict(set)
    for got in receiver.got:
        assert got.verified
        bodies[got.message_id].add(got.body)
    assert {len(each) for each in bodies.values()} == {1}
