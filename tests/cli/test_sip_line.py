"""Invariant: `earshot sip line` serves calls as it is told, says goodbye to them when it is
stopped, and says in a line what it cannot do."""

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import earshot
from app.cli.sip_line import CREDENTIALS, TRUNK_PASSWORD, WORKER_PASSWORD
from tests.sip_line.sipp import sipp
from tests.sip_line.worker import open_worker

WORKER = ("--worker", "ws://127.0.0.1:9/asterisk/media")
HERE = ("--peer", "127.0.0.1")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_stopped_and_then_says_goodbye(
    tmp_path: Path, stop: signal.Signals
) -> None:
    async with open_worker() as worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "sip", "line", "--worker", worker.url),
            *("--listen", "127.0.0.1:0", *HERE, "--serve", "100", "--log-format", "json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(60):
                first = (await process.stdout.readline()).decode()
            told = re.search(r"SIP on 127\.0\.0\.1:(\d+)", first)
            assert told is not None, first
            (await sipp(int(told[1]), "call", tmp_path, hold_ms=100)).require()
            calling = asyncio.create_task(sipp(int(told[1]), "called_off", tmp_path))
            await worker.has_calls(2)
            process.send_signal(stop)
            async with asyncio.timeout(60):
                _, logged = await process.communicate()
            (await calling).require()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0
    assert b'"message": "a SIP call ended"' in logged
    assert b"5550100001" not in logged


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (WORKER, "Nobody may call"),
        ((*WORKER, "--peer", "example.org"), "network like 192.0.2.0/24"),
        ((*WORKER, *HERE, "--listen", "example.org"), "IPv4 address like"),
        ((*WORKER, *HERE, "--listen", "0.0.0.0:5060"), "--advertise"),
        ((*WORKER, *HERE, "--rtp-ports", "many"), "RTP ports like"),
        ((*WORKER, *HERE, "--trunk", "trunk.example"), "trunk like bot@"),
        (("--worker", "http://x", *HERE), "worker like ws://"),
    ],
)
def test_mistakes_are_told_in_a_line(options: tuple[str, ...], told: str) -> None:
    ran = CliRunner().invoke(earshot, ["sip", "line", *options])
    assert ran.exit_code == 1
    assert told in ran.output
    assert "Traceback" not in ran.output


def test_a_time_below_none_is_a_mistake() -> None:
    told = ("--end-after-silence-s", "-1")
    ran = CliRunner().invoke(earshot, ["sip", "line", *WORKER, *HERE, *told])
    assert "-1 is not in the range" in ran.output


def test_an_address_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ran = CliRunner().invoke(earshot, ["sip", "line", *WORKER, *HERE, "--listen", listen])
    assert ran.exit_code == 1
    assert f"{listen} cannot be had" in ran.output


def test_credentials_that_cannot_be_read_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CREDENTIALS, "alice-secret")
    ran = CliRunner().invoke(earshot, ["sip", "line", *WORKER])
    assert ran.exit_code == 1
    assert CREDENTIALS in ran.output
    assert "alice-secret" not in ran.output


def test_no_secret_is_an_option() -> None:
    helped = CliRunner().invoke(earshot, ["sip", "line", "--help"])
    assert helped.exit_code == 0
    assert "password" not in {word.strip("-") for word in helped.output.lower().split()}
    assert {CREDENTIALS, WORKER_PASSWORD} <= set(re.findall(r"EARSHOT_\w+", helped.output))
    assert TRUNK_PASSWORD.startswith("EARSHOT_")
