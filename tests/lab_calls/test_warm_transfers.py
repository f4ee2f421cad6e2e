"""A person hears alone what it is about, and whatever they or the caller do then, nobody is left
alone with the music; the calls' journals give the same commands again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.bridge.call_record import EVENTS_FILE, call_folder
from app.bridge.journal import replay
from app.demo.stage import Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Step, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.phone.script import Interrupt
from app.lab.realtime.ports import CallFunction, Output, Turn
from tests.lab_calls.cast import CodeEar, NoMouth, line, settled, shout
from tests.lab_calls.journeys import BRISK, agents, hold, said, verbs

pytestmark = pytest.mark.lab_call

AGENT = """
instructions = "You answer."
greeting = ""
tools = ["transfer_call"]
[transfers.desk]
to = "{desk}"
how = "{how}"
[transfers.chef]
to = "+14155550177"
how = "warm"
[policy]
countries = ["US", "GB"]
"""
FORBIDDEN = "+442079460100"
BRIEF = "They want a table for nine."
ASKS = Say(shout(), "Give me a person.")
HEARS = WaitForBot.started()
HELLO = (Wait(1_800), Say(shout(1_951), "Hello."), Wait(500), HangUp())
WAITS: tuple[Step, ...] = (ASKS, Wait(30_000), HangUp())
IS_BACK: tuple[Step, ...] = (ASKS, WaitForBot.finished(), WaitForBot.finished(said_ms=500))


class Brain:
    """Puts callers through to the desk; who is back hears a sentence, then gets the chef."""

    def __init__(self, ms: int = 300) -> None:
        self._ms = ms
        self._to = "desk"

    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "The caller is back with you" in instructions:
            self._to = "chef"
            return (line(2, 600),)
        return (line(1, self._ms), CallFunction("transfer_call", {"to": self._to, "brief": BRIEF}))


@dataclass(frozen=True, slots=True)
class Scene:
    """What the person at the desk does, and what the caller."""

    name: str
    person: tuple[Step, ...] = ()
    caller: tuple[Step, ...] = (*IS_BACK, HangUp())
    to: str = ""


def accepts_by(word: str) -> tuple[Step, ...]:
    return (HEARS, Say(shout(1_950), word), *HELLO)


SCENES = (
    Scene("accepts", accepts_by("Yes, I accept"), WAITS),
    Scene(
        "asks first",
        (HEARS, Say(shout(1_950), "What?"), Wait(2_000), Press("1"), *HELLO),
        WAITS,
    ),
    Scene("declines", (HEARS, Say(shout(1_950), "No, not now"), Wait(9_000))),
    Scene("hangs up", (HEARS, Wait(100), HangUp())),
    Scene("caller gone", (HEARS, Wait(20_000)), (*IS_BACK[:2], Wait(2_500), HangUp())),
    Scene("forbidden", to=FORBIDDEN),
    Scene("again", (HEARS, Press("2"), Wait(9_000)), (*IS_BACK, *WAITS)),
)
DESKS = {scene.name: scene.to or f"+1415555016{n}" for n, scene in enumerate(SCENES)}
PEOPLE = {
    "+14155550177": Callee(Script(accepts_by("accept"))),
    **{DESKS[scene.name]: Callee(Script(scene.person)) for scene in SCENES},
}


def stage(folder: Path, ms: int = 300) -> Stage:
    return Stage(
        brain=lambda: Brain(ms),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        people=PEOPLE,
        pace=BRISK,
    )


def same_again(on: Stage, report: CallReport) -> bool:
    """Every stream's journal gives the commands that it holds."""
    folder = call_folder(on.worker.settings.data_dir, report.identity.call_sid)
    journals = sorted(folder.glob(f"{Path(EVENTS_FILE).stem}*"))
    assert journals
    return all(replay(path)[1] is None for path in journals)


def heard(report: CallReport, kind: str = "party") -> list[str]:
    return [one.text for one in report.heard if one.kind == kind]


async def test_whatever_the_person_does_nobody_is_left_with_the_music(tmp_path: Path) -> None:
    files = {name: AGENT.format(desk=to, how="warm") for name, to in DESKS.items()}
    async with stage(tmp_path) as on:
        paths = agents(tmp_path, files)
        assert on.account is not None
        on.account.blocked_prefixes = ("+44",)
        calls = [
            hold(on, paths[scene.name], Script(scene.caller, limit_ms=50_000)) for scene in SCENES
        ]
        reports = dict(zip(DESKS, await asyncio.gather(*calls), strict=True))
        persons: dict[str, CallReport | None] = {
            name: next(iter(await on.account.reports_to(to)), None) for name, to in DESKS.items()
        }
        chefs = await on.account.reports_to("+14155550177")
        for report in reports.values():
            await settled(on, report)
        assert all(same_again(on, report) for report in reports.values())
        told = [str(session.received) for session in on.model.sessions]

    for name in ("accepts", "asks first", "again"):
        assert "Hello." in heard(reports[name]), name
        assert verbs(reports[name])[-1] == "Hangup"
    for name, report in reports.items():
        assert report.errors == [], name
        assert bool(heard(report, "music")) == (name != "forbidden"), name
    for name in ("declines", "hangs up", "forbidden"):
        assert len(reports[name].streams) == 2, name
        assert reports[name].as_scripted, name
    for name in ("accepts", "asks first", "declines", "again"):
        person = persons[name]
        assert person is not None
        assert BRIEF in said(person), name
    gone = persons["caller gone"]
    assert gone is not None
    assert "no longer waiting" in said(gone), "told at once, not when they choose"
    assert gone.ended_by == "twiml"
    assert gone.duration_ms < 15_000
    assert persons["forbidden"] is None
    assert sum("the call could not be put through" in one for one in told) == 1
    assert len(chefs) == 1
    assert BRIEF in said(chefs[0])


async def test_a_caller_who_speaks_before_the_last_word_stays(tmp_path: Path) -> None:
    script = Script(
        (ASKS, Interrupt(shout(1_901), 1_500, "Wait!"), WaitForBot.finished(said_ms=1), HangUp()),
        limit_ms=20_000,
    )
    async with stage(tmp_path, ms=3_000) as on:
        path = agents(tmp_path, {"cold": AGENT.format(desk=DESKS["accepts"], how="cold")})["cold"]
        report = await hold(on, path, script)
        await settled(on, report)
        received = [e.event.get("item", {}) for e in on.model.sessions[0].received]
        outputs = [one["output"] for one in received if one.get("type") == "function_call_output"]
        assert same_again(on, report)
    assert len(report.streams) == 1
    assert '"ok": false' in outputs[0], "the model knows that nobody was put through"
