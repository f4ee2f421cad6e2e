"""Invariant: `earshot lab carrier` serves the REST API that its flags describe, in a process of its
own; a flag that cannot be meant is a usage error, told in a line."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from twilio.http.async_http_client import (  # type: ignore[import-untyped, unused-ignore]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped, unused-ignore]

from app.cli import earshot
from app.lab.carrier import read_log
from tests.docs.pages import ROOT
from tests.lab.phone.bots import ACCOUNT_SID, AUTH_TOKEN, BOT_NUMBER
from tests.lab.phone.carrier import IGNORED, refused, until

pytestmark = IGNORED


@asynccontextmanager
async def running(*flags: str) -> AsyncIterator[Any]:
    """Twilio's client for a carrier of these flags."""
    who = ("--account-sid", ACCOUNT_SID, "--auth-token", AUTH_TOKEN)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "lab", "carrier", *who, *flags),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "codecs")])},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        said = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        async with AsyncTwilioHttpClient(timeout=5) as http:
            client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
            client.api.base_url = said.removeprefix("EARSHOT_TWILIO_API_URL=")
            yield client
    finally:
        process.terminate()
        await process.wait()


async def create(client: Any, to: str) -> Any:
    return await client.calls.create_async(to=to, from_=BOT_NUMBER, url="http://bot.test/voice")


async def test_it_serves_what_its_flags_say_and_logs_it(tmp_path: Path) -> None:
    log = tmp_path / "carrier.jsonl"
    flags = ("--log", str(log), "--pace", "2000", "--people", "busy=1", "--trouble", "delay_ms=1")
    async with running(*flags) as client:
        call = await create(client, "+14155550100")
        await until(lambda: [line.what for line in read_log(log)].count("status") == 2)
        assert (await client.calls(call.sid).fetch_async()).status == "busy"
    assert [line.said["does"] for line in read_log(log) if line.what == "placed"] == ["busy"]


async def test_without_people_the_number_tells() -> None:
    async with running() as client:
        assert await refused(create(client, "+14155550119")) == (400, 21211)


@pytest.mark.parametrize(
    "flags",
    [
        ["--trouble", "lte=0.5"],
        ["--trouble", "late"],
        ["--people", "busy=much"],
        ["--people", "busy=0.7", "--people", "fax=0.7"],
        ["--trouble", "lost=2"],
    ],
)
def test_a_flag_that_cannot_be_meant_is_told_in_a_line(flags: list[str]) -> None:
    done = CliRunner().invoke(earshot, ["lab", "carrier", "--auth-token", "x", *flags])
    assert done.exit_code in (1, 2)
    assert "expected" in done.output
