"""`earshot campaign work` as a process of its own: it says what it lacks, and ends when it is told
to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.demo.stage import LAB_ACCOUNT, LAB_TOKEN
from tests.live.redis_fixture import running_redis

ROOT = Path(__file__).parents[2]
CODE = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
LIMIT_S = 90


@contextmanager
def worker(folder: Path, **settings: str) -> "Iterator[subprocess.Popen[str]]":
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": CODE,
        "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
        "TWILIO_AUTH_TOKEN": LAB_TOKEN,
        "PUBLIC_URL": "https://bot.example.com",
        "EARSHOT_DATA_DIR": str(folder),
        **settings,
    }
    words = [sys.executable, "-m", "app", "campaign", "work"]
    with subprocess.Popen(words, env=env, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_until_it_is_told_to_end(tmp_path: Path, number: signal.Signals) -> None:
    with running_redis() as redis, worker(tmp_path, REDIS_URL=redis.url) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Dialling as ")
        process.send_signal(number)
        _, told = process.communicate(timeout=LIMIT_S)
        assert (process.returncode, "Traceback" in told) == (0, False)


def test_where_there_is_no_redis_it_dials_nobody(tmp_path: Path) -> None:
    with worker(tmp_path, PATH=str(tmp_path)) as process:
        _, told = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
    assert "Set REDIS_URL." in told
    assert "Traceback" not in told


def test_over_a_pbx_it_needs_no_twilio_and_says_what_it_lacks(tmp_path: Path) -> None:
    none = {"TWILIO_ACCOUNT_SID": "", "TWILIO_AUTH_TOKEN": "", "PUBLIC_URL": ""}
    ari = {
        "EARSHOT_ARI_URL": "http://127.0.0.1:9",
        "EARSHOT_ARI_USER": "bot",
        "EARSHOT_ARI_PASSWORD": "a-password-of-16",
    }
    with worker(tmp_path, **none, **ari) as process:
        _, told = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
    assert "EARSHOT_PBX_USER: expected " in told and "TWILIO" not in told
    door = {"EARSHOT_PBX_USER": "pbx", "EARSHOT_PBX_PASSWORD": "another-of-16-xx"}
    with (
        running_redis() as redis,
        worker(tmp_path, REDIS_URL=redis.url, **none, **ari, **door) as process,
    ):
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Dialling as ")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0
