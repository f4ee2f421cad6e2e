"""A process that tells events and is killed while it does: `teller.py FOLDER URL FIRST COUNT`.

Prints each event's number when it was accepted, then delivers until it is killed.
"""

import asyncio
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


if __name__ == "__main__":
    folder, url, secret, first, count = sys.argv[1:]
    asyncio.run(tell(folder, url, secret, int(first), int(count)))
