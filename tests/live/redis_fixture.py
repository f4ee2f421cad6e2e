"""A real Redis for tests: on a Unix socket, in a folder of its own, killed and started at will."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.live.server import find_server


def require_redis_server() -> Path:
    """The server's binary. Skips the test where there is none; under CI that is a failure."""
    binary = find_server()
    if binary is None:
        why = "needs redis-server or valkey-server on the PATH (Debian: redis-server)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return binary


class RedisProcess:
    """`url` stays the same over restarts; so does what was written."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Returns when it has read its file and answers."""
        # Without syncs no write is ever kept back by a slow disk: what it acknowledged, the kernel
        # has, so a kill loses nothing and tests need no luck.
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "no",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([str(self._binary), *words], stdout=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 20
        while self.say("PING") != "+PONG\r\n":
            assert self._process.poll() is None, "redis-server ended as soon as it was started"
            assert time.monotonic() < deadline_s, "redis-server did not answer within 20 s"
            time.sleep(0.005)

    def kill(self) -> None:
        """As `kill -9` does."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It takes connections and answers nothing until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def say(self, line: str) -> str:
        """What it replies to an inline command, if it comes in one piece; "" when it is away.

        Nothing is said that a client library would add.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self._socket))
                connection.sendall(line.encode() + b"\r\n")
                return connection.recv(65_536).decode()
            except OSError:
                return ""


@contextmanager
def running_redis() -> Iterator[RedisProcess]:
    """A fresh one, gone with its data at the end."""
    binary = require_redis_server()
    # Not pytest's folder: a socket's path has about 100 bytes of room.
    folder = Path(tempfile.mkdtemp(prefix="earshot-test-"))
    redis = RedisProcess(binary, folder)
    try:
        redis.start()
        yield redis
    finally:
        redis.thaw()
        redis.kill()
        shutil.rmtree(folder)
