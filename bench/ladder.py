"""`python -m bench.ladder [RUNS]`: the model path cut in every state of a call.

The caller must be served by the next rung within 3 s (p95), and never be left in silence. Each run
is a whole call over real sockets on a stage of its own; at a random moment the model's sessions are
lost and no other one can be opened. What the caller gets then is read off the telephone's own
record: the first word of the menu, the ringing, the voicemail.
"""

import asyncio
import logging
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from rich.console import Console
from rich.table import Table

from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Pace, Press, Say, Script, Step, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.realtime.ports import Say as Speak
from app.lab.speech.coded import coded_audio
from bench.relay_figures import Findings, Target, none_of, p95_within, percentile, table
from bench.stages import NoMouth, side_by_side

Cut: TypeAlias = Literal["aborted, nobody listens", "aborted, refused", "aborted, reset", "closed"]
Rung: TypeAlias = Literal["menu", "person", "voicemail", "apology"]
CUTS: Final = get_args(Cut)
RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)
RUNS: Final = 500
AT_ONCE: Final = 20
WITHIN_MS: Final = 3_000
LINE: Final = "+14155550199"
DESK: Final = "+14155550100"
LAST_CUT_S: Final = 9.0
AFTER_S: Final = 7.0
SLIPPED_S: Final = 0.5
"""A session whose handshake was under way is there by then."""
FIRST_VERB: Final[dict[Rung, tuple[str, ...]]] = {
    "menu": ("Gather",),
    "person": ("Say", "Dial"),
    "voicemail": ("Say", "Record"),
    "apology": ("Say",),
}
AGENT: Final = """
instructions = "You answer."
greeting = "Hello there."
tools = ["hang_up", "collect_digits", "SLOW:slowly"]
"""
MORE: Final[dict[Rung, str]] = {
    "menu": "[voicemail]\n",
    "person": f'[ladder]\nperson = "desk"\nrungs = ["person"]\n[transfers.desk]\nto = "{DESK}"\n',
    "voicemail": '[ladder]\nrungs = ["voicemail"]\n[voicemail]\n',
    "apology": "[ladder]\nrungs = []\n",
}
SLOW: Final = '''
import asyncio


async def slowly() -> str:
    """Take your time."""
    await asyncio.sleep(2.0)
    return "done"
'''


class Brain:
    """Speaks, runs a slow tool, lets keys be typed, in turn."""

    def __init__(self) -> None:
        self._turn = 0

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        self._turn += 1
        spoken = Speak(f"line {self._turn}", coded_audio(self._turn, 0, 1_200, quiet=False))
        extra: dict[int, tuple[Output, ...]] = {
            2: (CallFunction("slowly"),),
            4: (CallFunction("collect_digits", {"max_digits": 6}),),
        }
        return (spoken, *extra.get(self._turn % 5, ()))


class Ear:
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        return "(something)"


@dataclass(frozen=True, slots=True)
class Held:
    """One run."""

    cut: Cut
    rung: Rung
    state: str
    wait_ms: int | None
    """From the cut to the first verb of the next rung; None: it never came."""
    first: str
    lag_ms: float


