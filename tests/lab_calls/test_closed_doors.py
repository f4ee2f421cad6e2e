"""A call outside the hours never waits for a model that nobody wants, and is served all the same; a
caller in danger is told whom to call, whatever the agent was about to say."""

from pathlib import Path

from app.demo.stage import CALLER, Stage, by_the_models_ears
from app.lab.phone import HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.phone.report import CallReport
from tests.lab_calls.cast import FAST, CodeEar, NoMouth, ScriptedBrain, line, settled, shout

LINE = "+14155550199"
AGENT = """
instructions = "You answer."
{more}
"""
CLOSED = """
[hours]
timezone = "UTC"
when_closed = "{way}"
message = "We are closed. Call {{{{called_number}}}} again tomorrow."
[hours.week]
[variables]
called_number = ""
[voicemail]
"""


def stage(folder: Path, more: str, words: dict[int, str] | None = None) -> Stage:
    path = folder / "house.toml"
    path.write_text(AGENT.format(more=more), encoding="utf-8")
    answers = [(line(n, 300),) for n in range(1, 5)]
    return Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar(words),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=str(path),
        people={},
        pace=FAST,
    )


async def held(on: Stage, script: Script) -> CallReport:
    return await on.line().call(script, from_=CALLER, to=LINE)


async def test_a_closed_line_says_so_and_hangs_up(tmp_path: Path) -> None:
    async with stage(tmp_path, CLOSED.format(way="message")) as on:
        report = await held(on, Script((Wait(2_000), HangUp())))
    assert [verb.name for verb in report.verbs] == ["Say", "Hangup"]
    assert report.verbs[0].text == f"We are closed. Call {LINE} again tomorrow."
    assert on.model.sessions == []


async def test_a_closed_line_takes_a_message(tmp_path: Path) -> None:
    message = (Wait(300), Say(shout(), "My message."), Wait(1_500), HangUp())
    async with stage(tmp_path, CLOSED.format(way="voicemail")) as on:
        report = await held(on, Script(message))
        assert on.account is not None
        [recording] = on.account.recordings.of_call(report.identity.call_sid)
    assert "Record" in [verb.name for verb in report.verbs]
    assert recording.duration_ms > 0
    assert on.model.sessions == []


async def test_an_agent_that_answers_while_closed_knows_it(tmp_path: Path) -> None:
    async with stage(tmp_path, CLOSED.format(way="talk")) as on:
        report = await held(on, Script((Say(shout(), "Hello?"), WaitForBot.finished(), HangUp())))
        await settled(on, report)
    assert "You are closed now." in on.model.sessions[0].instructions


async def test_a_caller_in_danger_is_told_whom_to_call(tmp_path: Path) -> None:
    more = '[policy]\nemergency_number = "999"'
    words = {1_900: "My kitchen is on fire, I need the fire brigade."}
    script = Script((Say(shout(), "Fire!"), WaitForBot.finished(1_500), HangUp()))
    async with stage(tmp_path, more, words) as on:
        report = await held(on, script)
        await settled(on, report)
    asked = [e.event for e in on.model.sessions[0].received if e.type == "response.create"]
    assert "call 999 now" in str(asked)


async def test_a_caller_who_types_the_number_for_help_is_told_whom_to_call(tmp_path: Path) -> None:
    more = '[policy]\nemergency_number = "999"'
    steps = (Say(shout(), "Hello?"), WaitForBot.started(), Press("112"), Wait(4_000), HangUp())
    script = Script(steps)
    async with stage(tmp_path, more) as on:
        report = await held(on, script)
        await settled(on, report)
    assert report.as_scripted, report.steps
    asked = [e.event for e in on.model.sessions[0].received if e.type == "response.create"]
    assert "call 999 now" in str(asked)
