"""No log line of a whole call, at debug level, shows who calls: no number, no SIP user, no name,
however the carrier writes them."""

import json
from pathlib import Path

import pytest

from app.demo.stage import CALLED, Stage
from app.lab.phone.script import HangUp, Script, WaitForBot
from tests.lab_calls.cast import FAST, CodeEar, NoMouth, ScriptedBrain, line, settled
from tests.lab_calls.test_digits import logged_in_detail

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio]

CALLERS = {
    "+15550107913": ("5550107913", "0107913"),
    "+44 20 7946 0958": ("7946 0958", "79460958"),
    "+49(30)901820-77": ("901820", "90182077"),
    "sip:ada.lovelace@pbx.example.com": ("ada.", "lovelace", "pbx.example.com"),
    "sip:+15550107913@carrier.example.net;user=phone": ("5550107913",),
    "client:mary_shelley": ("mary", "shelley"),
    "Anonymous": (),
}
"""What stands in `From`, and what of it must not be in a log."""


async def logged(folder: Path, number: str) -> str:
    agent = folder / "clerk.toml"
    agent.write_text('instructions = "Be kind."\ngreeting = "Hello."\n[recording]\nby = "own"\n')
    log = folder / "log.jsonl"
    script = Script((WaitForBot.finished(200, said_ms=300), HangUp()))
    blocked = folder / "blocked.txt"
    blocked.write_text("+15550100099\nsip:*@blocked.example\n")
    with logged_in_detail(log):
        async with Stage(
            brain=lambda: ScriptedBrain([[line(1, 400)]]),
            ear=CodeEar(),
            mouth=NoMouth(),
            data_dir=folder / "data",
            agent=str(agent),
            blocked=str(blocked),
        ) as stage:
            report = await stage.line(pace=FAST).call(script, from_=number, to=CALLED)
            await settled(stage, report)
    return log.read_text("utf-8")


@pytest.mark.parametrize("number", CALLERS)
async def test_a_whole_call_leaves_no_caller_in_the_log(tmp_path: Path, number: str) -> None:
    text = await logged(tmp_path, number)
    messages = [json.loads(one)["message"] for one in text.splitlines()]
    assert {"call connected", "call ended"} <= set(messages)
    assert not [part for part in CALLERS[number] if part.lower() in text.lower()]
    assert "5550100002" not in text, "the number that was called"


async def test_a_caller_who_is_not_let_in_is_not_named_either(tmp_path: Path) -> None:
    agent = tmp_path / "clerk.toml"
    agent.write_text('instructions = "Be kind."\n')
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("+15550107913\n")
    log = tmp_path / "log.jsonl"
    with logged_in_detail(log):
        async with Stage(
            brain=lambda: ScriptedBrain([]),
            ear=CodeEar(),
            mouth=NoMouth(),
            data_dir=tmp_path / "data",
            agent=str(agent),
            blocked=str(blocked),
        ) as stage:
            call = stage.line(pace=FAST)
            report = await call.call(Script((HangUp(),)), from_="+15550107913", to=CALLED)
            await stage.worker.care.lines.written()
    assert (report.status, report.streams) == ("busy", [])
    text = log.read_text("utf-8")
    assert "decided" in text and "0107913" not in text
    (decisions,) = (tmp_path / "data").rglob("decisions.jsonl")
    decision = json.loads(decisions.read_text())
    assert (decision["rule"], decision["subject_masked"]) == ("listed", "…13")
