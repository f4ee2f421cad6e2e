"""How quickly contacts are imported, and whether memory grows with the file.

    python -m bench.importing [--rows 1000000] [--postgres] [--profile]

Makes a CSV with a fixed seed (numbers of three countries in four spellings, 1 % invalid, 1 % said
twice), imports it into SQLite, or into a PostgreSQL server of its own, and imports 10,000 rows of
the same kind before that. Each import is a process of its own. Seconds are of the wall and of this
import's CPU; memory is how much the peak of the resident set grew from when the import began.
Exits 1 if the large import's memory grew more than 1.5 times as much as the small one's, if the
counts do not add up, or if the database does not hold what the counts say.
"""

import argparse
import asyncio
import cProfile
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert, select

from app.campaigns.importing.checking import RowChecker, Rules
from app.campaigns.importing.columns import columns_of
from app.campaigns.importing.loading import Loader
from app.campaigns.importing.opening import open_source
from app.campaigns.importing.repairing import Repair
from app.campaigns.importing.run import import_rows
from app.records.database import Database, sql_url
from app.records.tables import campaigns, contacts
from tests.records.postgres_fixture import running_postgres

SMALL_ROWS: Final = 10_000
MOST_GROWTH: Final = 1.5
NOW_MS: Final = 1_767_225_600_000
_HEADERS: Final = (
    *("phone", "first_name", "last_name", "city", "timezone"),
    *("consent_date", "consent_source", "note"),
)
_AREAS: Final = ("212", "312", "415", "713", "305", "602", "206", "617", "404", "303")


def numbers(seed: int) -> Iterator[str]:
    """Without end; those that are valid are all different."""
    chance = random.Random(seed)
    for at in range(1 << 40):
        scrambled = (at * 7_368_787) % 8_000_000
        area, rest = _AREAS[at % 10], f"{2_000_000 + scrambled}"
        kind = chance.random()
        if kind < 0.4:
            yield f"({area}) {rest[:3]}-{rest[3:]}"
        elif kind < 0.7:
            yield f"+1{area}{rest}"
        elif kind < 0.85:
            yield f"+4477{at % 90 + 10}{scrambled % 1_000_000:06}"
        else:
            yield f"+49 1{71 + at % 2} {scrambled:07}"


def write_file(path: Path, rows: int) -> None:
    chance = random.Random(rows)
    spelt = numbers(rows)
    before = ""
    with path.open("w", newline="", encoding="utf-8") as file:
        sheet = csv.writer(file)
        sheet.writerow(_HEADERS)
        for at in range(rows):
            kind = chance.random()
            number = "no number" if kind < 0.01 else before if kind < 0.02 and at else next(spelt)
            zone = "Europe/Berlin" if kind > 0.95 else ""
            note = f"order {at}, placed in week {at % 52}"
            day = f"2025-{at % 12 + 1:02}-{at % 28 + 1:02}"
            sheet.writerow((number, f"Name{at}", "Smith", "Town", zone, day, "web form", note))
            before = number if number != "no number" else before


async def _import(path: Path, url: str, folder: Path) -> dict[str, Any]:
    database = Database(sql_url(url))
    await database.upgrade()
    async with database.writing() as connection:
        await connection.execute(insert(campaigns), _campaign())
    source = open_source(path)
    checker = RowChecker(columns_of(source.headers), Rules(region="US"), NOW_MS)
    loader = Loader(database, "bench")
    await loader.begin()
    rss_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s, cpu_s = time.perf_counter(), time.process_time()
    repair = Repair(folder / "repair.csv", source)
    report = await import_rows(source, checker, loader, repair)
    told = {
        "wall_s": time.perf_counter() - began_s,
        "cpu_s": time.process_time() - cpu_s,
        "grown_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rss_kib,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    async with database.reading() as connection:
        held = (await connection.execute(select(func.count()).select_from(contacts))).scalar_one()
    source.close()
    await database.close()
    right = report.adds_up and held == report.loaded and repair.rows == report.invalid
    return {**told, **report.as_json(), "right": right}


def _campaign() -> dict[str, Any]:
    return {
        "campaign_id": "bench",
        "state": "draft",
        "plan": {},
        "plan_version": "1",
        "created_at_ms": NOW_MS,
        "changed_at_ms": NOW_MS,
    }


def _child(path: Path, url: str, profile: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profiler = cProfile.Profile()
        if profile:
            profiler.enable()
        told = asyncio.run(_import(path, url, Path(folder)))
        if profile:
            profiler.disable()
            profiler.print_stats("tottime")
        print(json.dumps(told))


def _measured(path: Path, url: str, profile: bool = False) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.importing", "--child", str(path), url]
    done = subprocess.run(
        [*command, *(["--profile"] if profile else [])],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    if profile:
        print("\n".join(lines[:60]))
    told: dict[str, Any] = json.loads(lines[-1])
    return told


def _line(name: str, told: dict[str, Any]) -> str:
    return (
        f"{name:<10} {told['rows']:>9,} rows  {told['wall_s']:7.1f} s  {told['cpu_s']:7.1f} s CPU  "
        f"{told['rows'] / told['wall_s']:>8,.0f} rows/s  +{told['grown_kib'] / 1024:6.1f} MiB "
        f"(peak {told['peak_kib'] / 1024:.0f} MiB)  {told['loaded']:,} loaded, "
        f"{told['again_in_file']:,} again, {told['invalid']:,} invalid"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Imports contacts and measures it.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument(
        "--profile", action="store_true", help="where time goes; times are not real"
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        _child(Path(asked.child[0]), asked.child[1], asked.profile)
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="earshot-import-")))
        server = stack.enter_context(running_postgres()) if asked.postgres else None
        name = "postgresql" if server else "sqlite"
        found = []
        for rows in (SMALL_ROWS, asked.rows):
            write_file(folder / f"{rows}.csv", rows)
            url = server.database() if server else f"sqlite:///{folder / f'{rows}.db'}"
            found.append(
                _measured(folder / f"{rows}.csv", url, asked.profile and rows != SMALL_ROWS)
            )
            print(_line(name, found[-1]), flush=True)
    small, large = found
    ratio = large["grown_kib"] / max(small["grown_kib"], 1)
    print(
        f"memory: {ratio:.2f} times as much growth for {asked.rows / SMALL_ROWS:.0f} times the rows"
    )
    return 0 if ratio <= MOST_GROWTH and small["right"] and large["right"] else 1


if __name__ == "__main__":
    sys.exit(main())
