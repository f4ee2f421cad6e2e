"""A process always gets something to write to, is told in one line what it got, and never starts
worse for a Redis that is away. A password is never shown."""

from pathlib import Path

import pytest

from app.live import connection as module
from app.live.connection import open_redis
from tests.live.redis_fixture import RedisProcess, require_redis_server


async def test_the_configured_redis_is_used(redis_process: RedisProcess, tmp_path: Path) -> None:
    async with open_redis(redis_process.url, tmp_path) as connection:
        assert (connection.where, connection.url) == ("configured", redis_process.url)
        assert "does not answer" not in connection.note
        assert await connection.client.ping()


async def test_a_configured_redis_that_is_away_is_no_reason_not_to_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "redis://someone:top-secret@127.0.0.1:1/0"
    async with open_redis(url, tmp_path) as connection:
        assert connection.where == "configured"
        assert "127.0.0.1:1 does not answer" in connection.note
        assert "calls go on" in connection.note
    assert "secret" not in connection.note + caplog.text
    assert "someone" not in connection.note + caplog.text


@pytest.mark.parametrize("url", ["http://:top-secret@redis", "redis", "redis://[broken"])
async def test_an_address_of_something_else_is_refused_without_showing_it(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="expected a redis://") as refused:
        async with open_redis(url, tmp_path):
            pass
    assert "secret" not in str(refused.value)


async def test_without_an_address_a_private_server_is_started(tmp_path: Path) -> None:
    require_redis_server()
    async with open_redis("", tmp_path) as connection:
        assert connection.where == "private"
        await connection.client.set("summary", "agreed")
    async with open_redis("", tmp_path) as connection:
        assert await connection.client.get("summary") == b"agreed"


async def test_with_no_server_at_all_the_note_says_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_server", lambda: None)
    async with open_redis("", tmp_path) as connection:
        assert (connection.where, connection.url) == ("here", "")
        assert "dies with it" in connection.note
        assert await connection.client.set("a", "b")


async def test_a_server_that_does_not_start_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_server", lambda: Path("/bin/false"))
    async with open_redis("", tmp_path) as connection:
        assert connection.where == "here"
        assert "false does not start" in connection.note


async def test_a_data_folder_that_cannot_be_used_is_done_without(tmp_path: Path) -> None:
    require_redis_server()
    (tmp_path / "redis").write_text("no folder")
    async with open_redis("", tmp_path) as connection:
        assert connection.where == "here"
