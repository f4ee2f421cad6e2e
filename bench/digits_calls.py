"""The calls of `bench.digits`: callers type card numbers and PINs, and much goes wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import select

from app.beyond import Beyond
from app.bridge.call_record import TIMELINE_FILE, call_folder
from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event, KeyPressed
from app.call.phases import CallSettings
from app.demo.stage import CALLED, CALLER, LAB_KEY, Stage, by_the_models_ears
from app.lab.phone.impairments import Impairments, KeyLeak, Noise
from app.lab.phone.report import CallReport
from app.lab.phone.script import Press, Say, Script, Step, WaitForBot
from app.lab.phone.verbs import Pace
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.realtime.ports import Say as ModelSays
from app.lab.speech.coded import coded_audio
from app.lab.text.server import LabTextModel
from app.live import open_live
from app.records.database import Database, sql_url
from app.records.keeper import RecordKeeper, Times
from app.records.tables import metadata
from bench.digits_scan import WORDS, in_sound
from bench.stages import NoMouth, written

WRITTEN_WITHIN_S: Final = 60.0
PANS: Final = (
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "2223003122003222",
    "5200828282828210",
    "5105105105105100",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "4012888888881881",
    "4222222222222",
)
"""Numbers that card networks and payment services publish for tests."""
PINS: Final = ("48150", "907361", "27182818")

Happening: TypeAlias = Literal["nothing", "early", "speaks", "roll_over", "drop", "lost", "drained"]
HAPPENINGS: Final[tuple[Happening, ...]] = (
    "nothing",
    "early",
    "speaks",
    "roll_over",
    "drop",
    "lost",
    "drained",
)
"""nothing; the caller types into the question; speaks between two keys; the model's session is
replaced, or lost; the stream is lost, or moved to another worker, in the middle of the entry."""
AFTER_KEYS: Final = 6
ASK_MS, SHORT_MS = 1_200, 700
VOICE: Final = 1_900
AGENT: Final = """\
instructions = "Be kind."
greeting = "Please type the number of your card."
tools = ["collect_digits", "hang_up"]
[recording]
by = "own"
"""
LEAKS: Final = (
    None,
    KeyLeak(-16.0, 100),
    KeyLeak(-10.0, 100, told_after_ms=60),
    KeyLeak(-24.0, 80, told_after_ms=100),
    KeyLeak(-16.0, 60, told_after_ms=40),
)
"""A telephone whose carrier takes the tones out of the sound, and some whose carrier does not; the
message of a key comes with its tone, or late."""


@dataclass(frozen=True, slots=True)
class Act:
    """One call."""

    name: str
    pan: str
    pin: str
    happening: Happening
    masked: bool
    gap_ms: int
    line: Impairments

    @property
    def numbers(self) -> tuple[str, ...]:
        return (self.pan, self.pin)


def acts(count: int, seed: int, *, masked: bool = True) -> list[Act]:
    """Every happening with every leak, in turn; the rest is chance."""
    chance = Random(seed)
    made = []
    for n in range(count):
        leak = LEAKS[n // len(HAPPENINGS) % len(LEAKS)] if masked else LEAKS[1]
        noise = Noise("street", 30.0) if chance.random() < 0.3 and masked else None
        line = Impairments(delay_ms=chance.choice((0, 40, 80)), seed=n, key_leak=leak, noise=noise)
        happening = HAPPENINGS[n % len(HAPPENINGS)] if masked else "nothing"
        made.append(
            Act(
                f"{n} {happening}",
                chance.choice(PANS),
                chance.choice(PINS),
                happening,
                masked,
                chance.choice((140, 200, 260)),
                line,
            )
        )
    return made


class Clerk:
    """Asks for a card number, then for a PIN, then hangs up; one mind for all of a call."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._collected = -1
        self._lines = 0

    def hints(self) -> Sequence[str]:
        """See `app.lab.realtime.ports.Brain`."""
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """See `app.lab.realtime.ports.Brain`."""
        last = conversation[-1] if conversation else None
        back = last is not None and last.role == "function_call_output"
        # Where the state of the call was lost, the agent begins anew and asks for the same again.
        anew = "Greet the caller" in instructions and self._collected >= 0
        if self._collected < 0 or anew or (back and self._collected == 0):
            self._collected += 0 if anew else 1
            length = len(self._act.numbers[self._collected])
            wanted = {"min_digits": length, "max_digits": length, "masked": self._act.masked}
            return [self._line(ASK_MS), CallFunction("collect_digits", wanted)]
        if back:
            return [self._line(SHORT_MS), CallFunction("hang_up")]
        return [self._line(SHORT_MS)]

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """See `app.lab.realtime.ports.AsideBrain`."""
        return [ModelSays(json.dumps([turn.text for turn in conversation]), b"")]

    def _line(self, ms: int) -> ModelSays:
        self._lines += 1
        return ModelSays(f"line {self._lines}", coded_audio(self._lines, 0, ms, quiet=False))


