"""A server is connected while somebody needs it, in whatever thread it was made; what nobody needs
any more is closed, but not under a run of its tools."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.agents.tools_tables import McpServer as Table
from app.tools.mcp.server import McpServer
from app.tools.outside import Outside
from app.tools.toolbox import Toolbox

SCRIPT = str(Path(__file__).parent / "mcp" / "booking_server.py")
UP_S = 20.0


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes"
    path.touch()
    return path


def made(outside: Outside, notes: Path) -> McpServer:
    table = Table(command=sys.executable, args=(SCRIPT, "stdio"), env={"NOTES": str(notes)})
    return outside.server("crm", table, os.environ, str(notes.parent))


def pid_of(notes: Path) -> int:
    lines = map(json.loads, notes.read_text("utf-8").splitlines())
    return int(next(line["started"] for line in lines if "started" in line))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def run(outside: Outside) -> AsyncIterator[None]:
    running = asyncio.create_task(outside.run())
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(2 * UP_S):
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(UP_S):
        while not happened():  # noqa: ASYNC110 - it is another process's state
            await asyncio.sleep(0.02)


async def test_a_server_that_a_reload_brings_is_connected(notes: Path) -> None:
    outside = Outside()
    async with run(outside):
        server = await asyncio.to_thread(made, outside, notes)
        await server.wait_up()


async def test_what_nobody_needs_is_closed_and_what_is_needed_stays(notes: Path) -> None:
    outside = Outside()
    outside.linger_s = 0.0
    server = made(outside, notes)
    async with run(outside):
        await server.wait_up()
        pid = pid_of(notes)
        outside.keep({server})
        await asyncio.sleep(0.1)
        assert lives(pid) and made(outside, notes) is server

        outside.keep(set())
        await until(lambda: not lives(pid))
        assert made(outside, notes) is not server


async def test_a_run_of_its_tools_goes_on_to_its_end(notes: Path) -> None:
    outside = Outside()
    outside.linger_s = 0.0
    server = made(outside, notes)
    async with run(outside):
        await server.wait_up()
        result = asyncio.create_task(Toolbox(sources=[server]).run("wait", '{"seconds": 0.5}'))
        await until(lambda: '"tool": "wait"' in notes.read_text("utf-8"))
        outside.keep(set())
        assert (await result).ok
        outside.keep(set())
        await until(lambda: not lives(pid_of(notes)))


async def test_who_is_needed_again_soon_was_never_closed(notes: Path) -> None:
    outside = Outside()
    server = made(outside, notes)
    async with run(outside):
        await server.wait_up()
        outside.keep(set())
        await asyncio.sleep(0.1)
        assert made(outside, notes) is server and server.up
