"""Invariant: several worker processes answer as one, and a dead one has no call in progress."""

import os
import subprocess
import sys
from pathlib import Path

from tests.observe.metered import every_sample

ROOT = Path(__file__).parents[2]
WORKER = """
from app.call.events import CarrierClosed, RateLimits, StreamStarted
from app.observe.metrics import Metrics
from app.call.call import Call
import os, sys

metrics = Metrics()
metrics.watch_loop(lambda: 1, lambda: int(sys.argv[1]))
metrics.sample()
for number in range(3):
    call = Call()
    for event in (StreamStarted(f"call-{number}", "stream"), CarrierClosed("hangup"))[:number + 1]:
        metrics.step(call, event, call.handle(event, 5_000), 5_000)
print(os.getpid(), flush=True)
sys.stdin.read()
"""
SCRAPED = """
import sys
from app.observe.metrics import Metrics
text, content_type = Metrics().render()
assert content_type.startswith("text/plain"), content_type
sys.stdout.buffer.write(text)
"""
SUPERVISOR = """
import sys
from pathlib import Path
from app.observe.metrics_exposition import forget_worker, share_metrics
assert "prometheus_client" not in sys.modules
share_metrics(Path(sys.argv[1]))
"""
FORGET = """
import sys
from app.observe.metrics_exposition import forget_worker
forget_worker(int(sys.argv[1]))
"""


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "codecs")))
    return {**os.environ, "PYTHONPATH": path, "PROMETHEUS_MULTIPROC_DIR": str(folder)}


def run(code: str, folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(folder),
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def worker(folder: Path, worst_lag_ms: int) -> tuple[subprocess.Popen[bytes], str]:
    """A worker process that has carried three calls, one of them still in progress, and its id."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(worst_lag_ms)],
        env=environment(folder),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().decode().strip()


def test_workers_that_share_a_folder_answer_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    (tmp_path / "metrics").mkdir()
    (folder / "counter_1.db").write_bytes(b"of an earlier run")
    run(SUPERVISOR, folder, str(folder))
    assert list(folder.iterdir()) == []

    one, one_pid = worker(folder, 20)
    two, _ = worker(folder, 70)
    try:
        told = every_sample(run(SCRAPED, folder))
        assert told['earshot_calls_started_total{direction="inbound",entry="new"}'] == 6
        assert told['earshot_calls_ended_total{fault="nobody",reason="caller_hung_up"}'] == 4
        assert told["earshot_calls_in_progress"] == 2
        assert told["earshot_loop_lag_worst_seconds"] == 0.07
        assert told["earshot_loop_lag_seconds_count"] == 2

        one.kill()
        one.wait()
        run(FORGET, folder, one_pid)
        told = every_sample(run(SCRAPED, folder))
        assert told['earshot_calls_started_total{direction="inbound",entry="new"}'] == 6
        assert told["earshot_calls_in_progress"] == 1
    finally:
        for process in (one, two):
            process.kill()
            process.communicate()
