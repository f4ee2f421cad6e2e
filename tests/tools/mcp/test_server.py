"""The tools of an MCP server are the agent's while it is there; a call of one while it is away gets
a sentence, nothing waits for it, and it ends with us: with a real server, as a program and at an
address."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.agents.tools_tables import McpOptions
from app.agents.tools_tables import McpServer as Table
from app.demo.stage import free_port
from app.tools.errors import ToolLoadError
from app.tools.mcp import server as module
from app.tools.mcp.server import McpServer
from app.tools.outside import Outside
from app.tools.toolbox import Toolbox

SCRIPT = str(Path(__file__).with_name("booking_server.py"))
UP_S = 60.0


@dataclass
class Place:
    """Where a server runs, and what it wrote down."""

    folder: Path
    table: Table
    server: McpServer | None = None
    """Connected to it; None: each test connects itself."""

    @property
    def file(self) -> Path:
        return self.folder / "notes"

    def notes(self, what: str) -> list[Any]:
        lines = [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]
        return [line for line in lines if what in line.values() or what in line]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["program", "address"])
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    """One of each, as it takes its time to come up, and a connection to it."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "notes").touch()
    env = {"NOTES": str(folder / "notes")}
    if request.param == "program":
        table = Table(command=sys.executable, args=(SCRIPT, "stdio"), env=env)
        async with up(table, folder) as server:
            yield Place(folder, table, server)
        return
    port = free_port()
    process = await asyncio.to_thread(start, port, env)
    try:
        table = Table(url=f"http://127.0.0.1:{port}/mcp")
        async with up(table, folder) as server:
            yield Place(folder, table, server)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def place(running: Place) -> Place:
    """With nothing written down yet."""
    running.file.write_text("", encoding="utf-8")
    return running


def start(port: int, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, SCRIPT, "http", str(port)]
    process = subprocess.Popen(argv, env={**os.environ, **env})
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None:
            break
        import time

        time.sleep(0.05)
    raise RuntimeError("the server did not come up")


@asynccontextmanager
async def up(table: Table, folder: Path) -> AsyncIterator[McpServer]:
    """Connected to the server, until the end."""
    outside = Outside()
    server = outside.server("crm", table, os.environ, str(folder))
    running = asyncio.create_task(outside.run())
    try:
        async with asyncio.timeout(UP_S):
            await server.wait_up()
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def connected(
    place: Place, table: Table | None = None, **toolbox: Any
) -> AsyncIterator[tuple[Toolbox, McpServer]]:
    """`table`: with a connection of its own."""
    if table is None and place.server is not None:
        yield Toolbox(sources=[place.server], **toolbox), place.server
        return
    async with up(table or place.table, place.folder) as server:
        yield Toolbox(sources=[server], **toolbox), server


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(UP_S):
        while not happened():  # noqa: ASYNC110 - it is another process's state
            await asyncio.sleep(0.02)


@pytest.mark.asyncio(loop_scope="module")
async def test_tools_are_listed_and_run_with_the_key(place: Place) -> None:
    async with connected(place) as (toolbox, _):
        assert toolbox.manner("book").idempotent
        assert not toolbox.manner("die").idempotent
        schema = next(s for s in toolbox.schemas() if s["name"] == "book")
        assert schema["parameters"]["properties"]["when"] == {
            "enum": ["noon", "evening"],
            "type": "string",
        }
        result = await toolbox.run("book", '{"people": 2, "when": "noon"}', key="k-1")
        assert (result.ok, json.loads(result.output)) == (True, {"code": "4711", "people": 2})
    assert [note["key"] for note in place.notes("book")] == ["k-1"]


@pytest.mark.asyncio(loop_scope="module")
async def test_every_kind_of_result_is_one_json_text(place: Place) -> None:
    async with connected(place) as (toolbox, _):
        said = await toolbox.run("say", '{"words": "hello"}')
        listed = await toolbox.run("say", '{"words": "[1, 2]"}')
        shown = await toolbox.run("show", "{}")
        failed = await toolbox.run("fail_loudly", "{}")
        wrong = await toolbox.run("book", '{"people": "many", "when": "never"}')
        odd = await toolbox.run("book", "[1]")
    assert json.loads(said.output) == "hello"
    assert listed.ok
    assert "image" in json.loads(shown.output)["note"]
    assert not failed.ok
    assert "the book is closed" in json.loads(failed.output)["error"]
    assert not wrong.ok
    assert not odd.ok


@pytest.mark.asyncio(loop_scope="module")
async def test_a_run_is_cancelled_at_the_server_when_its_time_is_over(place: Place) -> None:
    from dataclasses import replace

    async with connected(place, replace(place.table, timeout_s=0.5)) as (toolbox, _):
        result = await toolbox.run("wait", '{"seconds": 60}')
        assert "did not finish within 0.5 seconds" in json.loads(result.output)["error"]
        await until(lambda: bool(place.notes("cancelled")))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tool_that_the_server_learns_later_is_there_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(place) as (toolbox, _):
        assert "learned" not in toolbox.names
        await toolbox.run("learn", "{}")
        await until(lambda: "learned" in toolbox.names)
        assert json.loads((await toolbox.run("learned", "{}")).output) == "learned"


