"""`python -m bench.digits [--calls 200] [--at-once 25] [--seed N]`: private digits reach no sink.

Callers type test card numbers and PINs in masked entries, on lines that carry the keys' tones as
sound and on lines that do not, while sessions and streams break. Then everything that was written,
sent or kept is searched for the digits and for their tones: logs at debug level, a real Redis with
all that was ever said to it, the calls' files, the recordings, the traffic with both models,
metrics, webhooks. The same calls with entries that are not masked, or a planted line, show that
each search can find something. Exits 0 only if nothing was found that must not be there.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Final

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.observe.log import configure_logging
from bench.digits_calls import PANS, PINS, Act, Held, acts, hold
from bench.digits_redis import Witness, witnessed_redis
from bench.digits_scan import around, in_text, tones_in

APART_S: Final = 0.15
CONTROLS: Final = 4
EVERYWHERE: Final = (*PANS, *PINS)


@dataclass(slots=True)
class Search:
    """What was looked through, and what was found."""

    kilobytes: float = 0.0
    found: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    """What stood about the first ones."""


@dataclass(slots=True)
class Round:
    """Calls that were held, and their evidence once it was searched."""

    searches: dict[str, Search] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    not_as_scripted: list[str] = field(default_factory=list)
    moved: int = 0
    keep: Path | None = None
    """Where sound is put in which keys were found; None: nowhere."""
    again: int = 0
    """Calls that did not go as scripted and were held once more; they were searched too."""

    def text(self, sink: str, text: str, numbers: Sequence[str]) -> None:
        search = self.searches.setdefault(sink, Search())
        search.kilobytes += len(text) / 1_000
        found = in_text(text, numbers)
        search.found += found
        search.places += [around(text, what) for what in found[:3]]

    def sound(self, sink: str, ulaw: bytes, call: str) -> None:
        search = self.searches.setdefault(sink, Search())
        search.kilobytes += len(ulaw) / 1_000
        for key, at_ms in tones_in(ulaw):
            search.found.append(key)
            search.places.append(f"call {call}: key {key} at {at_ms} of {len(ulaw) // 8} ms")
            if self.keep is not None:
                self.keep.mkdir(parents=True, exist_ok=True)
                (self.keep / f"{call} {sink}.ulaw").write_bytes(ulaw)

    def took(self, held: Held, *, again: bool) -> bool:
        """Search what a call left. False: it must be held again."""
        went = held.report.as_scripted and held.end_reason == "agent_hung_up"
        self._search(held)
        if not went and not again:
            self.again += 1
            return False
        self.ends[held.end_reason] += 1
        self.moved += held.streams > 1
        if not went:
            self.not_as_scripted.append(
                f"{held.act.name}: {held.end_reason}, {held.report.unfinished[:1]}"
            )
        return True

    def _search(self, held: Held) -> None:
        for sink, text in held.evidence.texts.items():
            self.text(sink, text, held.act.numbers)
        for sink, ulaw in held.evidence.sounds.items():
            self.sound(sink, ulaw, held.act.name)


async def rounds(planned: Sequence[Act], at_once: int, keep: Path | None = None) -> Round:
    """Hold these calls, so many side by side, and search what they leave."""
    done, log, migrating = Round(keep=keep), StringIO(), asyncio.Lock()
    configure_logging("debug", "json", stream=log)
    waiting = deque((act, False) for act in planned)
    async with witnessed_redis() as redis:
        while waiting:
            acts_ = [waiting.popleft() for _ in range(min(at_once, len(waiting)))]
            with tempfile.TemporaryDirectory(prefix="earshot-digits-") as folder:
                begun = [
                    _later(n * APART_S, act, Path(folder) / str(n), redis, migrating)
                    for n, (act, _) in enumerate(acts_)
                ]
                for held, (act, again) in zip(await asyncio.gather(*begun), acts_, strict=True):
                    if not done.took(held, again=again):
                        waiting.append((act, True))
            done.text("Redis: what it keeps", "\n".join(await redis.kept()), EVERYWHERE)
            done.text("Redis: what was said to it", "".join(redis.said), EVERYWHERE)
            redis.said.clear()
            done.text("logs at debug level", log.getvalue(), EVERYWHERE)
            log.seek(0)
            log.truncate()
    return done


async def _later(
    wait_s: float, act: Act, folder: Path, redis: Witness, migrating: asyncio.Lock
) -> Held:
    await asyncio.sleep(wait_s)
    return await hold(act, folder, redis.url, migrating)


def planted(sink: str) -> list[str]:
    """What the search finds in a sink to which even digits that are not masked do not come."""
    return in_text(f"{sink}: {PANS[0]}", EVERYWHERE)


def table(masked: Mapping[str, Search], plain: Mapping[str, Search]) -> Table:
    """A row for each sink."""
    shown = Table(box=SIMPLE_HEAD)
    for name in ("sink", "kB searched", "found", "control: not masked", "control: planted"):
        shown.add_column(name, justify="left" if name == "sink" else "right")
    for sink in sorted({*masked, *plain}):
        search, control = masked.get(sink, Search()), plain.get(sink, Search())
        shown.add_row(
            sink,
            f"{search.kilobytes:,.0f}",
            f"{len(search.found)}",
            f"{len(control.found)}" if control.found else "-",
            "" if control.found else f"{len(planted(sink))}",
        )
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """0 if nothing was found, and every search found what it must; else 1."""
    parser = argparse.ArgumentParser(prog="bench.digits", description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=25)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder for sound in which keys are found")
    given = parser.parse_args(argv)
    began_s = time.monotonic()
    masked = uvloop.run(rounds(acts(given.calls, given.seed), given.at_once, given.keep))
    control = uvloop.run(rounds(acts(CONTROLS, given.seed, masked=False), CONTROLS))
    console = Console(width=110, highlight=False)
    console.print(table(masked.searches, control.searches))
    console.print(
        f"{given.calls} calls, {masked.moved} of them on several streams, {masked.again} held "
        f"again; "
        f"they ended as {dict(masked.ends)}; {time.monotonic() - began_s:.0f} s"
    )
    for name in masked.not_as_scripted:
        console.print(f"not as scripted: {name}")
    found = {sink: s for sink, s in masked.searches.items() if s.found}
    for sink, search in found.items():
        console.print(f"found in {sink}: {search.found[:5]}", style="bold")
        for place in search.places[:5]:
            console.print(f"  … {place} …", markup=False, highlight=False)
    blind = [s for s in masked.searches if not control.searches[s].found and not planted(s)]
    for sink in blind:
        console.print(f"the search of {sink} finds nothing at all", style="bold")
    return 1 if found or blind or len(masked.not_as_scripted) > given.calls // 50 else 0


if __name__ == "__main__":
    sys.exit(main())
