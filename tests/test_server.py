"""A worker is made whole or not at all; nothing that it does beside a call can keep the call from
being carried."""

import asyncio
import gc
import logging
import os
import sys
from pathlib import Path

import pytest

from app.agents import AgentError
from app.demo.stage import LAB_ACCOUNT, LAB_KEY, LAB_TOKEN
from app.lab.phone.script import HangUp, Script, WaitForBot
from app.server import Worker, make_server, make_worker, settle
from app.sessions import LATE_IMPORTS
from app.settings import Settings, SettingsError
from tests.lab_calls.cast import FAST, line, stage_for

LISTEN = Script((WaitForBot.finished(50, said_ms=200), HangUp()), limit_ms=12_000)


def worker(**changes: object) -> Worker:
    given = {
        "openai_api_key": LAB_KEY,
        "twilio_account_sid": LAB_ACCOUNT,
        "twilio_auth_token": LAB_TOKEN,
        "public_url": "https://bot.example.com",
        **changes,
    }
    return make_worker(Settings.model_validate(given))


def test_an_agent_that_cannot_take_calls_is_found_out_at_once() -> None:
    with pytest.raises(AgentError, match="receptionist"):
        worker(agent="nobody")


def test_a_redirect_without_an_address_is_found_out_at_once() -> None:
    with pytest.raises(SettingsError, match="EARSHOT_FULL_REDIRECT_URL"):
        worker(when_full="redirect")
    assert worker(when_full="redirect", full_redirect_url="https://other.example.com/twiml")


def test_what_the_first_call_needs_is_loaded_when_the_worker_is_made() -> None:
    worker()
    assert set(LATE_IMPORTS) <= set(sys.modules)


def test_what_was_loaded_is_taken_out_of_the_collectors_sight() -> None:
    frozen = gc.get_freeze_count()
    loaded: list[list[int]] = [[] for _ in range(1_000)]
    settle()
    assert gc.get_freeze_count() >= frozen + len(loaded)


def test_media_sockets_carry_no_compression_and_bounded_messages() -> None:
    config = make_server(worker(), "127.0.0.1", 0).config
    assert config.ws == "websockets-sansio"
    assert not config.ws_per_message_deflate
    assert config.ws_max_size <= 128 * 1024
    assert config.timeout_graceful_shutdown is not None


@pytest.mark.lab_call
async def test_a_call_is_carried_when_nothing_can_be_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    async with stage_for(no_folder, [line(1, 200)]) as stage:
        report = await stage.line(pace=FAST).call(LISTEN, from_="+15550100001", to="+15550100002")
    assert report.as_scripted
    [error] = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert error.message == "no event log for this call"


@pytest.mark.lab_call
async def test_nothing_is_written_down_that_the_operator_does_not_want(tmp_path: Path) -> None:
    async with stage_for(tmp_path, [line(1, 200)], record_events=False) as stage:
        report = await stage.line(pace=FAST).call(LISTEN, from_="+15550100001", to="+15550100002")
    assert report.as_scripted
    assert not os.listdir(tmp_path)


@pytest.mark.lab_call
async def test_a_burst_of_calls_is_let_in_up_to_the_limit_and_no_further(tmp_path: Path) -> None:
    async with stage_for(tmp_path, [line(1, 200)], max_calls=2) as stage:
        phone = stage.line(pace=FAST)
        reports = await asyncio.gather(
            *(phone.call(LISTEN, from_="+15550100001", to="+15550100002") for _ in range(4))
        )
    verbs = sorted(tuple(verb.name for verb in report.verbs) for report in reports)
    assert verbs == [("Connect",), ("Connect",), ("Say", "Hangup"), ("Say", "Hangup")]
