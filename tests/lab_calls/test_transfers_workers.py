"""Where a call goes is known to every worker: one plans it, another answers for it and is
told what came of it; the memory of the call is with whoever opens the next stream."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from app.beyond import Beyond
from app.demo.stage import (
    CALLER,
    LAB_ACCOUNT,
    LAB_KEY,
    LAB_TOKEN,
    by_the_models_ears,
    free_port,
)
from app.lab.phone import (
    Account,
    Callee,
    HangUp,
    PhoneLine,
    Press,
    Say,
    Script,
    TwilioRest,
    Wait,
    WaitForBot,
)
from app.lab.realtime.ports import CallFunction, Output, Turn
from app.lab.realtime.server import LabRealtime
from app.live import open_live
from app.server import Worker, make_server, make_worker
from app.settings import Settings
from tests.lab_calls.cast import CodeEar, NoMouth, line, shout, until
from tests.lab_calls.journeys import BRISK, DESK, LINE, agents, said, verbs
from tests.live.redis_fixture import running_redis

pytestmark = pytest.mark.lab_call

AGENT = f"""
instructions = "You answer."
greeting = ""
tools = ["transfer_call"]
[transfers.desk]
to = "{DESK}"
how = "HOW"
"""
ASKS = Say(shout(), "Give me a person.")
BRIEF = "They want a table for nine."
PEOPLE = {
    DESK: Callee(
        Script(
            (
                WaitForBot.started(),
                Press("1"),
                Wait(1_500),
                Say(shout(1_951), "Hello."),
                Wait(400),
                HangUp(),
            )
        )
    ),
}


class Brain:
    def hints(self) -> Sequence[str]:
        return ()

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        if "The caller is back with you" in instructions:
            return (line(2, 500),)
        return (line(1, 300), CallFunction("transfer_call", {"to": "desk", "brief": BRIEF}))


class Split:
    """One address for two workers: the first one takes calls, the other one everything that is
    asked when a stream has ended, and the streams after it."""

    def __init__(self, first: Worker, other: Worker) -> None:
        self._first = first
        self._other = other
        self._streams = 0
        self.others: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        first = path == "/twilio/voice" or (scope["type"] == "websocket" and self._streams == 0)
        self._streams += scope["type"] == "websocket"
        if not first:
            self.others.append(path)
        await (self._first if first else self._other).app(scope, receive, send)


@asynccontextmanager
async def two_workers(
    folder: Path, people: dict[str, Callee], how: str
) -> AsyncIterator[tuple[Split, Account, LabRealtime, str]]:
    agent = agents(folder, {"house": AGENT.replace("HOW", how)})["house"]
    account = Account(account_sid=LAB_ACCOUNT, auth_token=LAB_TOKEN, people=people, pace=BRISK)
    model = LabRealtime(api_key=LAB_KEY, brain_factory=Brain, ear=CodeEar(), mouth=NoMouth())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_redis() as redis:
        async with (
            model,
            TwilioRest(account=account) as rest,
            open_live(redis.url, folder, "w1") as one,
            open_live(redis.url, folder, "w2") as two,
        ):
            settings = Settings(
                openai_api_key=SecretStr(LAB_KEY),
                openai_base_url=model.base_url,
                twilio_account_sid=LAB_ACCOUNT,
                twilio_auth_token=SecretStr(LAB_TOKEN),
                twilio_api_url=rest.base_url,
                public_url=url,
                agent=agent,
                data_dir=folder / "data",
            )
            workers = [
                make_worker(settings, revise=by_the_models_ears, beyond=Beyond(live=live))
                for live in (one, two)
            ]
            split = Split(*workers)
            server = make_server(replace(workers[0], app=split), "127.0.0.1", port)
            serving = asyncio.create_task(server._serve())
            await until(lambda: server.started)
            try:
                yield split, account, model, url
            finally:
                server.should_exit = True
                await serving
                for worker in workers:
                    await worker.desk.close()
                    await worker.rest.close()
                    await worker.answering.close()


async def test_a_warm_transfer_is_planned_by_one_worker_and_carried_out_by_another(
    tmp_path: Path,
) -> None:
    async with two_workers(tmp_path, PEOPLE, "warm") as (split, account, model, url):
        phone = PhoneLine(f"{url}/twilio/voice", account=account)
        script = Script((ASKS, Wait(20_000), HangUp()), limit_ms=40_000)
        report = await phone.call(script, from_=CALLER, to=LINE)
        [person] = await account.reports_to(DESK)
        await account.notices.settled()
    assert "Hello." in [one.text for one in report.heard if one.kind == "party"]
    assert BRIEF in said(person), "the plan came from the other worker"
    assert verbs(report) == ["Connect", "Dial", "Hangup"]
    assert report.errors == []
    assert len(model.sessions) == 1
    assert {"/twilio/stream-ended", "/twilio/whisper", "/twilio/held"} <= set(split.others)


async def test_a_caller_comes_back_to_another_worker_that_knows_the_call(tmp_path: Path) -> None:
    people = {DESK: Callee(answers="busy")}
    script = Script(
        (ASKS, WaitForBot.finished(), WaitForBot.finished(said_ms=400), HangUp()), limit_ms=30_000
    )
    async with two_workers(tmp_path, people, "cold") as (split, account, model, url):
        phone = PhoneLine(f"{url}/twilio/voice", account=account)
        report = await phone.call(script, from_=CALLER, to=LINE)
        told = str(model.sessions[1].received)
    assert report.as_scripted, report.steps
    assert len(report.streams) == 2
    assert "the line was busy" in told
    assert "line 1" in told, "what was said on the first worker"
    assert split.others.count("/twilio/onward") == 1
