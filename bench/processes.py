"""A bridge under test as a process of its own: started on one core, watched from outside.

Figures come from /proc (Linux): the kernel counts them for all threads, whatever the process does.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
READY_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
_LOG_TAIL_CHARS = 2_000


class ProcessError(RuntimeError):
    """The process under test did not come up; the message ends with what it wrote."""


class Measured(Protocol):
    """Something whose use of the machine can be read at any time."""

    def cpu_s(self) -> float:
        """CPU seconds so far, user and system, all threads."""
        ...

    def rss_bytes(self) -> int:
        """Resident memory."""
        ...


def two_cores() -> tuple[int, int]:
    """The core for what is measured and the one for the load; the same one if there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


@contextmanager
def pinned_to(core: int) -> Iterator[None]:
    """Keep this process, and whatever it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class PinnedProcess:
    """`with PinnedProcess(argv, env, core, port, log) as process:` runs until the block ends."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], *, core: int, port: int, log: Path
    ) -> None:
        """`port`: where it listens once it is ready. `log`: takes what it writes."""
        self._argv = list(argv)
        self._env = {**os.environ, **env}
        self._core = core
        self._port = port
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PinnedProcess":
        with pinned_to(self._core), self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv, env=self._env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        try:
            self._await_port()
        except ProcessError:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def cpu_s(self) -> float:
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def rss_bytes(self) -> int:
        return int(self._proc("statm").split()[1]) * _PAGE_BYTES

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _proc(self, name: str) -> str:
        assert self._process is not None, "enter the context first"
        return Path(f"/proc/{self._process.pid}/{name}").read_text()

    def _await_port(self) -> None:
        deadline_s = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline_s:
            if not self.alive:
                raise ProcessError(f"{self._argv} ended at its start: {self.log_tail()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.05)
        raise ProcessError(f"{self._argv} did not listen in {READY_LIMIT_S:g} s: {self.log_tail()}")

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-_LOG_TAIL_CHARS:]

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
