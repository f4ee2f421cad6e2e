"""`earshot demo`: the stage is set, the call is held and shown, then judged and written down."""

from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.text import Text

from app.bridge.call_record import EVENTS_FILE, TIMELINE_FILE, call_folder
from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event
from app.demo.stage import CALLED, CALLER, Stage
from app.demo.story import own_caller, story
from app.demo.verdict import Check, Truncated, judge_own_caller, judge_story, truncations
from app.demo.view import View
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport
from app.lab.phone.script import Script
from app.lab.phone.sound import load_clip
from app.lab.realtime.log import SessionLog
from app.lab.speech.dialog import ScriptedBrain
from app.lab.speech.ear import SphinxEar
from app.lab.speech.mouth import OfflineMouth
from app.observe.log import configure_logging

RECORDING_FILE = "call.wav"
JITTER_MS = 20


@dataclass(frozen=True, slots=True)
class Held:
    """A call that is over."""

    report: CallReport
    session: SessionLog
    call: Call
    folder: Path


class LastCall:
    """An observer that keeps the heart of the newest call."""

    def __init__(self) -> None:
        self.call: Call | None = None

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        self.call = call


def run_demo(
    caller: Path | None, out: Path, delay_ms: int, *, console: Console | None = None
) -> int:
    """Hold the call; returns the exit code, 0 only if it went as scripted.

    Raises `SpeechError` when a part of the lab is missing, and what `load_clip` raises for a
    recording that cannot be read.
    """
    configure_logging("error")
    console = console or Console(highlight=False)
    script = story() if caller is None else own_caller(load_clip(caller), caller.name)
    _title(console, caller, delay_ms)
    held = uvloop.run(_hold(script, console, out, delay_ms))
    if held is None:
        console.print("The call never reached the bot.", style="bold red")
        return 1
    held.report.recording.write_wav(held.folder / RECORDING_FILE)
    judge = judge_story if caller is None else judge_own_caller
    checks = judge(held.report, held.session, held.call)
    _summary(console, held, checks)
    return 0 if all(check.ok for check in checks) else 1


async def _hold(script: Script, console: Console, out: Path, delay_ms: int) -> Held | None:
    last = LastCall()
    async with SphinxEar() as ear, OfflineMouth() as mouth:
        await _warm_up(ear, mouth)
        with View(console) as view:
            async with Stage(
                brain=ScriptedBrain,
                ear=ear,
                mouth=mouth,
                data_dir=out,
                observers=(view, last),
            ) as stage:
                line = stage.line(
                    Impairments(delay_ms=delay_ms, jitter_ms=JITTER_MS), on_event=view.heard
                )
                report = await line.call(script, from_=CALLER, to=CALLED)
                if last.call is None or not stage.model.sessions:
                    return None
                session = stage.model.sessions[0]
    folder = call_folder(out, report.identity.call_sid)
    folder.mkdir(parents=True, exist_ok=True)
    return Held(report, session, last.call, folder)


async def _warm_up(ear: SphinxEar, mouth: OfflineMouth) -> None:
    """Load the recogniser and the voice before the phone rings, as a real model has."""
    await ear.hear(b"\xff" * 8_000, ScriptedBrain().hints())
    await mouth.say("Hello.", "marin")


def _title(console: Console, caller: Path | None, delay_ms: int) -> None:
    what = "a caller asks, interrupts and books a table" if caller is None else caller.name
    console.print()
    console.print(Text.assemble(("  Earshot demo", "bold"), f"  {what}"))
    console.print("  Real sockets; the telephone and the model are software.", style="dim")
    console.print(f"  Network: {delay_ms} ms each way, {JITTER_MS} ms jitter.", style="dim")
    console.print()


def _summary(console: Console, held: Held, checks: list[Check]) -> None:
    console.print()
    for cut in truncations(held.report, held.session):
        console.print(_truncation(cut))
    latencies = [
        turn.perceived_latency_ms
        for turn in held.call.timeline.turns
        if turn.perceived_latency_ms is not None
    ]
    if latencies:
        shown = ", ".join(str(ms) for ms in latencies)
        console.print(f"  Answered after  {shown} ms (caller's last word to agent's first)")
    console.print()
    for check in checks:
        sign, style = ("✓", "bold green") if check.ok else ("✗", "bold red")
        console.print(Text.assemble("  ", (sign, style), f" {check.text}"))
    console.print()
    console.print(f"  Written to {held.folder}", soft_wrap=True)
    for name, what in (
        (RECORDING_FILE, "both sides: caller left, agent right"),
        (TIMELINE_FILE, "what happened when, turn by turn"),
        (EVENTS_FILE, "for `earshot replay`"),
    ):
        console.print(Text.assemble(f"    {name:<16}", (what, "dim")))
    console.print()


def _truncation(cut: Truncated) -> Text:
    return Text.assemble(
        "  Memory cut to   ",
        (f"{cut.told_ms} ms", "bold"),
        f" of {cut.whole_ms} ms; really played: {cut.played_ms} ms",
    )
