"""Processes that tell events and are killed while they do.

For each line "FOLDER URL SECRET FIRST COUNT" (tabs between) a fork: it prints its id, then each
event's number when it was accepted, and delivers until it is killed. Then "ended by SIGNAL".
"""

import asyncio
import os
import sys
from pathlib import Path

from app.outgoing.deliverer import Rules
from app.outgoing.endpoints import ALL_EVENTS, Endpoint, Targets, secrets_from
from app.outgoing.events import CallEnded
from app.outgoing.outgoing import open_outgoing
from app.outgoing.retries import Schedule

RULES = Rules(Schedule((0.05,) * 50), look_s=0.02)


async def tell(folder: str, url: str, secret: str, first: int, count: int) -> None:
    targets = Targets((Endpoint(url, "S"),), ALL_EVENTS)
    async with open_outgoing(
        Path(folder),
        secrets_of=secrets_from({"S": secret}),
        rules=RULES,
        targets_of=lambda agent: targets,
    ) as outgoing:
        for number in range(first, first + count):
            event = CallEnded(call_id=f"CA{number}", agent="desk", reason="x")
            if await outgoing.accept(event):
                print(number, flush=True)
        await asyncio.Event().wait()


def begin_for_each_line() -> None:
    """Nothing that runs is forked: this process only waits and reads."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            print(os.getpid(), flush=True)
            folder, url, secret, first, count = line.rstrip("\n").split("\t")
            asyncio.run(tell(folder, url, secret, int(first), int(count)))
        _, status = os.waitpid(pid, 0)
        print("ended by", os.WTERMSIG(status), flush=True)


if __name__ == "__main__":
    begin_for_each_line()
