"""The agents that ship hold whole calls: their tools do what callers ask for, and what must be said
first is said first."""

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.agents import load_agent
from app.bridge.call_record import call_folder
from app.call.endings import EndReason
from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.phone.script import Step
from app.lab.speech.coded import coded_audio
from app.lab.speech.dialog import ScriptedBrain
from app.lab.speech.script import DIALOGS_DIR, load_dialog
from app.shipped import shipped
from app.tools.references import load_function
from tests.lab_calls.cast import FAST, CodeEar, Recorded, settled, shout
from tests.lab_calls.together import at_once

pytestmark = pytest.mark.lab_call

LINE = "+14155550199"
"""The policy knows numbers: one that could be somebody's."""
DIALOGS = {
    "receptionist": "restaurant",
    "appointments": "appointments",
    "support": "support",
}


class NumberedMouth:
    """Every line is a coded stream of its own, as long as its words."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, text: str, voice: str) -> bytes:
        self.said.append(text)
        return coded_audio(len(self.said), 0, 200 + 12 * len(text.split()), quiet=False)


def says(*lines: str) -> tuple[list[Step], dict[int, str]]:
    """The caller's lines, each after the agent has spoken and any tool has been run."""
    words = dict(enumerate(lines, 1_901))
    steps: list[Step] = [WaitForBot.finished(700)]
    for stream, text in words.items():
        steps += [Say(shout(stream), text), WaitForBot.finished(900)]
    return steps, words


@asynccontextmanager
async def staged(
    name: str, folder: Path, words: dict[int, str], people: Mapping[str, Callee] | None = None
) -> AsyncIterator[Stage]:
    """The agent as it ships, from a copy, so that its tools remember nothing of other tests."""
    agents = folder / "agents"
    shutil.copytree(shipped("agents"), agents)
    dialog = load_dialog(DIALOGS_DIR / f"{DIALOGS[name]}.toml")
    async with Stage(
        brain=lambda: ScriptedBrain(dialog),
        ear=CodeEar(words),
        mouth=NumberedMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=str(agents / f"{name}.toml"),
        people=people,
        pace=FAST,
    ) as on:
        yield on


async def held(on: Stage, steps: Sequence[Step]) -> Recorded:
    line = on.line() if on.account is not None else on.line(pace=FAST)
    report = await line.call(Script(tuple(steps), limit_ms=60_000), from_=CALLER, to=LINE)
    await settled(on, report)
    folder = call_folder(on.worker.settings.data_dir, report.identity.call_sid)
    return Recorded(report, folder, on.model.sessions[0])


def remembered(folder: Path, reference: str, name: str) -> dict[str, Any]:
    """What the tools of the copied agent keep in memory."""
    kept: dict[str, Any] = load_function(reference, folder / "agents").__globals__[name]
    return kept


def tools_of(call: Recorded) -> list[str]:
    return [tool["name"] for turn in call.timeline["turns"] for tool in turn["tools"]]


def told(call: Recorded) -> str:
    """All that the agent said."""
    lines = call.timeline["transcript"]
    return " ".join(line["text"] for line in lines if line["speaker"] == "agent")


@pytest.mark.parametrize("name", DIALOGS)
@at_once
async def test_each_begins_with_what_must_be_said(name: str, tmp_path: Path) -> None:
    steps, words = says()
    async with staged(name, tmp_path, words) as on:
        call = await held(on, [*steps, WaitForBot.finished(900), HangUp()])
    agent = load_agent(name)
    said = told(call)
    assert said.startswith(agent.disclosure)
    assert agent.greeting in said
    assert "{{" not in call.model.instructions
    assert call.model.errors == [] and call.model.notes == []


@at_once
async def test_a_table_is_booked(tmp_path: Path) -> None:
    steps, words = says("A table for four people at seven, please.", "Thank you, goodbye.")
    async with staged("receptionist", tmp_path, words) as on:
        call = await held(on, steps)
    [booking] = remembered(tmp_path, "bookings.py:book_table", "bookings").values()
    assert (booking.party_size, booking.time) == (4, "19:00")
    assert call.end_reason == EndReason.AGENT_HUNG_UP


@at_once
async def test_an_appointment_is_booked_moved_and_cancelled(tmp_path: Path) -> None:
    steps, words = says(
        "I would like an appointment on Tuesday.",
        "At half past two, my name is Mary Brown.",
        "Can you move it to Friday at ten, please.",
        "Please cancel it.",
        "Yes please.",
        "No thanks.",
    )
    async with staged("appointments", tmp_path, words) as on:
        call = await held(on, steps)
    assert tools_of(call) == [
        "find_free_times",
        "book_appointment",
        "move_appointment",
        "cancel_appointment",
    ]
    said = told(call)
    assert "You are booked on Tuesday" in said and "at half past two" in said
    assert "is now on Friday" in said and "at ten" in said
    assert "It is cancelled." in said
    assert remembered(tmp_path, "slots.py:book_appointment", "appointments") == {}
    assert call.end_reason == EndReason.AGENT_HUNG_UP


@at_once
async def test_a_customer_types_their_number_and_gets_a_ticket(tmp_path: Path) -> None:
    lines = ("My internet is down.", "Yes please.", "My internet is down.", "Thank you, goodbye.")
    steps, words = says(*lines)
    at = 3  # the number is asked for after the first line
    keys: list[Step] = [Press("471108#", gap_ms=60), WaitForBot.finished(900)]
    async with staged("support", tmp_path, words) as on:
        call = await held(on, [*steps[:at], *keys, *steps[at:]])
    assert tools_of(call) == ["collect_digits", "check_line", "open_ticket"]
    assert "Mill Lane" in told(call)
    [ticket] = remembered(tmp_path, "subscribers.py:open_ticket", "tickets").values()
    assert (ticket.customer_number, ticket.problem) == ("471108", "The line is down.")
    assert call.end_reason == EndReason.AGENT_HUNG_UP


@at_once
async def test_a_caller_who_wants_a_person_is_put_through(tmp_path: Path) -> None:
    steps, words = says("I want to talk to a person, please.")
    person = Script((Wait(300), Say(shout(1_950), "Technician here."), Wait(400), HangUp()))
    people = {"client:technicians": Callee(person, ring_ms=100)}
    async with staged("support", tmp_path, words, people) as on:
        call = await held(on, [*steps, Wait(8_000), HangUp()])
    assert [leg.identity.to for leg in call.report.dialled] == ["client:technicians"]
    assert "Technician here." in [one.text for one in call.report.heard]
