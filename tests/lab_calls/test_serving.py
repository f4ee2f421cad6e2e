"""A deploy is not heard: `serve` that is told to stop lets calls end, then moves them; workers that
are replaced or killed leave no caller alone."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.bridge.call_record import call_folder
from app.demo.stage import CALLED, CALLER
from app.lab.phone.report import CallReport, LineEvent
from app.lab.phone.script import HangUp, Script, Wait, WaitForBot
from app.lab.realtime.server import LabRealtime
from tests.lab_calls.cast import Recorded, until
from tests.lab_calls.raw_carrier import form, post, stranger_sid
from tests.lab_calls.test_serve import LISTEN, Served, lab_model, serving
from tests.live.redis_fixture import require_redis_server

pytestmark = pytest.mark.lab_call

DRAINING = (503, "no room for another call: draining")
TALKS_ON = Script((WaitForBot.finished(100, said_ms=600), Wait(1_000), HangUp()), limit_ms=12_000)


def endless(limit_ms: int) -> Script:
    """A caller who stays until `limit_ms`."""
    return Script(limit_ms=limit_ms)


async def call(served: Served, script: Script) -> "asyncio.Task[CallReport]":
    """A call in progress: the bot has begun to speak."""
    heard = asyncio.Event()

    def on_event(event: LineEvent) -> None:
        if event.kind == "bot_started":
            heard.set()

    line = served.line_with(on_event)
    calling = asyncio.create_task(line.call(script, from_=CALLER, to=CALLED))
    await asyncio.wait_for(heard.wait(), 15)
    return calling


@pytest.fixture
def redis_server() -> None:
    """Workers share a Redis that the supervisor starts."""
    require_redis_server()


def worker_pids(served: Served) -> list[int]:
    return [int(pid) for pid in re.findall(r"answering calls +pid=(\d+)", served.written)]


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def unharmed(report: CallReport) -> bool:
    """Whatever became of its streams, the call was not ended by the bot."""
    verbs = {verb.name for verb in report.verbs}
    return verbs == {"Connect"} and not report.errors and report.ended_by in ("caller", "limit")


async def test_a_call_ends_by_itself_while_a_stopped_server_takes_no_new_one() -> None:
    async with lab_model() as model, serving(model, EARSHOT_DRAIN_S="10") as served:
        calling = await call(served, TALKS_ON)
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: "draining" in served.written)
        assert await served.get("/readyz") == DRAINING
        assert (await served.get("/healthz"))[0] == 200
        refused = await post(f"{served.url}/twilio/voice", form(stranger_sid()))
        assert refused.verbs == ["Say", "Hangup"]
        report = await calling
        exit_code, written = await served.end()
        assert report.as_scripted
        assert len(report.streams) == 1
    assert exit_code == 0
    assert "Traceback" not in written


async def test_a_call_that_is_left_is_sent_away_and_waits_for_the_server_to_be_back() -> None:
    async with lab_model() as model, serving(model, EARSHOT_DRAIN_S="0.3") as served:
        calling = await call(served, endless(12_000))
        exit_code, written = await served.stop()
        report = await calling
        folder = call_folder(served.folder / "earshot-data", report.identity.call_sid)
        recorded = Recorded(report, folder, model.sessions[0])
        assert recorded.end_reason == "drained"
        assert recorded.verbs[:3] == ["Connect", "Pause", "Redirect"]
    assert exit_code == 0
    assert "Traceback" not in written


async def test_a_second_signal_does_not_wait_for_calls() -> None:
    async with lab_model() as model, serving(model, EARSHOT_DRAIN_S="3600") as served:
        calling = await call(served, endless(12_000))
        served.process.send_signal(signal.SIGINT)
        await until(lambda: "draining" in served.written)
        served.process.send_signal(signal.SIGINT)
        assert (await served.end())[0] == 0
        assert (await calling).verbs[1].name == "Pause"


async def test_a_single_process_that_is_asked_to_restart_reloads_and_goes_on() -> None:
    async with lab_model() as model, serving(model) as served:
        calling = await call(served, endless(6_000))
        served.process.send_signal(signal.SIGHUP)
        await until(lambda: "asked to reload: agents, routes, prices" in served.written)
        report = await calling
        assert unharmed(report) and len(report.streams) == 1
        exit_code, written = await served.stop()
    assert exit_code == 0
    assert "Traceback" not in written


@pytest.mark.usefixtures("redis_server")
async def test_a_rolling_restart_ends_no_call_and_leaves_new_workers() -> None:
    async with (
        lab_model() as model,
        serving(model, "--workers", "2", EARSHOT_DRAIN_S="0.3") as served,
    ):
        await until(lambda: len(worker_pids(served)) == 2)
        old = worker_pids(served)
        calling = await call(served, endless(15_000))
        served.process.send_signal(signal.SIGHUP)
        await until(lambda: "rolling restart done" in served.written, 60)
        assert not [pid for pid in old if alive(pid)]
        assert await served.get("/readyz") == (200, "ready")
        report = await calling
        assert unharmed(report)
        assert len(report.streams) >= 2
        exit_code, written = await served.stop()
    assert exit_code == 0
    assert "Traceback" not in written


@pytest.mark.usefixtures("redis_server")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems end processes in other ways")
async def test_a_killed_worker_is_replaced_and_its_calls_go_on_with_others() -> None:
    async with (
        lab_model() as model,
        serving(
            model, "--workers", "2", EARSHOT_DRAIN_S="0.3", EARSHOT_MAX_LAG_MS="5000"
        ) as served,
    ):
        await until(lambda: len(worker_pids(served)) == 2)
        workers = worker_pids(served)
        calls = [await call(served, endless(8_000)) for _ in range(4)]
        busy = {pid: sessions_of(pid, model) for pid in workers}
        other, victim = sorted(workers, key=lambda pid: busy[pid])
        assert busy[other] + busy[victim] == 4
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len(worker_pids(served)) == 3, 30)
        reports = await asyncio.gather(*calls)
        ends = [(report.verbs, report.errors, report.ended_by) for report in reports]
        assert [unharmed(report) for report in reports] == [True] * 4, ends
        streams = sorted(len(report.streams) for report in reports)
        assert streams == [1] * busy[other] + [2] * busy[victim], "only the dead worker's moved"
        assert alive(other)
        assert (await served.line.call(LISTEN, from_=CALLER, to=CALLED)).as_scripted
        assert (await served.stop())[0] == 0
        assert not [pid for pid in worker_pids(served) if alive(pid)]


@pytest.mark.usefixtures("redis_server")
async def test_workers_do_not_outlive_their_supervisor() -> None:
    async with (
        lab_model() as model,
        serving(model, "--workers", "2", EARSHOT_DRAIN_S="0.3") as served,
    ):
        await until(lambda: len(worker_pids(served)) == 2)
        served.process.kill()
        await served.end()
        await until(lambda: not any(map(alive, worker_pids(served))), 15)


def sessions_of(pid: int, model: LabRealtime) -> int:
    """How many of the model's sessions a process holds: one for each call that it carries."""
    links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
    held = {link.removeprefix("socket:[").rstrip("]") for link in links if "socket:" in link}
    to_model = f":{urlsplit(model.base_url).port:04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[2].endswith(to_model) and row[9] in held for row in rows)
