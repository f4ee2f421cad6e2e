"""What a claim costs: 100,000 contacts due at once, four workers that claim until none is left.

    python -m bench.claims [--contacts 100000] [--workers 4] [--batch 10] [--rest-ms 20]

Each worker is a process, which rests between two claims: with the defaults all together claim up to
2,000 contacts a second, twenty times what the fastest campaign dials. With `--rest-ms 0` they do
nothing but claim, and what is measured is the number of cores. A claim is one transaction, from
asking for a connection to its contacts in hand. Exits 1 where p95 is above 5 ms, or a contact was
claimed twice or by nobody.
"""

import argparse
import asyncio
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from typing import Final

import uvloop
from sqlalchemy import insert, text

from app.campaigns.dialling.claims import Claims
from app.campaigns.dialling.writes import Writes
from app.records.database import Database, sql_url
from app.records.tables import campaigns, contacts
from bench.postgres import postgres_server

LIMIT_MS: Final = 5.0
LEASE_MS: Final = 600_000
NOW_MS: Final = 1_800_000_000_000
CAMPAIGN: Final = "bench"
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Claimed:
    """`took_ms`: of each claim that brought something."""

    contacts: list[int]
    took_ms: list[float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--rest-ms", type=float, default=20.0)
    given = parser.parse_args()
    work = (given.batch, given.rest_ms / 1_000)
    with postgres_server() as server:
        url = server.database()
        asyncio.run(_fill(url, given.contacts))
        began_s = time.monotonic()
        with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
            results = pool.starmap(_work, [(url, *work)] * given.workers, chunksize=1)
        took_s = time.monotonic() - began_s
    return _told(results, given.contacts, took_s)


async def _fill(url: str, count: int) -> None:
    database = Database(sql_url(url))
    await database.upgrade()
    async with database.writing() as connection:
        await connection.execute(insert(campaigns), [_campaign()])
    for first in range(0, count, _AT_ONCE):
        rows = [_contact(n) for n in range(first, min(first + _AT_ONCE, count))]
        async with database.writing() as connection:
            await connection.execute(insert(contacts), rows)
    async with database.writing() as connection:
        await connection.execute(text("ANALYZE"))
    await database.close()


def _campaign() -> dict[str, object]:
    return {
        "campaign_id": CAMPAIGN,
        "state": "running",
        "plan": {},
        "plan_version": "1",
        "created_at_ms": NOW_MS,
        "changed_at_ms": NOW_MS,
    }


def _contact(number: int) -> dict[str, object]:
    called = f"+1555{number:07}"
    return {
        "campaign_id": CAMPAIGN,
        "number": called,
        "numbers": [called],
        "zones": ["America/New_York"],
        "variables": {"name": f"person {number}"},
        "row": number,
        "state": "waiting",
        "due_at_ms": NOW_MS,
    }


def _work(url: str, batch: int, rest_s: float) -> Claimed:
    return uvloop.run(_claim_all(url, batch, rest_s))


async def _claim_all(url: str, batch: int, rest_s: float) -> Claimed:
    database = Database(sql_url(url))
    claims = Claims(Writes(database), f"worker-{os.getpid()}", LEASE_MS)
    await claims.claim("none", 1, NOW_MS)  # what is only done once is no claim's cost
    claimed, took_ms = [], []
    while True:
        began_s = time.perf_counter()
        found = await claims.claim(CAMPAIGN, batch, NOW_MS)
        if not found:
            break
        took_ms.append((time.perf_counter() - began_s) * 1_000)
        claimed += [contact.contact_id for contact in found]
        await asyncio.sleep(rest_s)
    await claims.hang_up()
    await database.close()
    return Claimed(claimed, took_ms)


def _told(results: list[Claimed], expected: int, took_s: float) -> int:
    took_ms = sorted(ms for result in results for ms in result.took_ms)
    claimed = [contact for result in results for contact in result.contacts]
    twice, never = len(claimed) - len(set(claimed)), expected - len(set(claimed))
    p95_ms = took_ms[int(len(took_ms) * 0.95)]
    print(f"{expected} contacts due at once, {len(results)} workers, {took_s:.1f} s in all")
    print(f"  contacts of each worker  {sorted(len(result.contacts) for result in results)}")
    print(f"  claims                   {len(took_ms)}")
    print(f"  p50                      {took_ms[len(took_ms) // 2]:.2f} ms")
    print(f"  p95                      {p95_ms:.2f} ms (at most {LIMIT_MS:g})")
    print(f"  max                      {took_ms[-1]:.2f} ms")
    print(f"  claimed twice            {twice} (none)")
    print(f"  claimed by nobody        {never} (none)")
    return int(p95_ms > LIMIT_MS or twice > 0 or never > 0)


if __name__ == "__main__":
    sys.exit(main())
