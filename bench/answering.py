"""From the answer to the first word, and messages on machines: whole calls over real sockets.

    python -m bench.answering [--calls 100] [--machines 50] [--apart 0.25]

Persons are called with and without machine detection, in turn, and hang up once they were greeted.
Machines take a message, with the carrier's verdict in time, late, wrong or never. Answer to
greeting is counted on the telephone's own clock, from the answer to the first byte that sounds: the
voice webhook, the stream, the first caller audio and the first frame of ours lie in between. Bot,
line and model run in one process on loopback, so a busy machine adds to it.
Exits 0 if the greeting is within `GREETING_MS` at p95, detection or not, and every message began
after the beep, was whole, and came once.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.beyond import Beyond
from app.call.events import OnAnswer
from app.demo.stage import CALLED, Stage
from app.lab.phone.pace import Pace
from app.lab.phone.people import Callee, voicemail
from app.lab.phone.report import CallReport
from app.lab.phone.script import HangUp, Script, WaitForBot
from app.lab.realtime.ports import Output, Say, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from app.lab.speech.voices import voice_clip
from app.server import settle
from app.speech.phrase_book import PhraseBook, PhraseKey
from bench.relay_figures import percentile
from bench.stages import NoMouth
from telecodecs.g711 import BYTES_PER_MS

GREETING_MS: Final = 500
"""From the answer to the first byte of the greeting, at p95."""
GREETING: Final = "Harbour Table, do you have a moment?"
MESSAGE: Final = "This is Harbour Table. Please call us back."
STREAMS: Final = {GREETING: 1, MESSAGE: 2}
LENGTHS_MS: Final = {GREETING: 1_500, MESSAGE: 4_005}
VOICE: Final = "marin"
AGENT: Final = f"""\
instructions = "Be kind."
greeting = "{GREETING}"
filler = ""
[barge_in]
by = "voice"
"""
GREETS: Final = b"".join(
    voice_clip(name).ulaw for name in ("when_open_slt", "bicycle_rms", "computer_slt")
)
VERDICTS: Final[Sequence[tuple[tuple[int, str], ...]]] = (
    ((1_200, "machine_start"),),
    (),
    ((9_000, "machine_end_beep"),),
    ((2_000, "machine_end_silence"),),
    ((4_000, "machine_end_beep"),),
)
"""In time, never, late, in a pause, wrong."""
PERSON: Final = Callee(
    Script((WaitForBot.finished(200, said_ms=1_000), HangUp()), limit_ms=20_000),
    verdicts=((1_200, "human"),),
)
LEAVE: Final = OnAnswer("message", MESSAGE)


class Silent:
    """Whoever is greeted hangs up, so there is nothing to answer."""

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        return [Say("Yes.", coded_audio(3, 0, 300, quiet=False))]

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "hello"


@dataclass(frozen=True, slots=True)
class Order:
    """One call to be placed."""

    kind: str
    callee: Callee
    on_answer: OnAnswer | None


@dataclass(frozen=True, slots=True)
class Found:
    """What one call shows."""

    kind: str
    first_ms: float | None
    """From the answer to the first byte of ours that sounded; None: none did."""
    after_beep_ms: float | None
    """From the end of the beep to the last beginning of the message; None: it never began."""
    whole: bool
    once: bool
    lag_ms: float


PLAIN, DETECTED, MACHINE = "a person", "a person, with detection", "a machine"


def orders(calls: int, machines: int) -> list[Order]:
    """Mixed, so that each kind meets the same machine."""
    persons = [Order(PLAIN, PERSON, None), Order(DETECTED, PERSON, LEAVE)] * calls
    boxes = [
        Order(MACHINE, voicemail(GREETS, verdicts=VERDICTS[n % len(VERDICTS)]), LEAVE)
        for n in range(machines)
    ]
    every = max(1, len(persons) // max(1, machines))
    mixed: list[Order] = []
    for number, person in enumerate(persons):
        mixed.append(person)
        if number % every == every - 1 and boxes:
            mixed.append(boxes.pop())
    return mixed + boxes


async def _render(key: PhraseKey) -> bytes:
    return coded_audio(STREAMS[key.text], 0, LENGTHS_MS[key.text], quiet=False)


async def hold(calls: int, machines: int, apart_s: float) -> list[Found]:
    placed = orders(calls, machines)
    numbers = [f"+1555{number:07}" for number in range(len(placed))]
    with tempfile.TemporaryDirectory(prefix="earshot-bench-") as name:
        folder = Path(name)
        (folder / "host.toml").write_text(AGENT, encoding="utf-8")
        book = PhraseBook(folder / "phrases", _render)
        async with Stage(
            brain=Silent,
            ear=Silent(),
            mouth=NoMouth(),
            data_dir=folder,
            agent=str(folder / "host.toml"),
            beyond=Beyond(phrases=book),
            people=dict(zip(numbers, (order.callee for order in placed), strict=True)),
            pace=Pace(say_ms_per_char=1, play_ms=0, pause_factor=0),
        ) as stage:
            key = PhraseKey(GREETING, VOICE, stage.worker.settings.model_for(""))
            await book.ready(key, 5)
            settle()
            holding = (
                _held(stage, number, order, apart_s * at)
                for at, (number, order) in enumerate(zip(numbers, placed, strict=True))
            )
            found = await asyncio.gather(*holding)
        await book.close()
    return found


async def _held(stage: Stage, number: str, order: Order, after_s: float) -> Found:
    await asyncio.sleep(after_s)
    rest = await stage.worker.rest()
    assert rest is not None, "the stage has an account"
    assert stage.account is not None, "the stage has people"
    agent = stage.worker.settings.agent
    placed = await rest.place_call(number, CALLED, agent, on_answer=order.on_answer)
    return judged(order.kind, await stage.account.report(placed.call_sid))


def judged(kind: str, report: CallReport) -> Found:
    if not report.streams or not report.streams[0].played.position:
        return Found(kind, None, None, False, False, report.max_lag_ms)
    stream = report.streams[0]
    played = stream.played
    first_ms = stream.began_ms + played.heard_at(0) - played.first_ms
    begun = [
        played.first_ms + run.offset_bytes / BYTES_PER_MS
        for run in decode_coded(played.audio())
        if run.stream_id == STREAMS[MESSAGE] and run.start_ms == 0
    ]
    heard = decode_coded(b"".join(frame for frame in played.frames if frame))
    last = heard[-1] if heard else None
    whole = (
        last is not None
        and last.stream_id == STREAMS[MESSAGE]
        and (last.start_ms, last.end_ms) == (0, LENGTHS_MS[MESSAGE])
    )
    beeps = [one.end_ms for one in stream.spoken if one.kind == "noise"]
    after_ms = begun[-1] - beeps[-1] if begun and beeps else None
    once = after_ms is not None and sum(at >= beeps[-1] for at in begun) == 1
    return Found(kind, first_ms, after_ms, whole, once, report.max_lag_ms)


def shown(found: Sequence[Found]) -> tuple[Table, bool]:
    """The table, and whether all is as it must be."""
    table, good = Table(box=SIMPLE_HEAD), True
    for column in ("who answers", "calls", "p50 ms", "p95 ms", "longest ms", "must be"):
        table.add_column(column, justify="left" if column == "who answers" else "right")
    for kind in (PLAIN, DETECTED):
        times = [one.first_ms for one in found if one.kind == kind]
        known = [at_ms for at_ms in times if at_ms is not None]
        p95 = percentile(known, 0.95) if known else float("inf")
        good = good and len(known) == len(times) and p95 <= GREETING_MS
        figures = [f"{at:.0f}" for at in (percentile(known, 0.5), p95, max(known))]
        table.add_row(f"{kind}: to the greeting", str(len(times)), *figures, f"<= {GREETING_MS}")
    machines = [one for one in found if one.kind == MACHINE]
    after = [one.after_beep_ms for one in machines if one.after_beep_ms is not None]
    late = [f"{at:.0f}" for at in (percentile(after, 0.5), percentile(after, 0.95), max(after))]
    table.add_row(f"{MACHINE}: beep to message", str(len(after)), *late, "> 0")
    well = [
        one
        for one in machines
        if one.whole and one.once and one.after_beep_ms is not None and one.after_beep_ms > 0
    ]
    share = f"{100 * len(well) / len(machines):.1f} %"
    table.add_row(f"{MACHINE}: whole, once", str(len(machines)), share, "", "", "100 %")
    return table, good and len(well) == len(machines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.answering", description=__doc__)
    parser.add_argument("--calls", type=int, default=100, help="persons of each kind")
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--apart", type=float, default=0.25, help="seconds between two calls")
    given = parser.parse_args(arguments)
    found = uvloop.run(hold(given.calls, given.machines, given.apart))
    table, good = shown(found)
    console = Console()
    console.print(table)
    console.print(f"the line's clock was late by up to {max(one.lag_ms for one in found):.0f} ms")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
