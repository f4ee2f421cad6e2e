"""A caller whom no model can serve is served by the next rung, and never left in silence."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from app.demo.stage import LAB_ACCOUNT, LAB_TOKEN, Stage, by_the_models_ears
from app.lab.phone import Callee, HangUp, Press, Say, Script, Step, Wait, WaitForBot
from app.lab.phone.report import CallReport
from app.lab.realtime.behaviour import Behaviour
from tests.lab_calls.cast import CodeEar, NoMouth, ScriptedBrain, line, shout, until
from tests.lab_calls.journeys import BRISK, DESK, agents, hold, said, verbs

pytestmark = pytest.mark.lab_call

DEAD = Behaviour(refuse_status=503)
NOBODY_HOME = "+14155550103"
SORRY = "our assistant cannot be reached"
BASE = 'instructions = "You answer."\ngreeting = ""\n'
VOICEMAIL = f"{BASE}[voicemail]\n"
HOUSE = f"""{VOICEMAIL}
[menu]
wait_s = 2
tries = 1
[ladder]
person = "desk"
[transfers.desk]
to = "{DESK}"
"""
FILES = {
    "house": HOUSE,
    "voicemail": f'{VOICEMAIL}[ladder]\nrungs = ["voicemail"]\n',
    "busy": f"""{BASE}
[ladder]
rungs = ["person"]
person = "desk"
[transfers.desk]
to = "{NOBODY_HOME}"
""",
    "bare": BASE,
}
PEOPLE = {
    DESK: Callee(Script((Wait(300), Say(shout(1_950), "Desk here."), Wait(400), HangUp()))),
    NOBODY_HOME: Callee(answers="busy"),
}
HEARD_MENU = WaitForBot.started()
MESSAGE = (WaitForBot.finished(), Say(shout(1_901, 1_500), "My message."), Wait(300), Press("#"))
CALLS: Mapping[str, tuple[str, tuple[Step, ...]]] = {
    "by key": ("house", (HEARD_MENU, Press("2"), *MESSAGE)),
    "by word": ("house", (HEARD_MENU, Say(shout(), "a message, please"), *MESSAGE)),
    "a person by word": ("house", (HEARD_MENU, Say(shout(), "one"))),
    "nothing pressed": ("house", ()),
    "nothing said": ("voicemail", ()),
    "busy": ("busy", ()),
    "bare": ("bare", ()),
}


def stage(folder: Path, behaviour: Behaviour = DEAD) -> Stage:
    return Stage(
        brain=lambda: ScriptedBrain([(line(1, 400, "Here I am."),)]),
        ear=CodeEar(),
        mouth=NoMouth(),
        revise=by_the_models_ears,
        data_dir=folder / "data",
        agent=agents(folder, FILES)["house"],
        people=PEOPLE,
        pace=BRISK,
        behaviour=behaviour,
    )


async def fetched(url: str) -> int:
    """How the account's recordings answer."""
    login = b64encode(f"{LAB_ACCOUNT}:{LAB_TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{url}.wav") as answer:
        await answer.read()
        return answer.status


async def test_callers_of_a_dead_model_go_down_the_rungs_each_in_their_own_way(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as on:
        paths = agents(tmp_path, FILES)
        running = [
            hold(on, paths[agent], Script(steps, limit_ms=40_000))
            for agent, steps in CALLS.values()
        ]
        reports: dict[str, CallReport] = dict(
            zip(CALLS, await asyncio.gather(*running), strict=True)
        )
        assert on.account is not None
        for name in ("by key", "by word"):
            [recording] = on.account.recordings.of_call(reports[name].identity.call_sid)
            assert recording.duration_ms >= 1_400, name
            assert await fetched(recording.url) == 200
        await on.account.notices.settled()
        ready = [r for r in on.account.notices.requests if r.purpose == "recording_status"]
        assert {request.status for request in ready} == {204}
    told = {request.parameters["CallSid"] for request in ready}
    assert {reports[name].identity.call_sid for name in ("by key", "by word")} <= told

    assert [r.errors for r in reports.values()] == [[]] * len(CALLS)
    for name in ("by key", "by word"):
        report = reports[name]
        assert SORRY in said(report), name
        assert "Gather" in verbs(report)
        assert said(report).endswith("Your message was recorded. Goodbye."), name
    assert verbs(reports["by key"])[-3:] == ["Record", "Say", "Hangup"]
    for name in ("a person by word", "nothing pressed"):
        report = reports[name]
        assert [leg.identity.to for leg in report.dialled] == [DESK], name
        assert "Desk here." in [one.text for one in report.heard], name
        assert verbs(report)[-1] == "Hangup"
    nothing = verbs(reports["nothing said"])
    assert nothing[-4:] == ["Record", "Redirect", "Say", "Hangup"]
    assert "I did not hear a message" in said(reports["nothing said"])
    assert verbs(reports["busy"])[-4:] == ["Say", "Dial", "Say", "Hangup"]
    assert verbs(reports["bare"])[-2:] == ["Say", "Hangup"]
    assert "something went wrong" in said(reports["bare"])


async def test_a_caller_who_wants_the_assistant_again_gets_it_when_it_is_back(
    tmp_path: Path,
) -> None:
    more = VOICEMAIL + "[menu]\nwait_s = 20\n"
    again = Script(
        (
            HEARD_MENU,
            Wait(1_500),
            Press("2"),
            Wait(300),
            WaitForBot.finished(),
            HangUp(),
        ),
        limit_ms=40_000,
    )
    async with stage(tmp_path) as on:
        agent = agents(tmp_path, {"again": more})["again"]
        calling = asyncio.create_task(hold(on, agent, again))
        assert on.account is not None
        account = on.account
        await until(lambda: any(c.live.announcing for c in account.calls.values()))
        on.model.behaviour = Behaviour()
        report = await calling
        told = str(on.model.sessions[0].received)
    assert report.as_scripted, report
    assert len(report.streams) == 2
    assert "The caller chose to come back to you" in told
    assert verbs(report)[-1] == "Connect"