class Run:
    """See `bench.stages.Staged`."""

    def __init__(self, number: int, folder: Path) -> None:
        dice = random.Random(f"ladder/{number}")
        self._cut: Cut = CUTS[number % len(CUTS)]
        self._rung: Rung = RUNGS[number // len(CUTS) % len(RUNGS)]
        self._cut_s = dice.uniform(0.05, LAST_CUT_S)
        self._script = _script(dice)
        folder.mkdir(parents=True)
        agent = folder / "house.toml"
        text = AGENT.replace("SLOW", "slow.py") + MORE[self._rung]
        agent.write_text(text, encoding="utf-8")
        (folder / "slow.py").write_text(SLOW, encoding="utf-8")
        person = Script(
            (
                Wait(200),
                Say(coded_audio(1_950, 0, 300, quiet=False), "Desk here."),
            )
        )
        self._stage = Stage(
            brain=Brain,
            ear=Ear(),
            mouth=NoMouth(),
            revise=by_the_models_ears,
            data_dir=folder / "data",
            agent=str(agent),
            people={DESK: Callee(replace(person, limit_ms=20_000), ring_ms=100)},
            pace=Pace(say_ms_per_char=20, play_ms=0),
            behaviour=Behaviour(seed=number, connect_delay_ms=dice.choice((0, 0, 300))),
        )

    async def __aenter__(self) -> "Run":
        await self._stage.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stage.__aexit__(None, None, None)

    async def hold(self) -> Held:
        stage = self._stage
        calling = asyncio.ensure_future(stage.line().call(self._script, from_=CALLER, to=LINE))
        await asyncio.sleep(self._cut_s)
        state, cut_ms = self._now()
        self._break()
        await asyncio.sleep(SLIPPED_S)
        if self._stage.model.living:
            # Its handshake was under way at the cut: only now the model path is really cut.
            state, cut_ms = self._now()
            self._break()
        await asyncio.sleep(AFTER_S)
        assert stage.account is not None
        for placed in stage.account.calls.values():
            placed.live.hang_up("caller")
        return self._held(await calling, state, cut_ms)

    def _now(self) -> tuple[str, int]:
        """What was going on, and when on the telephone's clock."""
        stage = self._stage
        assert stage.account is not None
        calls = list(stage.account.calls.values())
        bridges = stage.worker.switchboard.calls
        cut_ms = calls[0].live.now_ms if calls else 0
        if not bridges:
            return "before the stream", cut_ms
        call = bridges[0].call
        if not call.handover.relay.leg:
            return "opening", cut_ms
        if call.floor.caller_speaking:
            return "caller speaking", cut_ms
        if call.playout.unplayed:
            return "answer arriving" if call.responses.busy else "bot speaking", cut_ms
        if call.history.open_tools:
            return "tool or keys", cut_ms
        return "thinking" if call.responses.owed else "quiet", cut_ms

    def _break(self) -> None:
        model = self._stage.model
        match self._cut:
            case "aborted, refused":
                model.behaviour = Behaviour(refuse_status=503)
            case "aborted, reset":
                model.behaviour = Behaviour(reset_connect=True)
            case _:
                model.stop_listening()
        model.drop(how="close" if self._cut == "closed" else "abort", code=1011)

    def _held(self, report: CallReport, state: str, cut_ms: int) -> Held:
        wanted = FIRST_VERB[self._rung]
        came = [v for v in report.verbs if v.name in wanted and not v.within]
        first = came[0] if came else None
        wait_ms = None if first is None else max(0, first.began_ms - cut_ms)
        name = "" if first is None else first.name
        return Held(self._cut, self._rung, state, wait_ms, name, report.max_lag_ms)


def _script(dice: random.Random) -> Script:
    says = [Say(coded_audio(1_900 + n, 0, 500, quiet=False), "something") for n in range(6)]
    steps: tuple[Step, ...] = (WaitForBot.finished(300, timeout_ms=4_000),)
    talk: list[Step] = []
    for say in says:
        talk += [say, WaitForBot.finished(dice.randint(200, 700), timeout_ms=4_000)]
        if dice.random() < 0.3:
            talk.append(Press("123"))
    steps = (*steps, *talk, Wait(60_000), HangUp())
    return Script(steps, on_timeout="go_on", limit_ms=90_000)


async def run(runs: int = RUNS) -> Findings:
    held: list[Held] = []
    for first in range(0, runs, AT_ONCE):
        numbers = range(first, min(runs, first + AT_ONCE))
        makers = [partial(_make, number) for number in numbers]
        async with side_by_side(makers) as batch:
            held += batch
    return _findings(runs, held)


def _make(number: int, folder: Path) -> Run:
    return Run(number, folder)


def _findings(runs: int, held: Sequence[Held]) -> Findings:
    waits = [one.wait_ms for one in held if one.wait_ms is not None]
    silent = [one for one in held if one.wait_ms is None]
    targets: tuple[Target, ...] = (
        p95_within("from the cut to the next rung", WITHIN_MS, waits),
        none_of("calls that were left in silence", len(silent)),
        Target("runs", f"{runs}", f"{len(held)}", len(held) == runs),
    )
    tables = (
        _by("state of the call", held, lambda one: one.state),
        _by("what was cut", held, lambda one: one.cut),
        _by("next rung", held, lambda one: one.rung),
    )
    notes = tuple(
        f"silence: {state}, {cut}, {rung}: {n}"
        for (state, cut, rung), n in Counter((s.state, s.cut, s.rung) for s in silent).items()
    )
    lags = sorted(one.lag_ms for one in held)
    middle = lags[len(lags) // 2] if lags else 0.0
    return Findings("The ladder", targets, tables, notes, max(lags, default=0.0), middle)


def _by(title: str, held: Sequence[Held], key: Callable[[Held], str]) -> Table:
    groups: dict[str, list[int]] = defaultdict(list)
    for one in held:
        if one.wait_ms is not None:
            groups[key(one)].append(one.wait_ms)
    rows = [
        [name, str(len(ms)), *(f"{percentile(ms, share):.0f}" for share in (0.5, 0.95, 1.0))]
        for name, ms in sorted(groups.items())
    ]
    return table(title, (title, "runs", "p50 ms", "p95", "most"), rows)


def main() -> int:
    """Print the figures; 1 if a target is missed."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    logging.disable(logging.CRITICAL)  # every call is cut: the log would be nothing else
    began_s = time.monotonic()
    findings = asyncio.run(run(runs))
    console = Console()
    for shown in findings.tables:
        console.print(shown)
    for target in findings.targets:
        mark = "[green]✓[/]" if target.met else "[red]✗[/]"
        console.print(f"{mark} {target.what}: {target.found} (wanted {target.wanted})")
    for note in findings.notes:
        console.print(note)
    console.print(
        f"telephone's clock late by {findings.lag_ms:.0f} ms at worst, "
        f"{findings.lag_middle_ms:.0f} in the middle; {time.monotonic() - began_s:.0f} s"
    )
    return 0 if findings.met else 1


if __name__ == "__main__":
    sys.exit(main())
