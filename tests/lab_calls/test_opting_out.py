"""Whoever says that they want no more calls, in words, by the key or by STOP, is on the list before
they are told so, and the call's evidence shows it: whole paths over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.beyond import Beyond
from app.bridge.call_record import call_folder
from app.bridge.evidence import EVIDENCE_FILE
from app.carriers.twilio import rest as bot
from app.demo.stage import LAB_ACCOUNT, LAB_TOKEN, Stage
from app.lab.phone.report import CallReport
from app.lab.phone.rest import Callee, TwilioRest
from app.lab.phone.script import HangUp, Press, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output
from app.records.chain import verify
from app.records.database import Database, sql_url
from app.records.do_not_call import DoNotCall, source_of
from tests.lab_calls.cast import FAST, line, settled, shout, stage_for
from tests.text.carrier import THEIRS, Carrier

pytestmark = [pytest.mark.lab_call]

US, PERSON = "+14155550110", "+14155550111"
AGENT = """\
instructions = "Be kind."
greeting = "Hello."
tools = ["do_not_call", "hang_up"]
"""
REFUSES = Script(
    (WaitForBot.finished(200), Say(shout(), "never again"), WaitForBot(said_ms=300)),
    limit_ms=12_000,
)
PRESSES = Script(
    (WaitForBot.finished(200), Press("9"), WaitForBot.finished(300, said_ms=700), HangUp()),
    limit_ms=12_000,
)
TYPES_MORE = Script(
    (WaitForBot.finished(200), Press("90"), WaitForBot.finished(300, said_ms=700), HangUp()),
    limit_ms=12_000,
)


@asynccontextmanager
async def a_line(folder: Path, *answers: list[Output]) -> AsyncIterator[tuple[Stage, Database]]:
    database = Database(sql_url("", folder))
    await database.upgrade()
    path = folder / "caller.toml"
    path.write_text(AGENT, encoding="utf-8")
    beyond = Beyond(do_not_call=DoNotCall(database, folder))
    try:
        async with stage_for(folder, *answers, agent=str(path), beyond=beyond) as stage:
            yield stage, database
    finally:
        await database.close()


async def placed(stage: Stage, script: Script) -> CallReport:
    """A call of ours to somebody who does this."""
    people = {PERSON: Callee(script)}
    async with (
        TwilioRest(
            account_sid=LAB_ACCOUNT, auth_token=LAB_TOKEN, callee=people.__getitem__, pace=FAST
        ) as twilio,
        bot.TwilioRest(
            LAB_ACCOUNT, LAB_TOKEN, public_url=stage.url, api_url=twilio.base_url
        ) as rest,
    ):
        agent = str(stage.worker.settings.agent)
        call = await rest.place_call(PERSON, US, agent)
        report = await twilio.report(call.call_sid)
        await settled(stage, report)
        return report


async def listed(database: Database, number: str) -> str:
    async with database.reading() as connection:
        return await source_of(connection, number)


def shown(stage: Stage, report: CallReport) -> list[tuple[str, bool, str]]:
    """The decisions in the call's evidence."""
    folder = call_folder(stage.worker.settings.data_dir, report.identity.call_sid)
    verdict = verify((folder / EVIDENCE_FILE).read_bytes())
    assert verdict.whole, verdict.faults
    told = [link.what for link in verdict.links if link.kind == "decision"]
    return [(what["action"], what["allowed"], what["by"]) for what in told]


async def test_in_words(tmp_path: Path) -> None:
    answers: tuple[list[Output], ...] = (
        [line(1, 400)],
        [CallFunction("do_not_call")],
        [line(2, 400), CallFunction("hang_up")],
    )
    async with a_line(tmp_path, *answers) as (stage, database):
        report = await placed(stage, REFUSES)
        assert report.as_scripted, report.unfinished
        assert await listed(database, PERSON) == "spoken"
        assert ("do_not_call", True, "model") in shown(stage, report)
        assert await stage.worker.texting.opt_outs.is_out(PERSON)


async def test_by_the_key(tmp_path: Path) -> None:
    async with a_line(tmp_path, [line(1, 400)], [line(2, 400)]) as (stage, database):
        report = await placed(stage, PRESSES)
        assert report.as_scripted, report.unfinished
        assert await listed(database, PERSON) == "key"
        assert ("do_not_call", True, "caller") in shown(stage, report)
        assert any("pressed 9" in text for text in _asked(stage)), "the agent says so"


async def test_a_longer_entry_is_not_the_key(tmp_path: Path) -> None:
    async with a_line(tmp_path, [line(1, 400)], [line(2, 400)]) as (stage, database):
        await placed(stage, TYPES_MORE)
        assert await listed(database, PERSON) == ""


async def test_the_key_means_nothing_to_who_calls_us(tmp_path: Path) -> None:
    async with a_line(tmp_path, [line(1, 400)], [line(2, 400)]) as (stage, database):
        script = Script((WaitForBot.finished(200), Press("9"), Wait(2_000), HangUp()))
        await stage.line(pace=FAST).call(script, from_=PERSON, to=US)
        assert await listed(database, PERSON) == ""


async def test_by_text_message(tmp_path: Path) -> None:
    async with a_line(tmp_path, [line(1, 400)]) as (stage, database), Carrier() as carrier:
        answer = await carrier.text(stage.url, "STOP")
        assert answer.status == 200
        assert await listed(database, THEIRS) == "sms"
        assert await stage.worker.texting.opt_outs.is_out(THEIRS)


def _asked(stage: Stage) -> list[str]:
    """Instructions of the responses that were asked for."""
    events = [logged.event for session in stage.model.sessions for logged in session.received]
    created = [event for event in events if event["type"] == "response.create"]
    return [str(event.get("response", {}).get("instructions", "")) for event in created]
