"""Real SIP calls through the line: 100 after each other, 20 at once, and 2 % of loss.

    python -m bench.sip_line [--in-a-row 100] [--at-once 20] [--speech-ms 4000] [--loss-percent 2]

Debian's `sipp` signals; each caller's RTP is ours, so that every millisecond that was said in
either direction can be looked for in what arrived. Line, worker and callers share one process and
one core: what is measured is a machine that does all of it. Exits 1 where a call failed, or where
more than 1 % of what was said and not lost was not heard.
"""

import argparse
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import uvloop

from app.lab.speech.coded import coded_audio, decode_coded
from app.sip_line.jitter import Delay
from telecodecs import FRAME_MS
from tests.sip_line.phone import Phone, Sending, open_phone, speech
from tests.sip_line.sipp import sipp
from tests.sip_line.stage import line_to, none_left
from tests.sip_line.worker import WorkerCall, open_worker

CALLER: Final = 1
"""The stream of the first caller; the others count on."""
WORKER: Final = 1_000
LEAST_HEARD: Final = 0.99
TAIL_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a number of calls."""

    by_worker: list[float]
    """For each call, the part of what was said and not lost."""
    by_caller: list[float]
    late_ms: list[float]
    """For each packet to a caller, the time since the one before beyond 20 ms."""

    @property
    def good(self) -> bool:
        return min([*self.by_worker, *self.by_caller], default=0.0) >= LEAST_HEARD


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-a-row", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--speech-ms", type=int, default=4_000)
    parser.add_argument("--loss-percent", type=float, default=2.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(run(given, Path(folder)))


async def run(given: argparse.Namespace, folder: Path) -> int:
    """All of it; 1 where something failed."""
    good = [await in_a_row(given.in_a_row, folder)]
    for calls, percent in ((1, 0.0), (given.at_once, 0.0), (given.at_once, given.loss_percent)):
        good.append(await at_once(calls, given.speech_ms, percent, folder))
    return int(not all(good))


async def in_a_row(calls: int, folder: Path) -> bool:
    """Calls that are answered and soon ended, one after the other."""
    async with open_worker(echo=True) as worker, line_to(worker.url) as line:
        began_s = time.monotonic()
        ran = await sipp(line.port, "call", folder, calls=calls, at_once=1, hold_ms=50)
        took_s = time.monotonic() - began_s
        await none_left(line)
    whole = sum(call.close_code == 1000 for call in worker.calls)
    print(f"{calls} in a row: {whole} whole, {took_s / calls:.3f} s each")
    return ran.code == 0 and whole == calls


async def at_once(calls: int, speech_ms: int, percent: float, folder: Path) -> bool:
    """Calls at the same time, with coded speech in both directions."""
    chance = random.Random(3)
    sent = [_lossy(_said(n, speech_ms), percent, chance) for n in range(calls)]
    async with AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(open_phone(each)) for each in sent]
        answer = _Answer(speech_ms)
        worker = await stack.enter_async_context(open_worker(answer.say))
        line = await stack.enter_async_context(line_to(worker.url, delay=Delay()))
        began_cpu_s = time.process_time()
        ran = await sipp(
            *(line.port, "call", folder),
            fields=[f"{phone.port};0 101" for phone in phones],
            calls=calls,
            at_once=calls,
            hold_ms=speech_ms + TAIL_MS,
        )
        cpu_s = time.process_time() - began_cpu_s
    heard = Heard(_by_worker(worker.calls, sent), _by_caller(phones, speech_ms), _late(phones))
    print(f"{calls} at once, {percent:g} % lost: {_told(heard)}, {cpu_s / calls:.2f} s CPU a call")
    return ran.code == 0 and len(worker.calls) == calls and heard.good


def _said(number: int, speech_ms: int) -> list[Sending]:
    return speech(coded_audio(CALLER + number, 0, speech_ms, quiet=False))


def _lossy(sending: list[Sending], percent: float, chance: random.Random) -> list[Sending]:
    """Without so many of the packets; the first one arrives, which says where the sound begins."""
    return sending[:1] + [each for each in sending[1:] if chance.random() * 100 >= percent]


class _Answer:
    """Each call is answered with a stream of its own, so that none is taken for another."""

    def __init__(self, speech_ms: int) -> None:
        self._speech_ms = speech_ms
        self._next = WORKER

    async def say(self, call: WorkerCall) -> None:
        sound = coded_audio(self._next, 0, self._speech_ms, quiet=False)
        self._next += 1
        for at in range(0, len(sound), 8_000):
            await call.say(sound[at : at + 8_000])


def _by_worker(calls: list[WorkerCall], sent: list[list[Sending]]) -> list[float]:
    streams = [_ms_of(call.heard) for call in calls]
    return [
        max(len(ms.get(CALLER + n, ())) for ms in streams) / (len(sending) * FRAME_MS)
        for n, sending in enumerate(sent)
    ]


def _by_caller(phones: list[Phone], speech_ms: int) -> list[float]:
    """What a caller heard of the one stream that was meant for it; nothing, if it heard two."""
    streams = [_ms_of(phone.heard) for phone in phones]
    return [len(next(iter(ms.values()))) / speech_ms if len(ms) == 1 else 0.0 for ms in streams]


def _ms_of(sound: bytes) -> dict[int, set[int]]:
    """Stream -> which of its milliseconds were heard."""
    found: dict[int, set[int]] = {}
    for run in decode_coded(sound):
        found.setdefault(run.stream_id, set()).update(range(run.start_ms, run.end_ms))
    return found


def _late(phones: list[Phone]) -> list[float]:
    arrivals = [[at_s for at_s, _ in phone.received] for phone in phones]
    return [
        (after - before) * 1000 - FRAME_MS for each in arrivals for before, after in pairwise(each)
    ]


def _told(heard: Heard) -> str:
    late = np.percentile(heard.late_ms, [50, 99, 100]) if heard.late_ms else (0, 0, 0)
    return (
        f"worker heard {min(heard.by_worker, default=0):.2%} at least, "
        f"callers {min(heard.by_caller, default=0):.2%}; "
        f"packets to callers late by {late[0]:.1f} ms (p50), {late[1]:.1f} (p99), {late[2]:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
