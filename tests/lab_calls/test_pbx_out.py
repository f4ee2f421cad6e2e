"""A call that the operator's own PBX places is the bot's like any other, is placed once whatever is
lost on the way, and everybody learns how it ended: whole calls over real sockets, with an Asterisk
made of software.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner, Result

from app.campaigns.ports import FateUnknownError, LiveCalls, NotPlacedError, Order
from app.carriers.asterisk.ari import Ari
from app.carriers.asterisk.placed import PlacedSeals
from app.cli import earshot
from app.demo.stage import (
    LAB_ARI,
    LAB_ARI_PASSWORD,
    LAB_KEY,
    LAB_PBX,
    LAB_PBX_PASSWORD,
    Stage,
)
from app.lab.pbx import PbxAri
from app.lab.pbx.dialplan import DialStatus
from app.lab.phone.people import Callee, voicemail
from app.lab.phone.report import CallReport
from app.lab.phone.rest_manners import RestManners
from app.lab.phone.script import HangUp, Say, Script, Wait, WaitForBot
from app.lab.realtime.ports import CallFunction, Output
from app.lab.speech.voices import voice_clip
from app.pbx_carrier import PbxCarrier
from tests.lab_calls.cast import Recorded, line, settled, shout, stage_for
from tests.lab_calls.together import at_once

pytestmark = [pytest.mark.lab_call]

ONE_ENVIRONMENT = threading.Lock()
"""Of this process, which the command line reads."""
US, DESK = "+14155550199", "+14155550100"
ANSWERS, BUSY, AWAY, NOWHERE, DECLINES, STAYS = (f"+1555010001{n}" for n in range(1, 7))
ANN = "sip:ann@pbx.example.com"
LISTEN = Script((WaitForBot.finished(100, said_ms=600), HangUp()), limit_ms=12_000)
ASKS = Script(
    (
        WaitForBot.finished(),
        Say(shout(), "Give me a person."),
        WaitForBot.finished(),
        Wait(6_000),
        HangUp(),
    ),
    limit_ms=15_000,
)
PEOPLE = {
    ANSWERS: Callee(LISTEN, ring_ms=100),
    ANN: Callee(LISTEN),
    BUSY: Callee(answers="busy", ring_ms=100),
    AWAY: Callee(answers="no-answer"),
    NOWHERE: Callee(answers="failed", sip_code=404),
    DECLINES: Callee(answers="failed", sip_code=603),
    STAYS: Callee(Script((Wait(60_000),), limit_ms=60_000)),
}
AGENT = f"""
instructions = "You call {{{{name}}}}."
greeting = "Hello."
variables = {{ name = "nobody" }}
tools = ["transfer_call", "hang_up"]

[transfers.desk]
to = "{DESK}"
when = "always"