class ToneEar:
    """Writes down the keys that it hears."""

    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """See `app.lab.realtime.ports.Ear`."""
        keys = in_sound(utterance)
        return " ".join(WORDS[int(key)] for key in keys if key.isdigit()) or "(something)"


class Meddler:
    """An observer that makes the act's happening happen, once, after so many keys."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._keys = 0
        self.stage: Stage | None = None

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        if isinstance(event, KeyPressed):
            self._keys += 1
            if self._keys == AFTER_KEYS:
                asyncio.get_running_loop().call_soon(self._meddle)

    def _meddle(self) -> None:
        if self.stage is None or not self.stage.worker.switchboard.calls:
            return
        bridge = self.stage.worker.switchboard.calls[0]
        match self._act.happening:
            case "roll_over":
                bridge.roll_over()
            case "drop":
                self.stage.model.drop()
            case "lost":
                bridge.carrier_closed("lost", "the bench cut it")
            case "drained":
                bridge.hang_up("drain")
                bridge.hang_up("drain")
            case _:
                pass


@dataclass(slots=True)
class Evidence:
    """What a call left behind, by sink."""

    texts: dict[str, str] = field(default_factory=dict)
    sounds: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Held:
    act: Act
    report: CallReport
    evidence: Evidence
    end_reason: str
    streams: int


def script(act: Act) -> Script:
    """What the caller does."""
    pan, pin, gap_ms = act.pan, act.pin, act.gap_ms
    first = WaitForBot(said_ms=300) if act.happening == "early" else _asked(ASK_MS)
    steps: list[Step] = [first]
    said_ms = ASK_MS
    match act.happening:
        case "speaks":
            half = len(pan) // 2
            voice = coded_audio(VOICE, 0, 300, quiet=False)
            steps += [
                Press(pan[:half], gap_ms),
                Say(voice, kind="speech"),
                Press(pan[half:], gap_ms),
            ]
            said_ms = 0
        case "lost" | "drained":
            steps += [Press(pan[:AFTER_KEYS], gap_ms), _asked(said_ms + SHORT_MS)]
            steps += [Press(pan, gap_ms)]
            said_ms += SHORT_MS
        case _:
            steps += [Press(pan, gap_ms)]
    steps += [_asked(said_ms + (300 if act.happening == "early" else ASK_MS)), Press(pin, gap_ms)]
    return Script(tuple(steps), limit_ms=28_000)


def _asked(said_ms: int) -> WaitForBot:
    return WaitForBot.finished(300, said_ms=said_ms - 200, timeout_ms=15_000)


def soon(settings: CallSettings) -> CallSettings:
    """A change of sessions does not wait for a quiet moment."""
    relay = replace(settings.relay, quiet_wait_ms=100, force_wait_ms=200)
    return replace(settings, relay=relay, move_wait_ms=100)


async def hold(act: Act, folder: Path, redis_url: str, migrating: asyncio.Lock) -> Held:
    """One call on a stage of its own, and all that it left."""
    agent = _agent_file(folder)
    clerk, meddler = Clerk(act), Meddler(act)
    async with (
        LabTextModel(api_key=LAB_KEY) as text_model,
        _records(folder / "data", migrating) as records,
        open_live(redis_url, folder / "data", f"bench-{folder.name}") as live,
        Stage(
            brain=lambda: clerk,
            ear=ToneEar(),
            mouth=NoMouth(),
            data_dir=folder / "data",
            agent=str(agent),
            observers=[meddler],
            adjust=soon,
            revise=by_the_models_ears,
            beyond=Beyond(live, records=records),
            model_connect_timeout_s=6.0,
            model_give_up_s=12.0,
            summary_model="lab-text",
            summary_base_url=text_model.base_url,
        ) as stage,
    ):
        meddler.stage = stage
        pace = Pace(say_ms_per_char=1, play_ms=0, pause_factor=0)
        line = stage.line(act.line, pace=pace)
        report = await line.call(script(act), from_=CALLER, to=CALLED)
        record = call_folder(folder / "data", report.identity.call_sid)
        await written(record / TIMELINE_FILE)
        await asyncio.sleep(0.3)
        await _in_rows(records, len(list(record.glob("timeline*"))))
        found = _evidence(stage, text_model, report, folder / "data")
        found.texts["database"] = await _rows(records.database)
        timelines = [json.loads(path.read_text()) for path in sorted(record.glob("timeline*"))]
    ends = [timeline["end_reason"] for timeline in timelines]
    reason = "agent_hung_up" if "agent_hung_up" in ends else ", ".join(map(str, ends))
    return Held(act, report, found, reason, len(report.streams))


@asynccontextmanager
async def _records(data: Path, migrating: asyncio.Lock) -> AsyncIterator[RecordKeeper]:
    """A database of this call's own, written as ever. `migrating`: Alembic makes the tables of one
    database at a time."""
    keeper = RecordKeeper(Database(sql_url("", data), pool=2), data, times=Times(look_s=0.1))
    async with migrating:
        await keeper.database.upgrade()
    writing = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await keeper.close()


async def _in_rows(records: RecordKeeper, streams: int) -> None:
    """So many streams are written; one that was lost with its worker never is."""
    async with asyncio.timeout(WRITTEN_WITHIN_S):
        while records.written < streams:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def _rows(database: Database) -> str:
    """All that stands in it."""
    async with database.reading() as connection:
        found = [
            (await connection.execute(select(table))).all() for table in metadata.sorted_tables
        ]
    return "\n".join(json.dumps(list(row), default=str) for rows in found for row in rows)


def _agent_file(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "clerk.toml"
    path.write_text(AGENT, encoding="utf-8")
    return path


def _evidence(stage: Stage, text_model: LabTextModel, report: CallReport, data: Path) -> Evidence:
    found = Evidence()
    sessions = stage.model.sessions
    found.texts["messages to the model"] = "\n".join(
        json.dumps(_without_audio(event.event)) for s in sessions for event in s.received
    )
    found.texts["messages from the model"] = "\n".join(
        json.dumps(_without_audio(event)) for s in sessions for event in s.events()
    )
    found.sounds["audio to the model"] = b"".join(bytes(s.caller_audio) for s in sessions)
    found.texts["text model"] = "\n".join(
        f"{request.instructions}\n{request.text}" for request in text_model.requests
    )
    found.texts["metrics"] = stage.worker.metrics.render()[0].decode()
    found.texts["webhooks and TwiML"] = repr(report.requests) + repr(report.verbs)
    for path in sorted(path for path in data.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".wav":
            left, right = _channels(content)
            found.sounds["recordings"] = found.sounds.get("recordings", b"") + left + right
        name = path.name.split(".")[0].split("-")[0]
        sink = f"files: {name if name in ('events', 'timeline', 'decisions') else 'others'}"
        text = content.decode("latin-1") if path.suffix != ".wav" else ""
        found.texts[sink] = found.texts.get(sink, "") + text
    return found


def _channels(wav: bytes) -> tuple[bytes, bytes]:
    """Both sides of a file in μ-law."""
    sound = wav[wav.index(b"data") + 8 :]
    return sound[0::2], sound[1::2]


def _without_audio(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("audio", "delta")}
