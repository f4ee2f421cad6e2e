"""Digits that a caller types for the agent, over real sockets: one result for the model, and of a
private number nothing but its length, anywhere."""

import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner

from app.bridge.call_record import EVENTS_FILE
from app.cli import earshot
from app.demo.stage import Stage
from app.lab.phone.impairments import Impairments
from app.lab.phone.script import Press, Script, WaitForBot
from app.lab.realtime.log import SessionLog
from app.lab.realtime.ports import CallFunction
from app.observe import configure_logging
from tests.lab_calls.cast import (
    Answers,
    CodeEar,
    NoMouth,
    Recorded,
    ScriptedBrain,
    call,
    line,
)

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

AGENT = """\
instructions = "Be kind."
greeting = "Hello. Please type your number."
tools = ["collect_digits", "hang_up"]
"""
NUMBER = "83719264"
TOO_SHORT = "8371"
ASKED_MS, AGAIN_MS, THANKS_MS = 1_500, 800, 700


@dataclass(frozen=True, slots=True)
class Held:
    call: Recorded
    data: Path


@contextmanager
def logged_in_detail(path: Path) -> Iterator[None]:
    """All loggers as the bot sets them for `EARSHOT_LOG_LEVEL=debug`."""
    known = [logging.getLogger(), *map(logging.getLogger, list(logging.Logger.manager.loggerDict))]
    before = [(logger, logger.level, logger.handlers[:]) for logger in known]
    with path.open("w", encoding="utf-8") as stream:
        configure_logging("debug", "json", stream=stream)
        try:
            yield
        finally:
            for logger, level, handlers in before:
                logger.setLevel(level)
                logger.handlers[:] = handlers


async def held(folder: Path, *, masked: bool) -> Held:
    """A caller who types too few digits, is asked again and types them all, and one key more."""
    agent = folder / "clerk.toml"
    agent.write_text(AGENT, encoding="utf-8")
    wanted = {"min_digits": 8, "max_digits": 8, "masked": masked}
    answers: Answers = (
        [line(1, ASKED_MS), CallFunction("collect_digits", wanted)],
        [line(2, AGAIN_MS)],
        [line(3, THANKS_MS), CallFunction("hang_up")],
    )
    script = Script(
        (
            WaitForBot.finished(300, said_ms=ASKED_MS - 100),
            Press(f"{TOO_SHORT}#", gap_ms=140),
            WaitForBot.finished(300, said_ms=ASKED_MS + AGAIN_MS - 200),
            Press(f"{NUMBER}#", gap_ms=140),
        )
    )
    data = folder / "data"
    async with Stage(
        brain=lambda: ScriptedBrain(answers),
        ear=CodeEar(),
        mouth=NoMouth(),
        data_dir=data,
        agent=str(agent),
    ) as stage:
        return Held(await call(stage, script, Impairments(delay_ms=40)), data)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Held]]:
    folder = tmp_path_factory.mktemp("private")
    log = folder / "data" / "log.txt"
    log.parent.mkdir()
    with logged_in_detail(log):
        private = await held(folder, masked=True)
    plain = await held(tmp_path_factory.mktemp("plain"), masked=False)
    yield {"private": private, "plain": plain}


def told(model: SessionLog) -> list[Any]:
    """What the model was told of its tools."""
    items = [e.event["item"] for e in model.received if e.type == "conversation.item.create"]
    return [json.loads(i["output"]) for i in items if i["type"] == "function_call_output"]


def evidence(one: Held) -> dict[str, str]:
    """All that was written down or sent to the model, by where."""
    files = [path for path in one.data.rglob("*") if path.is_file()]
    texts = {path.name: path.read_bytes().decode("utf-8", "replace") for path in files}
    sent = [json.dumps(e.event) for e in one.call.model.received if "audio" not in e.event]
    return {**texts, "model": "".join(sent)}


def shows(text: str) -> bool:
    """The digits, in a row or one by one."""
    return TOO_SHORT in text or re.search(r'digit[\\"\s]*:[\\"\s]*[0-9]', text) is not None


@pytest.mark.parametrize("name", ["private", "plain"])
async def test_the_call_goes_as_scripted(calls: dict[str, Held], name: str) -> None:
    one = calls[name].call
    assert one.report.as_scripted, one.report.unfinished
    assert one.report.errors == []
    assert one.model.errors == []
    assert one.end_reason == "agent_hung_up"


async def test_the_digits_are_one_result_and_get_one_answer(calls: dict[str, Held]) -> None:
    one = calls["plain"].call
    assert told(one.model) == [{"ok": True, "digits": NUMBER, "reason": "length"}]
    assert one.commands.count("SendToolOutput") == 1
    assert one.commands.count("RunTool") == one.commands.count("AddUserText") == 0
    assert one.heard_ms(3) == THANKS_MS


async def test_of_a_private_number_the_model_gets_the_length(calls: dict[str, Held]) -> None:
    (result,) = told(calls["private"].call.model)
    assert result == {
        "ok": True,
        "digits": "•" * 8,
        "count": 8,
        "masked": True,
        "reason": "length",
    }


async def test_a_private_number_is_in_no_evidence(calls: dict[str, Held]) -> None:
    private = evidence(calls["private"])
    assert {EVENTS_FILE, "timeline.json", "model", "log.txt"} <= set(private)
    assert "call ended" in private["log.txt"]
    assert not [name for name, text in private.items() if shows(text)]
    in_plain = {name for name, text in evidence(calls["plain"]).items() if shows(text)}
    assert {EVENTS_FILE, "model"} <= in_plain, "or this test finds nothing"

    keys = [e for e in calls["private"].call.journal if e["event"] == "KeyPressed"]
    assert "".join(key["with"]["digit"] for key in keys) == "••••#••••••••#"
    assert all(key.get("masked", False) is (key["with"]["digit"] == "•") for key in keys)


@pytest.mark.parametrize("name", ["private", "plain"])
async def test_the_record_replays_to_the_same_commands(calls: dict[str, Held], name: str) -> None:
    path = calls[name].call.folder / EVENTS_FILE
    outcome = CliRunner().invoke(earshot, ["replay", str(path)])
    assert outcome.exit_code == 0, outcome.output
    assert ("hidden" in outcome.output) is (name == "private")
