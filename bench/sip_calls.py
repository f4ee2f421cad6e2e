"""Real SIP calls to the bot: 100 after each other, and 20 at once of whose packets 2 % are lost.

    python -m bench.sip_calls [--in-a-row 100] [--at-once 20] [--loss-percent 2]

Debian's `sipp` signals, the caller's sound goes as RTP to the line of our own (`earshot sip
line`), which brings the call to a worker with the lab's model. Every caller is greeted, asks,
interrupts the answer and hangs up; each greeting and each last answer must have been heard to the
millisecond, each cut be known to the model. All of it shares one process. Exits 1 where a call
went otherwise.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop

from app.demo.stage import CALLED, CALLER, LAB_PBX, LAB_PBX_PASSWORD, Stage, greeting_first
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import HangUp, Interrupt, Script, WaitForBot
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import Output, Turn
from app.lab.speech.coded import decode_coded
from app.observe.log import configure_logging
from app.sip_line.jitter import Delay
from bench.interruptions import percentile
from tests.lab_calls.cast import CodeEar, NoMouth, line, shout
from tests.sip_line.stage import line_to
from tests.sip_line.talking import ALAW, ULAW, SipPhone

GREETING_MS: Final = 700
STORY_MS: Final = 8_000
ANSWER_MS: Final = 600
P95_TARGET_MS: Final = 20
SCRIPT: Final = Script(
    (
        WaitForBot.finished(200),
        Interrupt(shout(1_901, 400), 0, "ask"),
        Interrupt(shout(1_902, 400), 1_200, "stop"),
        WaitForBot.finished(300, said_ms=ANSWER_MS // 2),
        HangUp(),
    )
)


class Brain:
    """A greeting, a long story, a short answer; every sentence of every call is another stream."""

    numbers = itertools.count(1)

    def __init__(self) -> None:
        self._lengths = iter((GREETING_MS, STORY_MS, ANSWER_MS))

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        length_ms = next(self._lengths, 0)
        return [line(next(self.numbers) % 1_900, length_ms)] if length_ms else []


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one call."""

    whole: bool
    """Greeting and last answer were heard to the millisecond, and it went as scripted."""
    error_ms: int | None
    """What the model remembers of the story, less what was heard of it. None: no cut."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--in-a-row", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--loss-percent", type=float, default=2.0)
    given = parser.parse_args()
    configure_logging("error")
    return uvloop.run(run(given.in_a_row, given.at_once, given.loss_percent / 100))


async def run(in_a_row: int, at_once: int, loss: float) -> int:
    """Both parts; 1 where one failed."""
    good = [await held(f"{in_a_row} in a row", in_a_row, 1, 0.0)]
    good.append(await held(f"{at_once} at once, {loss:.0%} lost", at_once, at_once, loss))
    return int(not all(good))


async def held(title: str, calls: int, at_once: int, loss: float) -> bool:
    """So many calls, half of them in each law; what came of them is printed."""
    gate, began_s = asyncio.Semaphore(at_once), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            Stage(
                brain=Brain,
                ear=CodeEar(),
                mouth=NoMouth(),
                revise=greeting_first,
                data_dir=folder,
                record_events=False,
            ) as stage,
            line_to(
                f"{stage.url.replace('http', 'ws', 1)}/asterisk/media",
                worker_user=LAB_PBX,
                worker_password=LAB_PBX_PASSWORD,
                delay=Delay(),
            ) as sip,
        ):

            async def one(number: int) -> CallReport:
                async with gate:
                    impairments = Impairments(loss=loss, seed=number)
                    law = ALAW if number % 2 else ULAW
                    phone = SipPhone(sip.port, folder, payload_type=law, impairments=impairments)
                    return await phone.call(SCRIPT, from_=CALLER, to=CALLED)

            reports = await asyncio.gather(*map(one, range(calls)))
            await asyncio.sleep(1)
            came = [judged(report, stage.model.sessions) for report in reports]
    return told(title, came, time.monotonic() - began_s)


def judged(report: CallReport, sessions: Sequence[SessionLog]) -> Came:
    sound = b"".join(frame for frame in report.streams[0].played.frames if frame)
    heard: Counter[int] = Counter()
    for run in decode_coded(sound):
        heard[run.stream_id] += run.end_ms - run.start_ms
    model = next(s for s in sessions if streams_of(s) & heard.keys())
    lengths = {GREETING_MS: 0, ANSWER_MS: 0}
    error_ms = None
    for item in model.items.values():
        runs = decode_coded(bytes(item.audio))
        if not runs:
            continue
        stream = runs[0]
        if item.audio_ms in lengths:
            lengths[item.audio_ms] = heard[stream.stream_id]
        elif item.truncated_ms is not None:
            error_ms = item.truncated_ms - heard[stream.stream_id]
    whole = report.as_scripted and all(length == found for length, found in lengths.items())
    return Came(whole, error_ms)


def streams_of(session: SessionLog) -> set[int]:
    return {
        run.stream_id for item in session.items.values() for run in decode_coded(bytes(item.audio))
    }


def told(title: str, came: Sequence[Came], took_s: float) -> bool:
    whole = sum(each.whole for each in came)
    errors = [float(abs(each.error_ms)) for each in came if each.error_ms is not None]
    p95_ms = percentile(errors, 0.95) if errors else 0.0
    print(
        f"{title}: {whole} of {len(came)} whole, {len(errors)} cuts, truncation error "
        f"{percentile(errors, 0.5):.0f} ms (p50), {p95_ms:.0f} (p95), {max(errors):.0f} at most; "
        f"{took_s / len(came):.1f} s a call"
    )
    return whole == len(errors) == len(came) and p95_ms <= P95_TARGET_MS


if __name__ == "__main__":
    sys.exit(main())
