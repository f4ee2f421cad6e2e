"""Calls that are held while their database is killed, and then compared with its rows."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from app.beyond import Beyond
from app.demo.stage import CALLED, CALLER, Stage, greeting_first
from app.lab.phone.report import CallReport
from app.lab.phone.script import Say, Script, Step, WaitForBot
from app.lab.phone.verbs import Pace
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.realtime.ports import Say as ModelSays
from app.lab.speech.coded import coded_audio
from app.records.database import Database, sql_url
from app.records.keeper import RecordKeeper, Times
from app.records.tables import calls, interruptions, model_legs, streams, tool_runs, turns, usage
from bench.stages import NoMouth

VOICE: Final = 1_900
APART_S: Final = 0.15
UTTERANCES: Final = 3
SAYS_MS: Final = 900
AGENT: Final = """\
instructions = "You take messages."
greeting = "Hello."
filler = ""
tools = ["hang_up"]
[barge_in]
by = "model"
"""
QUICK: Final = Times(first_wait_s=0.1, longest_wait_s=1.0)
WRITTEN_WITHIN_S: Final = 60.0

Row = dict[str, Any]


class Talker:
    """Answers each utterance, then says goodbye and hangs up."""

    def __init__(self, utterances: int) -> None:
        self._left = utterances
        self._lines = 0

    def hints(self) -> Sequence[str]:
        """See `app.lab.realtime.ports.Brain`."""
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """See `app.lab.realtime.ports.Brain`."""
        self._lines += 1
        sound = coded_audio(self._lines, 0, SAYS_MS, quiet=False)
        said: list[Output] = [ModelSays(f"line {self._lines}", sound)]
        if self._lines > self._left:
            said.append(CallFunction("hang_up"))
        return said


class AnyWords:
    """Understands something."""

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """See `app.lab.realtime.ports.Ear`."""
        return "something"


@dataclass(slots=True)
class Held:
    """Calls that were held, and what was found in the database afterwards."""

    reports: list[CallReport]
    timelines: list[Row]
    written_s: float = 0.0
    """From the end of the last call until everything was written."""
    problems: list[str] = field(default_factory=list)


def script(utterances: int) -> Script:
    """Waits for the end of each line before saying the next thing."""
    steps: list[Step] = [WaitForBot.finished(300, said_ms=SAYS_MS - 200, timeout_ms=20_000)]
    for n in range(utterances):
        steps.append(Say(coded_audio(VOICE + n, 0, 300, quiet=False), kind="speech"))
        if n < utterances - 1:
            heard_ms = SAYS_MS - 200
            steps.append(WaitForBot.finished(300, said_ms=heard_ms, timeout_ms=20_000))
    return Script(tuple(steps), limit_ms=60_000)


async def hold(
    folder: Path,
    database_url: str,
    count: int,
    meddle: Callable[[], Coroutine[Any, Any, None]],
    *,
    utterances: int = UTTERANCES,
) -> Held:
    """So many calls at once at one worker, while `meddle` does what it does; then everything in the
    database is compared with the files."""
    agent = folder / "talker.toml"
    agent.write_text(AGENT, encoding="utf-8")
    data_dir = folder / "data"
    keeper = RecordKeeper(Database(sql_url(database_url), pool=2), data_dir, times=QUICK)
    writing = asyncio.create_task(keeper.run())
    async with Stage(
        brain=lambda: Talker(utterances),
        ear=AnyWords(),
        mouth=NoMouth(),
        revise=greeting_first,
        data_dir=data_dir,
        agent=str(agent),
        beyond=Beyond(records=keeper),
        model_connect_timeout_s=10.0,
        model_give_up_s=20.0,
    ) as stage:
        meddling = asyncio.create_task(meddle())
        said = script(utterances)
        reports = await asyncio.gather(*(_call(stage, said, n * APART_S) for n in range(count)))
        began_s = asyncio.get_running_loop().time()
        await meddling
        problems = await _written(keeper)
        written_s = asyncio.get_running_loop().time() - began_s
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    timelines = await asyncio.to_thread(timelines_in, data_dir)
    problems += await compare(keeper.database, timelines)
    await keeper.close()
    return Held(reports, timelines, written_s, problems)


async def _call(stage: Stage, said: Script, wait_s: float) -> CallReport:
    await asyncio.sleep(wait_s)
    line = stage.line(pace=Pace(say_ms_per_char=1, play_ms=0, pause_factor=0))
    return await line.call(said, from_=CALLER, to=CALLED)


async def _written(keeper: RecordKeeper) -> list[str]:
    try:
        async with asyncio.timeout(WRITTEN_WITHIN_S):
            while await asyncio.to_thread(keeper.spool.count):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
    except TimeoutError:
        return [f"{keeper.spool.count()} streams were not written in {WRITTEN_WITHIN_S:g} s"]
    return [f"put aside: {name}" for name in keeper.spool.aside()]


def timelines_in(data_dir: Path) -> list[Row]:
    """As they stand on the disk."""
    return [
        json.loads(p.read_text("utf-8")) for p in sorted(data_dir.glob("calls/*/timeline*.json"))
    ]


async def compare(database: Database, timelines: Sequence[Row]) -> list[str]:
    """What stands in the files and not in the rows, or the other way round; told apart from how
    the rows are made."""
    async with database.reading() as connection:
        found: dict[str, list[Row]] = {}
        for table in (calls, streams, turns, interruptions, tool_runs, model_legs, usage):
            rows = await connection.execute(select(table))
            found[table.name] = [dict(row) for row in rows.mappings()]
    problems = _same("streams", len(timelines), len(found["streams"]))
    by_call = {timeline["call_id"] for timeline in timelines}
    problems += _same("calls", len(by_call), len(found["calls"]))
    for call in found["calls"]:
        problems += _same("numbers", (CALLER, CALLED), (call["caller"], call["called"]))
        problems += _same("end", True, bool(call["end_reason"] and call["ended_at_ms"]))
    documents = {row["stream_id"]: row["document"] for row in found["streams"]}
    for timeline in timelines:
        problems += _same("document", timeline, documents.get(timeline["stream_id"]))
        problems += _parts(timeline, found)
    return problems


def _parts(timeline: Row, found: dict[str, list[Row]]) -> list[str]:
    """Of one stream."""
    here = {
        name: [row for row in rows if row.get("stream_id") == timeline["stream_id"]]
        for name, rows in found.items()
    }
    told: list[Row] = timeline["turns"]
    stamps = {row["turn"]: row["stamps_ms"] for row in here["turns"]}
    cut = [turn["turn"] for turn in told if turn["interruption"]]
    runs = sorted(run["call_id"] for turn in told for run in turn["tools"])
    tokens = [tokens for turn in told for tokens in turn["usage"]]
    legs = [(leg["number"], leg["taken_ms"]) for leg in timeline["legs"]]
    return [
        *_same("stamps", {turn["turn"]: turn["stamps_ms"] for turn in told}, stamps),
        *_same("interruptions", cut, sorted(row["turn"] for row in here["interruptions"])),
        *_same("tools", runs, sorted(row["tool_call_id"] for row in here["tool_runs"])),
        *_same("usage", tokens, [row["tokens"] for row in sorted(here["usage"], key=_number)]),
        *_same("legs", legs, sorted((row["leg"], row["taken_ms"]) for row in here["model_legs"])),
        *_same("words", _words(timeline["transcript"]), _words_in(here["turns"])),
    ]


def _number(row: Row) -> int:
    return int(row["number"])


def _words(transcript: Sequence[Row]) -> list[str]:
    return sorted(word for line in transcript for word in line["text"].split())


def _words_in(rows: Sequence[Row]) -> list[str]:
    return sorted(
        word for row in rows for word in f"{row['caller_text']} {row['heard_text']}".split()
    )


def _same(what: str, wanted: object, found: object) -> list[str]:
    if wanted == found:
        return []
    return [f"{what}: in the files {str(wanted)[:80]}, in the database {str(found)[:80]}"]
