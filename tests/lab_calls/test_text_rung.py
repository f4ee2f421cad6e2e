"""A text message is a way to be served: the last rung of the ladder, and what an agent sends."""

from pathlib import Path

from app.demo.stage import Stage, by_the_models_ears
from app.lab.phone import HangUp, Say, Script, Wait, WaitForBot
from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.ports import CallFunction, Output
from tests.lab_calls.cast import FAST, CodeEar, NoMouth, ScriptedBrain, line, settled, shout, until

LINE, CALLER = "+14155550199", "+14155550123"
AGENT = f"""
instructions = "You answer."
tools = ["send_sms", "hang_up"]
[ladder]
rungs = ["sms"]
[sms]
from_number = "{LINE}"
first_message = "Go on here: {{link}}"
link = "https://example.com/help"
"""
TEXTS: tuple[Output, ...] = (
    line(1, 300, "I'll text it to you."),
    CallFunction("send_sms", {"text": "12 Quay Street"}),
)


def stage(folder: Path, behaviour: Behaviour | None = None) -> Stage:
    path = folder / "house.toml"
    path.write_text(AGENT, encoding="utf-8")
    return Stage(
        brain=lambda: ScriptedBrain([TEXTS, (line(2, 200, "Done."),)]),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=str(path),
        people={},
        pace=FAST,
        behaviour=behaviour,
    )


def inbox(on: Stage) -> list[str]:
    assert on.account is not None
    return [message.body for message in on.account.messages.inbox(CALLER)]


async def test_a_caller_whom_no_model_can_serve_is_sent_a_text(tmp_path: Path) -> None:
    async with stage(tmp_path, Behaviour(refuse_status=503)) as on:
        script = Script((Wait(6_000), HangUp()))
        report = await on.line().call(script, from_=CALLER, to=LINE)
        texts = inbox(on)
    assert texts == ["Go on here: https://example.com/help"]
    said = " ".join(verb.text for verb in report.verbs if verb.name == "Say")
    assert "sent you a text message" in said


async def test_a_caller_without_a_number_hears_the_apology_instead(tmp_path: Path) -> None:
    async with stage(tmp_path, Behaviour(refuse_status=503)) as on:
        script = Script((Wait(6_000), HangUp()))
        report = await on.line().call(script, from_="+266696687", to=LINE)
        assert on.account is not None
        sent = dict(on.account.messages.by_sid)
    assert sent == {}
    assert "something went wrong" in " ".join(verb.text for verb in report.verbs)


async def test_an_agent_sends_a_text_to_the_caller_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        script = Script((Say(shout(), "Where are you?"), WaitForBot.finished(1_500), HangUp()))
        report = await on.line().call(script, from_=CALLER, to=LINE)
        await settled(on, report)
        await until(lambda: bool(inbox(on)))
        texts = inbox(on)
    assert texts == ["12 Quay Street"]
