"""A call that leaves the model reaches a person, or comes back to an agent that knows why; nobody
is left in silence, and no number is dialled that the policy did not clear."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.bridge.call_record import call_folder
from app.call.endings import EndReason
from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Wait, WaitForBot, voicemail
from app.lab.phone.report import CallReport
from app.lab.realtime.ports import CallFunction, Output
from tests.lab_calls.cast import (
    FAST,
    CodeEar,
    NoMouth,
    Recorded,
    ScriptedBrain,
    line,
    settled,
    shout,
    until,
)
from tests.lab_calls.together import at_once

LINE = "+14155550199"
DESK = "+14155550100"
FAR_AWAY = "+442079460100"
AGENT = f"""
instructions = "You answer."
greeting = ""
tools = ["transfer_call", "hang_up"]

[transfers.desk]
to = "{DESK}"
HOW
when = "always"

[transfers.abroad]
to = "{FAR_AWAY}"

[voicemail]
"""
ASKS = Say(shout(), "Give me a person.")
PUTS_THROUGH: tuple[Output, ...] = (
    line(1, 400, "I'll put you through."),
    CallFunction("transfer_call", {"to": "desk", "brief": "They want a table for nine."}),
)
PERSON = Script((Wait(300), Say(shout(1_950), "Desk here."), Wait(400), HangUp()))
TAKES_IT = Script(
    (WaitForBot.finished(), Press("1"), Wait(300), Say(shout(1_951), "Hello."), Wait(500), HangUp())
)


def agent_file(folder: Path, how: str = "") -> str:
    path = folder / "house.toml"
    path.write_text(AGENT.replace("HOW", how), encoding="utf-8")
    return str(path)


def stage(
    folder: Path,
    people: Mapping[str, Callee],
    *answers: Sequence[Output],
    then: Sequence[Output] = (),
    how: str = "",
) -> Stage:
    """The first session's model gives the first answer, the next one's the next; asked again, each
    gives `then`."""
    brains = iter([ScriptedBrain([answer, then]) for answer in answers])
    return Stage(
        brain=lambda: next(brains, ScriptedBrain(())),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=agent_file(folder, how),
        people=people,
        pace=FAST,
    )


async def held(on: Stage, script: Script) -> CallReport:
    report = await on.line().call(script, from_=CALLER, to=LINE)
    await settled(on, report)
    return report


def record(on: Stage, report: CallReport) -> Recorded:
    folder = call_folder(on.worker.settings.data_dir, report.identity.call_sid)
    return Recorded(report, folder, on.model.sessions[0])


def outputs(on: Stage, session: int = 0) -> list[str]:
    """What the model was told that its tools gave."""
    items = [e.event.get("item", {}) for e in on.model.sessions[session].received]
    return [str(item["output"]) for item in items if item.get("type") == "function_call_output"]


def said_by_twilio(report: CallReport) -> str:
    return " ".join(verb.text for verb in report.verbs if verb.name in ("Say", "Gather"))


STAYS = Script((ASKS, WaitForBot.finished(), Wait(8_000), HangUp()))
TOLD: tuple[Output, ...] = (line(3, 300, "That cannot be."),)
COMES_BACK = Script((ASKS, WaitForBot.finished(said_ms=650), HangUp()))
"""To hear 400 ms before the transfer and 300 after it."""


@at_once
async def test_a_cold_transfer_reaches_the_person_after_the_last_word(tmp_path: Path) -> None:
    async with stage(tmp_path, {DESK: Callee(PERSON, ring_ms=200)}, PUTS_THROUGH) as on:
        report = await held(on, STAYS)
    [leg] = report.dialled
    assert (leg.identity.to, leg.status) == (DESK, "completed")
    assert leg.identity.from_ == LINE, "the person sees the number that was called"
    call = record(on, report)
    assert call.heard_ms(1) == 400
    assert call.end_reason == EndReason.HANDED_ON
    assert "Desk here." in [one.text for one in report.heard]


@at_once
async def test_nobody_there_brings_the_caller_back_to_an_agent_that_knows(tmp_path: Path) -> None:
    brings_up: tuple[Output, ...] = (line(2, 300, "Nobody is there."),)
    people = {DESK: Callee(answers="busy")}
    async with stage(tmp_path, people, PUTS_THROUGH, brings_up) as on:
        report = await held(on, COMES_BACK)
    back = on.model.sessions[1]
    told = str(back.received)
    assert "transfer_call" in told
    assert "the line was busy" in told
    assert "Do not greet them again" in told
    assert len(report.streams) == 2
    assert said_by_twilio(report) == ""


@at_once
async def test_a_destination_that_is_not_allowed_is_told_to_the_model_and_never_dialled(
    tmp_path: Path,
) -> None:
    abroad: tuple[Output, ...] = (CallFunction("transfer_call", {"to": "abroad"}),)
    async with stage(tmp_path, {FAR_AWAY: Callee(PERSON)}, abroad, then=TOLD) as on:
        report = await held(on, Script((ASKS, WaitForBot.finished(), HangUp())))
    assert report.dialled == []
    assert "error" in outputs(on)[0]


@at_once
async def test_a_name_that_is_not_in_the_file_is_no_destination(tmp_path: Path) -> None:
    number: tuple[Output, ...] = (CallFunction("transfer_call", {"to": "+19005550100"}),)
    async with stage(tmp_path, {}, number, then=TOLD) as on:
        report = await held(on, Script((ASKS, WaitForBot.finished(), HangUp())))
    assert report.dialled == []
    assert "was not run" in outputs(on)[0]


# Warm

WARM = 'how = "warm"'


@at_once
async def test_a_person_who_accepts_gets_the_caller(tmp_path: Path) -> None:
    async with stage(tmp_path, {DESK: Callee(TAKES_IT, ring_ms=200)}, PUTS_THROUGH, how=WARM) as on:
        report = await held(on, STAYS)
        assert on.account is not None
        [person] = await on.account.reports_to(DESK)
    assert "They want a table for nine." in said_by_twilio(person)
    assert "Hello." in [one.text for one in report.heard]
    assert len(report.streams) == 1


@at_once
async def test_a_person_who_declines_sends_the_caller_back(tmp_path: Path) -> None:
    declines = Script((WaitForBot.finished(), Press("2"), Wait(2_000)))
    back: tuple[Output, ...] = (line(2, 300, "Not now."),)
    async with stage(tmp_path, {DESK: Callee(declines)}, PUTS_THROUGH, back, how=WARM) as on:
        report = await held(on, COMES_BACK)
    assert len(report.streams) == 2
    assert "could not take the call now" in str(on.model.sessions[1].received)


@at_once
async def test_a_person_who_does_not_answer_sends_the_caller_back(tmp_path: Path) -> None:
    back: tuple[Output, ...] = (line(2, 300, "Nobody."),)
    people = {DESK: Callee(answers="no-answer")}
    async with stage(tmp_path, people, PUTS_THROUGH, back, how=f"{WARM}\nring_s = 5") as on:
        report = await held(on, COMES_BACK)
    assert len(report.streams) == 2
    assert "nobody answered" in str(on.model.sessions[1].received)


@at_once
async def test_a_machine_at_the_persons_side_is_no_person(tmp_path: Path) -> None:
    back: tuple[Output, ...] = (line(2, 300, "Nobody."),)
    people = {DESK: voicemail(shout(1_960, 600), "Leave a message")}
    async with stage(tmp_path, people, PUTS_THROUGH, back, how=WARM) as on:
        report = await held(on, COMES_BACK)
    assert len(report.streams) == 2


@at_once
async def test_a_caller_who_hangs_up_while_waiting_stops_the_ringing(tmp_path: Path) -> None:
    people = {DESK: Callee(TAKES_IT, ring_ms=20_000)}
    async with stage(tmp_path, people, PUTS_THROUGH, how=WARM) as on:
        assert on.account is not None
        await held(on, Script((ASKS, WaitForBot.finished(), Wait(1_500), HangUp())))
        async with asyncio.timeout(10):
            await until(lambda: bool(on.account and on.account.calls_to(DESK)))
        [person] = await on.account.reports_to(DESK)
    assert person.status in ("canceled", "completed")
    assert person.duration_ms == 0
