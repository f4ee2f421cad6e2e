"""`earshot block` says that a caller is blocked only if every worker sees it, and takes nothing
that is no caller's address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import earshot
from tests.live.redis_fixture import RedisProcess, require_redis_server

NUMBER = "+15550100001"


def block(*arguments: str) -> Result:
    return CliRunner().invoke(earshot, ["block", *arguments])


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisProcess]:
    folder = tmp_path / "redis"
    folder.mkdir()
    process = RedisProcess(require_redis_server(), folder)
    process.start()
    monkeypatch.setenv("REDIS_URL", process.url)
    yield process
    process.kill()


@pytest.mark.usefixtures("redis")
def test_who_is_blocked_is_listed_in_columns_until_taken_back() -> None:
    assert block("list").output == "nobody is blocked\n"
    assert block(NUMBER, "--hours", "0", "--reason", "swears").exit_code == 0
    assert block("sip:pest@example.com", "--hours", "0").exit_code == 0
    rows = sorted(block("list").output.splitlines())
    assert rows == [
        "sip:…  until it is removed  by operator",
        "…01    until it is removed  by operator  swears",
    ]
    assert "not blocked any more" in block("remove", NUMBER).output
    assert "was not blocked" in block("remove", NUMBER).output


def test_with_redis_away_nobody_is_said_to_be_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    for arguments in ((NUMBER,), ("remove", NUMBER), ("list",)):
        result = block(*arguments)
        assert result.exit_code == 1
        assert "Redis" in result.stderr
        assert "is blocked" not in result.output


@pytest.mark.parametrize("what", ["", "+1", "+1555abc", "15550100001", "lsit", "sip:", "anonymous"])
def test_what_is_no_address_is_refused_with_what_came(what: str) -> None:
    for arguments in ((what,), ("remove", what)):
        result = block(*arguments)
        assert result.exit_code == 1
        assert "Expected list, remove, a number like" in result.stderr
        assert f"got {what!r}" in result.stderr or "got nothing" in result.stderr


@pytest.mark.parametrize("what", [NUMBER, "list"])
def test_a_word_too_many_is_not_passed_over(what: str) -> None:
    result = block(what, "+15550100002")
    assert result.exit_code == 2
    assert "one word too many" in result.stderr
