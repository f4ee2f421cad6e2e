"""`earshot call` places a call that the running app answers; who does not answer meets no model."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from app.bridge.call_record import call_folder
from app.carriers.twilio.campaign_calls import AttemptCall, CampaignCalls
from app.carriers.twilio.progress import CallState
from app.carriers.twilio.rest import TwilioRest as OurRest
from app.cli import earshot
from app.demo.stage import LAB_ACCOUNT, LAB_TOKEN, Stage
from app.lab.phone.report import CallReport
from app.lab.phone.rest import Callee, TwilioRest
from app.lab.phone.script import HangUp, Script, Wait, WaitForBot
from tests.lab_calls.cast import FAST, Recorded, line, settled, stage_for

pytestmark = [pytest.mark.lab_call, pytest.mark.asyncio(loop_scope="module")]

US = "+15550100010"
ANSWERS, BUSY, AWAY, NOWHERE = "+15550100011", "+15550100012", "+15550100013", "+15550100014"
STAYS = "+15550100015"
"""Until machine detection has come to its result."""
LISTEN = Script((WaitForBot.finished(100, said_ms=600), HangUp()), limit_ms=12_000)
CALLEES = {
    ANSWERS: Callee(LISTEN, ring_ms=100),
    STAYS: Callee(
        Script((WaitForBot.finished(100, said_ms=600), Wait(1_500), HangUp()), limit_ms=12_000)
    ),
    BUSY: Callee(answers="busy"),
    AWAY: Callee(answers="no-answer"),
    NOWHERE: Callee(answers="failed"),
}


@dataclass(frozen=True, slots=True)
class Agency:
    """The app and Twilio's API, and how the command line is set to reach both."""

    stage: Stage
    rest: TwilioRest

    async def call(self, *arguments: str, **more_env: str) -> Result:
        """`earshot call ...`, as a user of the same machine."""
        env = {
            "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
            "TWILIO_AUTH_TOKEN": LAB_TOKEN,
            "PUBLIC_URL": self.stage.url,
            "EARSHOT_TWILIO_API_URL": self.rest.base_url,
            "EARSHOT_FROM_NUMBER": US,
            **more_env,
        }
        run = CliRunner(env=env).invoke
        return await asyncio.to_thread(run, earshot, ["call", *arguments])

    async def placed(self, *arguments: str) -> CallReport:
        """A call that was accepted, to its end."""
        result = await self.call(*arguments)
        assert result.exit_code == 0, result.output
        call_sid, status = result.stdout.split()
        assert status == "queued"
        return await self.rest.report(call_sid)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agency(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agency]:
    folder = tmp_path_factory.mktemp("data")
    async with (
        stage_for(folder, [line(1, 600)]) as stage,
        TwilioRest(
            account_sid=LAB_ACCOUNT, auth_token=LAB_TOKEN, callee=CALLEES.__getitem__, pace=FAST
        ) as rest,
    ):
        yield Agency(stage, rest)


def told(report: CallReport) -> list[str]:
    """The states of the status callbacks, in order; all were taken."""
    callbacks = [request for request in report.requests if request.purpose == "status"]
    assert all(request.status in (200, 204) for request in callbacks)
    return [request.parameters["CallStatus"] for request in callbacks]


async def test_a_placed_call_is_answered_by_the_agent_and_followed_to_its_end(
    agency: Agency, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    report = await agency.placed(ANSWERS)
    await settled(agency.stage, report)
    assert report.as_scripted
    assert report.status == "completed"
    assert told(report) == ["initiated", "ringing", "in-progress", "completed"]
    folder = call_folder(agency.stage.worker.settings.data_dir, report.identity.call_sid)
    recorded = Recorded(report, folder, agency.stage.model.sessions[-1])
    assert recorded.heard_ms(1) == 600
    assert recorded.timeline["direction"] == "outbound"
    assert recorded.end_reason == "caller_hung_up"
    steps = [r.__dict__["fields"] for r in caplog.records if r.message == "call progress"]
    assert [step["state"] for step in steps] == [
        CallState.INITIATED,
        CallState.RINGING,
        CallState.IN_PROGRESS,
        CallState.COMPLETED,
    ]
    assert {step["call"] for step in steps} == {report.identity.call_sid}


async def test_a_campaign_s_call_is_recorded_with_its_attempt(agency: Agency) -> None:
    async with OurRest(
        LAB_ACCOUNT, LAB_TOKEN, public_url=agency.stage.url, api_url=agency.rest.base_url
    ) as ours:
        order = AttemptCall(
            attempt_id="a-7",
            to=STAYS,
            from_=US,
            agent="receptionist",
            ring_s=20,
            detect_machine=True,
            variables={},
        )
        report = await agency.rest.report(await CampaignCalls(ours).place(order))
    await settled(agency.stage, report)
    assert told(report) == ["initiated", "ringing", "in-progress", "completed"]
    [verdict] = [request for request in report.requests if request.purpose == "amd_status"]
    assert (verdict.status, verdict.parameters["AnsweredBy"]) == (204, "human")
    folder = call_folder(agency.stage.worker.settings.data_dir, report.identity.call_sid)
    recorded = Recorded(report, folder, agency.stage.model.sessions[-1])
    assert recorded.timeline["attempt_id"] == "a-7"


async def test_the_agent_and_the_caller_id_can_be_chosen(agency: Agency) -> None:
    report = await agency.placed(ANSWERS, "--agent", "receptionist", "--from", "+15550100019")
    assert report.identity.from_ == "+15550100019"
    [document] = [request for request in report.requests if request.purpose == "twiml"]
    assert document.url.endswith("/twilio/voice?agent=receptionist")


@pytest.mark.parametrize(
    ("number", "states"),
    [
        (BUSY, ["initiated", "ringing", "busy"]),
        (AWAY, ["initiated", "ringing", "no-answer"]),
        (NOWHERE, ["initiated", "failed"]),
    ],
)
async def test_who_does_not_answer_meets_no_model(
    agency: Agency, number: str, states: list[str]
) -> None:
    sessions = len(agency.stage.model.sessions)
    report = await agency.placed(number, "--ring", "1")
    assert told(report) == states
    assert report.streams == []
    assert len(agency.stage.model.sessions) == sessions


@pytest.mark.parametrize("number", ["777", "7770100011", "+1-555-0100", "anybody", ""])
async def test_a_number_that_is_none_is_said_in_one_line_without_repeating_it(
    agency: Agency, number: str
) -> None:
    calls = agency.rest.call_sids
    result = await agency.call("--", number)
    assert result.exit_code == 1
    [said] = [text for text in result.stderr.splitlines() if not text.startswith("warning:")]
    assert said.startswith("expected the number to call as E.164")
    assert not number or number not in said
    assert agency.rest.call_sids == calls


async def test_what_twilio_refuses_says_how_to_mend_it(agency: Agency) -> None:
    wrong = await agency.call(ANSWERS, TWILIO_AUTH_TOKEN="another")
    assert wrong.exit_code == 1
    assert "check TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN" in wrong.stderr
    assert "another" not in wrong.stderr
    away = await agency.call(ANSWERS, EARSHOT_TWILIO_API_URL="http://127.0.0.1:9")
    assert away.exit_code == 1
    assert "Traceback" not in away.stderr
    assert isinstance(away.exception, SystemExit)