@pytest.mark.asyncio(loop_scope="module")
async def test_only_what_is_allowed_is_there_under_its_new_name(place: Place) -> None:
    from dataclasses import replace

    options = {"say": McpOptions(rename="repeat", idempotent=True, on_interruption="cancel")}
    table = replace(place.table, tools=("say", "book"), options=options)
    async with connected(place, table) as (toolbox, _):
        assert sorted(toolbox.names) == ["book", "repeat"]
        manner = toolbox.manner("repeat")
        assert (manner.idempotent, manner.on_interruption) == (True, "cancel")
        assert json.loads((await toolbox.run("repeat", '{"words": "x"}')).output) == "x"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_name_that_is_taken_gets_the_servers_in_front(place: Place) -> None:
    def book() -> str:
        """Book otherwise."""
        return "ours"

    async with connected(place, functions=[book]) as (toolbox, _):
        assert json.loads((await toolbox.run("book", "{}")).output) == "ours"
        result = await toolbox.run("crm_book", '{"people": 2, "when": "noon"}')
        assert json.loads(result.output)["code"] == "4711"


# Servers that go


@pytest.fixture
def program(tmp_path: Path) -> Place:
    (tmp_path / "notes").touch()
    env = {"NOTES": str(tmp_path / "notes")}
    table = Table(command=sys.executable, args=(SCRIPT, "stdio"), env=env)
    return Place(tmp_path, table)


async def test_a_server_that_dies_is_started_again_and_calls_get_a_sentence(program: Place) -> None:
    async with connected(program) as (toolbox, server):
        died = await toolbox.run("die", "{}")
        told = json.loads(died.output)["error"]
        assert told == "die did not work: the connection broke. It may still have taken effect."
        assert "die" in toolbox.names
        async with asyncio.timeout(UP_S):
            await server.wait_up()
        assert json.loads((await toolbox.run("say", '{"words": "back"}')).output) == "back"
    assert len(program.notes("die")) == 1
    assert len(program.notes("started")) == 2


async def test_a_server_that_goes_unnoticed_is_started_again(program: Place) -> None:
    async with connected(program) as (_, server):
        (pid,) = (note["started"] for note in program.notes("started"))
        os.kill(pid, signal.SIGKILL)
        await until(lambda: len(program.notes("started")) == 2)
        async with asyncio.timeout(UP_S):
            await server.wait_up()


async def test_what_can_bear_it_runs_again_on_the_next_server(
    program: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_S", UP_S)
    async with connected(program) as (toolbox, _):
        arguments = '{"people": 2, "when": "noon", "dies_once": true}'
        result = await toolbox.run("book", arguments, key="k-2")
        assert json.loads(result.output)["code"] == "4711"
    assert [note["key"] for note in program.notes("book")] == ["k-2", "k-2"]


async def test_a_server_at_an_address_that_comes_back_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").touch()
    port, env = free_port(), {"NOTES": str(tmp_path / "notes")}
    process = await asyncio.to_thread(start, port, env)
    place = Place(tmp_path, Table(url=f"http://127.0.0.1:{port}/mcp"))
    try:
        async with connected(place) as (toolbox, server):
            process.kill()
            process.wait()
            told = await toolbox.run("say", '{"words": "x"}')
            assert not told.ok
            await until(lambda: not server.up)
            away = json.loads((await toolbox.run("say", '{"words": "x"}')).output)
            assert "cannot be reached" in away["error"]
            process = await asyncio.to_thread(start, port, env)
            async with asyncio.timeout(UP_S):
                await server.wait_up()
            assert json.loads((await toolbox.run("say", '{"words": "back"}')).output) == "back"
    finally:
        process.kill()
        process.wait()


async def test_a_program_gets_what_it_is_given_and_none_of_our_secrets(
    program: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setenv("SECRET", "s3cret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ours")
    async with connected(program, replace(program.table, pass_env=("SECRET",))) as (toolbox, _):
        told = json.loads((await toolbox.run("told_of", "{}")).output)
    assert told == f"s3cret {program.folder.name} False"


async def test_a_program_ends_with_us(program: Place) -> None:
    async with connected(program):
        (pid,) = (note["started"] for note in program.notes("started"))
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_nothing_waits_for_a_server_that_does_not_come_up(tmp_path: Path) -> None:
    outside = Outside()
    table = Table(command=sys.executable, args=("-c", "import time; time.sleep(60)"), connect_s=0.3)
    server = outside.server("crm", table, os.environ, str(tmp_path))
    running = asyncio.create_task(outside.run())
    await asyncio.sleep(0)
    toolbox = Toolbox(sources=[server])
    assert toolbox.schemas() == []
    assert not (await toolbox.run("book", "{}")).ok
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_two_agents_share_the_connection_to_the_same_server(program: Place) -> None:
    outside = Outside()
    first = outside.server("crm", program.table, os.environ, "")
    assert outside.server("crm", program.table, os.environ, "") is first
    assert outside.server("erp", program.table, os.environ, "") is not first


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Table(), "command or url"),
        (Table(command="x", url="http://a.example"), "command or url"),
        (Table(url="http://a.example", secret_env="NOT_SET"), "environment variable NOT_SET"),
        (Table(command="x", pass_env=("NOT_SET",)), "environment variable NOT_SET"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told(table: Table, words: str) -> None:
    with pytest.raises(ToolLoadError, match=words):
        McpServer("crm", table, {})
