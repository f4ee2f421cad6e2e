"""What is measured is the process itself: its CPU, its memory, on the core that it was given."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.stage import free_port
from bench.processes import PinnedProcess, ProcessError, pinned_to, two_cores

BUSY = """
import socket, sys, time
ballast = bytearray(64 * 2**20)
until = time.process_time() + 0.3
while time.process_time() < until: pass
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs Linux: /proc and CPU affinity"
)


def test_cpu_and_memory_are_those_of_the_process(tmp_path: Path) -> None:
    port, core = free_port(), two_cores()[0]
    argv = [sys.executable, "-c", BUSY, str(port)]
    with PinnedProcess(argv, {}, core=core, port=port, log=tmp_path / "log") as process:
        assert process.alive
        assert process.cpu_s() >= 0.25
        assert process.rss_bytes() > 64 * 2**20
        pid = process._process.pid if process._process else 0
        assert os.sched_getaffinity(pid) == {core}
    assert not process.alive


def test_a_process_that_fails_at_its_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('no key was set')"]
    process = PinnedProcess(argv, {}, core=two_cores()[0], port=free_port(), log=tmp_path / "log")
    with pytest.raises(ProcessError, match="no key was set"):
        process.__enter__()


def test_pinning_ends_with_its_block() -> None:
    before = os.sched_getaffinity(0)
    core = two_cores()[1]
    with pinned_to(core):
        assert os.sched_getaffinity(0) == {core}
        ask = "import os; print(os.sched_getaffinity(0))"
        child = subprocess.check_output([sys.executable, "-c", ask], text=True)
        assert child.strip() == str({core})
    assert os.sched_getaffinity(0) == before