[policy]
sip_hosts = ["pbx.example.com"]
"""


@dataclass(frozen=True, slots=True)
class Agency:
    """The app and the PBX, and how the command line is set to reach both."""

    stage: Stage
    ari: PbxAri
    env: Mapping[str, str] = field(default_factory=dict)

    async def call(self, *arguments: str, **more: str) -> Result:
        """`earshot call ...`, as a user of the same machine."""
        env = {
            "EARSHOT_ARI_URL": self.ari.base_url,
            "EARSHOT_ARI_USER": LAB_ARI,
            "EARSHOT_ARI_PASSWORD": LAB_ARI_PASSWORD,
            "EARSHOT_PBX_USER": LAB_PBX,
            "EARSHOT_PBX_PASSWORD": LAB_PBX_PASSWORD,
            "EARSHOT_FROM_NUMBER": US,
            **self.env,
            **more,
        }

        def run() -> Result:
            with ONE_ENVIRONMENT:
                return CliRunner(env=env).invoke(earshot, ["call", *arguments])

        return await asyncio.to_thread(run)

    async def placed(self, *arguments: str) -> CallReport:
        """A call that was accepted, to its end."""
        result = await self.call(*arguments)
        assert result.exit_code == 0, result.output
        call_id, status = result.stdout.split()
        assert status == "queued"
        return await self.ari.report(call_id)

    def told(self) -> list[tuple[str, str]]:
        """What the dialplan told of the ends of calls, and how it was answered."""
        news = self.ari.news
        return [(form["status"], heard) for form, heard in zip(news.told, news.heard, strict=True)]

    def carrier(self, password: str = LAB_ARI_PASSWORD) -> PbxCarrier:
        ari = Ari(self.ari.base_url, LAB_ARI, password, timeout_s=2)
        return PbxCarrier(ari, PlacedSeals([LAB_PBX_PASSWORD]))


@asynccontextmanager
async def agency(
    folder: Path,
    *answers: Sequence[Output],
    through: Mapping[str, DialStatus] | None = None,
    people: Mapping[str, Callee] = PEOPLE,
    manners: RestManners | None = None,
    **settings: Any,
) -> AsyncIterator[Agency]:
    path = folder / "caller.toml"
    path.write_text(AGENT, encoding="utf-8")
    async with (
        stage_for(folder, *(answers or ([line(1, 600)],)), agent=str(path), **settings) as stage,
        stage.ari(people, through=through, manners=manners) as ari,
    ):
        yield Agency(stage, ari, {"EARSHOT_AGENT": str(path)})


def order(attempt_id: str, to: str, **more: Any) -> Order:
    given: dict[str, Any] = {
        "attempt_id": attempt_id,
        "to": to,
        "from_": US,
        "agent": "",
        "ring_s": 20,
        "detect_machine": True,
        "variables": {},
    }
    return Order(**given | more)


async def recorded(there: Agency, report: CallReport) -> Recorded:
    folder = await settled(there.stage, report)
    return Recorded(report, folder, there.stage.model.sessions[-1])


@at_once
async def test_whoever_answers_talks_with_the_agent_and_the_record_says_outbound(
    tmp_path: Path,
) -> None:
    async with agency(tmp_path) as there:
        report = await there.placed(ANSWERS, "--var", "name=Ada Lovelace")
        made = await recorded(there, report)
        [call] = there.ari.calls.values()
    assert report.as_scripted, (report.unfinished, report.errors)
    assert made.heard_ms(1) == 600
    assert made.timeline["direction"] == "outbound"
    assert made.timeline["call_id"] == call.channel_id == report.identity.call_sid
    assert (report.identity.from_, report.identity.to) == (US, ANSWERS)
    assert there.told() == [("ANSWER", "heard")]


@at_once
async def test_a_sip_address_is_called_where_the_policy_lets_it(tmp_path: Path) -> None:
    async with agency(tmp_path) as there:
        report = await there.placed(ANN)
        refused = await there.call("sip:ann@elsewhere.example.com")
        await recorded(there, report)
    assert report.as_scripted
    assert refused.exit_code == 1
    assert "may not call that address" in refused.stderr
    assert len(there.ari.calls) == 1


@at_once
@pytest.mark.parametrize(
    ("number", "told", "status"),
    [
        (BUSY, "BUSY", "busy"),
        (AWAY, "NOANSWER", "no-answer"),
        (NOWHERE, "CHANUNAVAIL", "failed"),
    ],
)
async def test_who_does_not_answer_meets_no_model(
    tmp_path: Path, number: str, told: str, status: str
) -> None:
    async with agency(tmp_path) as there:
        report = await there.placed(number, "--ring", "1")
        assert there.told() == [(told, "heard")]
        assert there.stage.model.sessions == []
    assert (report.status, report.streams) == (status, [])


@at_once
async def test_who_is_called_can_be_put_through(tmp_path: Path) -> None:
    through = line(1, 400, "I'll put you through."), CallFunction("transfer_call", {"to": "desk"})
    people = {ANSWERS: Callee(ASKS)}
    answers = [line(1, 300)], through
    async with agency(tmp_path, *answers, people=people, through={DESK: "ANSWER"}) as there:
        report = await there.placed(ANSWERS)
        made = await recorded(there, report)
        asked = [(one.form["status"], one.answer) for one in there.ari.dialplan.asked]
    (first, put), (second, after) = asked
    assert (first, second) == ("ANSWER", "ANSWER")
    assert (put["do"], put["to"], put["caller_id"]) == ("transfer", DESK, US)
    assert after["do"] == "hangup"
    assert made.timeline["direction"] == "outbound"


@at_once
async def test_variables_come_to_the_agent_as_they_were_given(tmp_path: Path) -> None:
    value = 'Ada "the first" {{name}} <b>, & Lovelace; ' + "x" * 300
    async with agency(tmp_path) as there:
        report = await there.placed(ANSWERS, "--var", f"name={value}")
        await recorded(there, report)
        instructions = there.stage.model.sessions[-1].instructions
        [call] = there.ari.calls.values()
    assert "x" * 300 in instructions
    assert "Ada" in instructions
    carried = str(call.variables)
    assert "Ada" not in carried and "x" * 30 not in carried, "nobody at the PBX reads them"


@at_once
async def test_an_order_of_another_call_or_of_nobody_opens_nothing(tmp_path: Path) -> None:
    """Whoever can set variables of a channel cannot claim a call of ours."""
    async with agency(tmp_path) as there:
        report = await there.placed(ANSWERS)
        await recorded(there, report)
        [call] = there.ari.calls.values()
        sessions = len(there.stage.model.sessions)
        phone = there.stage.pbx()
        other = {"EARSHOT_CALL_ID": "AO" + "0" * 32}
        for claimed in (
            {"EARSHOT_DIRECTION": "outbound"},
            {"EARSHOT_DIRECTION": "outbound", "EARSHOT_CALL_ID": call.channel_id},
            call.variables | other,
            call.variables | {"EARSHOT_ORDER": "x" + call.variables["EARSHOT_ORDER"]},
        ):
            await phone.call(LISTEN, from_=US, to=ANSWERS, variables=claimed)
        assert len(there.stage.model.sessions) == sessions


@at_once
async def test_without_a_place_nobody_is_spoken_to_and_the_call_ends(tmp_path: Path) -> None:
    async with agency(tmp_path) as there:
        there.stage.worker.switchboard.max_calls = 0
        report = await there.placed(ANSWERS)
        [asked] = there.ari.dialplan.asked
    assert (asked.form["direction"], asked.answer["do"]) == ("outbound", "fallback")
    assert report.ended_by == "far_end"
    assert there.told() == [("ANSWER", "heard")]


# Placed at most once


@at_once
async def test_an_answer_that_is_lost_is_looked_for_and_the_call_placed_once(
    tmp_path: Path,
) -> None:
    lost = RestManners(loses=lambda method, path: method == "POST")
    async with agency(tmp_path, manners=lost) as there:
        placed = await there.carrier().place(order("a" * 32, STAYS))
        again = await there.carrier().place(order("a" * 32, STAYS))
        assert placed == again
        assert len(there.ari.calls_to(STAYS)) == 1
        seen = await there.carrier().call(placed.call_id)
        assert seen is not None and seen.attempt_id == "a" * 32
        known = await there.carrier().calls(STAYS, US, 0)
        assert isinstance(known, LiveCalls)
        assert [one.call_id for one in known] == [placed.call_id]
        await there.carrier().end(placed.call_id)
        await there.ari.report(placed.call_id)
        await there.carrier().end(placed.call_id)
        assert await there.carrier().call(placed.call_id) is None


@at_once
async def test_a_call_that_may_have_been_there_is_in_doubt(tmp_path: Path) -> None:
    """It was over before anybody could look."""
    lost = RestManners(loses=lambda method, path: method == "POST")
    async with agency(tmp_path, manners=lost) as there:
        with pytest.raises(FateUnknownError):
            await there.carrier().place(order("b" * 32, NOWHERE))
        assert await there.carrier().calls(NOWHERE, US, 0) == LiveCalls()


@at_once
async def test_what_the_pbx_refuses_says_how_to_mend_it(tmp_path: Path) -> None:
    async with agency(tmp_path) as there:
        wrong = await there.call(ANSWERS, EARSHOT_ARI_PASSWORD="another-password")
        away = await there.call(ANSWERS, EARSHOT_ARI_URL="http://127.0.0.1:9")
        no_ari = await there.call(ANSWERS, EARSHOT_ARI_URL=f"{there.ari.base_url}/elsewhere")
        with pytest.raises(NotPlacedError) as told:
            await there.carrier("another-password").place(order("c" * 32, ANSWERS))
        assert there.ari.calls == {}
    for result, said in (
        (wrong, "check EARSHOT_ARI_USER and EARSHOT_ARI_PASSWORD"),
        (away, "does not answer at EARSHOT_ARI_URL"),
        (no_ari, "no ARI at EARSHOT_ARI_URL"),
    ):
        assert result.exit_code == 1
        assert said in result.stderr
        assert isinstance(result.exception, SystemExit)
        assert "another-password" not in result.stderr
    assert told.value.again_after_ms and not told.value.number_is_wrong


@at_once
async def test_what_a_pbx_cannot_do_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    async with agency(tmp_path) as there:
        machine = await there.call(ANSWERS, "--on-machine", "hang_up")
        header = await there.call(ANN, "--header", "X-Id=7")
        number = await there.call("777")
        assert there.ari.requests == []
    assert "Give --message TEXT alone" in machine.stderr
    assert "PJSIP_HEADER()" in header.stderr
    assert "expected the number to call as E.164" in number.stderr
    assert {machine.exit_code, header.exit_code, number.exit_code} == {1}


@at_once
async def test_only_a_pbx_that_knows_the_password_is_heard(tmp_path: Path) -> None:
    async with agency(tmp_path) as there, aiohttp.ClientSession() as stranger:
        form = {"call": "AO" + "d" * 32, "attempt": "d" * 32, "status": "ANSWER"}
        async with stranger.post(there.ari.news.url, data=form) as answer:
            assert answer.status == 401


@at_once
async def test_there_need_be_no_twilio(tmp_path: Path) -> None:
    """A PBX alone: there is no Twilio account, neither to call nor to be called by."""
    none: dict[str, Any] = {
        "twilio_account_sid": "",
        "twilio_auth_token": "",
        "openai_api_key": LAB_KEY,
    }
    async with agency(tmp_path, **none) as there:
        report = await there.placed(ANSWERS)
        await settled(there.stage, report)
    assert report.as_scripted


@at_once
async def test_a_call_that_is_stopped_while_it_rings_was_canceled(tmp_path: Path) -> None:
    people = {STAYS: Callee(ring_ms=60_000)}
    async with agency(tmp_path, people=people) as there:
        placed = await there.carrier().place(order("e" * 32, STAYS))
        seen = await there.carrier().call(placed.call_id)
        assert seen is not None and seen.fate == "ringing"
        await there.carrier().end(placed.call_id)
        report = await there.ari.report(placed.call_id)
        assert there.told() == [("CANCEL", "heard")]
        assert there.stage.model.sessions == []
    assert report.status == "canceled"


@at_once
async def test_a_machine_is_left_the_message_after_the_beep_that_the_bot_hears(
    tmp_path: Path,
) -> None:
    machine = voicemail(voice_clip("when_open_slt").ulaw, "leave a message")
    async with agency(tmp_path, people={ANSWERS: machine}) as there:
        report = await there.placed(ANSWERS, "--message", "Call us back.")
        made = await recorded(there, report)
    answer = made.timeline["answer"]
    assert answer["answered_by"] == "machine_end_beep"
    assert made.end_reason in ("message_left", "machine_answered")
