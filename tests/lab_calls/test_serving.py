"""A deploy is not heard: `serve` that is told to stop lets calls end, then moves them; workers that
are replaced or killed leave no caller alone."""

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.bridge.call_record import call_folder
from app.demo.stage import CALLED, CALLER
from app.lab.phone.report import CallReport, LineEvent
from app.lab.phone.script import HangUp, Script, WaitForBot, WaitUntil
from app.lab.realtime.server import LabRealtime
from tests.lab_calls.cast import Recorded, until
from tests.lab_calls.raw_carrier import form, post, stranger_sid
from tests.lab_calls.test_serve import LIMIT_S, LISTEN, Served, lab_model, serving
from tests.lab_calls.together import at_once
from tests.live.redis_fixture import require_redis_server

pytestmark = pytest.mark.lab_call

DRAINING = (503, "no room for another call: draining")
LATE = {
    "EARSHOT_MAX_LAG_MS": "5000",
    "EARSHOT_AGENT": str(Path(__file__).with_name("patient.toml")),
}
"""Processes that start at once on one core run late, and take calls all the same; a caller who says
nothing until a new worker has come is not asked whether they are still there."""
MOVES = {"EARSHOT_DRAIN_S": "0.3", **LATE}
TWO = ("--workers", "2")
"""They share a Redis that the supervisor starts."""
AT_ONCE = 3


@dataclass
class Calling:
    """A call in progress; the caller has heard the bot out and stays until `over`."""

    over: bool = False
    streams: int = 0
    """So many were opened until now."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    verbs: list[str] = field(default_factory=list)
    """What the call was told until now."""
    task: "asyncio.Task[CallReport] | None" = None

    @classmethod
    async def begin(cls, served: Served) -> "Calling":
        """Returns when the bot has begun to speak."""
        calling = cls()
        heard = WaitForBot.finished(100, said_ms=600)
        stays = Script((heard, WaitUntil(lambda: calling.over, 100_000), HangUp()))
        line = served.line_with(calling._on_event)
        calling.task = asyncio.create_task(line.call(stays, from_=CALLER, to=CALLED))
        await asyncio.wait_for(calling.heard.wait(), LIMIT_S)
        return calling

    async def end(self) -> CallReport:
        """The caller hangs up, unless the call has ended already."""
        self.over = True
        assert self.task is not None
        return await self.task

    def _on_event(self, event: LineEvent) -> None:
        self.streams += event.kind == "stream_started"
        if event.kind == "verb":
            self.verbs.append(event.text)
        if event.kind == "bot_started":
            self.heard.set()


def worker_pids(served: Served) -> list[int]:
    return [int(pid) for pid in re.findall(r"answering calls +pid=(\d+)", served.written)]


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def unharmed(report: CallReport) -> bool:
    """Whatever became of its streams, the call was not ended by the bot. A worker that is killed
    may owe the carrier the answer to a callback."""
    verbs = {verb.name for verb in report.verbs}
    errors = [error for error in report.errors if "callback: no answer" not in error.detail]
    return verbs == {"Connect"} and not errors and report.ended_by == "caller"


@at_once
async def test_a_rolling_restart_ends_no_call_and_leaves_new_workers() -> None:
    require_redis_server()
    async with lab_model() as model, serving(model, *TWO, **MOVES) as served:
        await until(lambda: len(worker_pids(served)) == 2)
        old = worker_pids(served)
        calling = await Calling.begin(served)
        served.process.send_signal(signal.SIGHUP)
        await until(lambda: "rolling restart done" in served.written, LIMIT_S)
        await until(lambda: calling.streams >= 2)
        assert not [pid for pid in old if alive(pid)]
        assert await served.get("/readyz") == (200, "ready")
        report = await calling.end()
        assert unharmed(report)
        assert len(report.streams) >= 2
        exit_code, written = await served.stop()
    assert exit_code == 0
    assert "Traceback" not in written


@at_once
async def test_a_killed_worker_is_replaced_and_its_calls_go_on_with_others() -> None:
    if sys.platform != "linux":
        pytest.skip("other systems end processes in other ways")
    require_redis_server()
    async with lab_model() as model, serving(model, *TWO, **MOVES) as served:
        await until(lambda: len(worker_pids(served)) == 2)
        workers = worker_pids(served)
        calls = [await Calling.begin(served) for _ in range(4)]
        busy = {pid: sessions_of(pid, model) for pid in workers}
        other, victim = sorted(workers, key=lambda pid: busy[pid])
        assert busy[other] + busy[victim] == 4
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len(worker_pids(served)) == 3)
        await until(lambda: sum(call.streams for call in calls) >= 4 + busy[victim])
        await until(lambda: len(model.sessions) >= 4 + busy[victim])
        reports = [await call.end() for call in calls]
        ends = [(report.verbs, report.errors, report.ended_by) for report in reports]
        assert [unharmed(report) for report in reports] == [True] * 4, ends
        streams = sorted(len(report.streams) for report in reports)
        assert streams == [1] * busy[other] + [2] * busy[victim], "only the dead worker's moved"
        assert alive(other)
        assert (await served.line.call(LISTEN, from_=CALLER, to=CALLED)).as_scripted
        assert (await served.stop())[0] == 0
        assert not [pid for pid in worker_pids(served) if alive(pid)]


@at_once
async def test_a_call_ends_by_itself_while_a_stopped_server_takes_no_new_one() -> None:
    async with lab_model() as model, serving(model, EARSHOT_DRAIN_S="600", **LATE) as served:
        calling = await Calling.begin(served)
        served.process.send_signal(signal.SIGTERM)
        await until(lambda: "draining" in served.written)
        assert await served.get("/readyz") == DRAINING
        assert (await served.get("/healthz"))[0] == 200
        refused = await post(f"{served.url}/twilio/voice", form(stranger_sid()))
        assert refused.verbs == ["Say", "Hangup"]
        report = await calling.end()
        exit_code, written = await served.end()
        assert report.as_scripted
        assert len(report.streams) == 1
    assert exit_code == 0
    assert "Traceback" not in written


@at_once
async def test_a_call_that_is_left_is_sent_away_and_waits_for_the_server_to_be_back() -> None:
    async with lab_model() as model, serving(model, **MOVES) as served:
        calling = await Calling.begin(served)
        exit_code, written = await served.stop()
        await until(lambda: len(calling.verbs) >= 3)
        report = await calling.end()
        folder = call_folder(served.folder / "earshot-data", report.identity.call_sid)
        recorded = Recorded(report, folder, model.sessions[0])
        assert recorded.end_reason == "drained"
        assert recorded.verbs[:3] == ["Connect", "Pause", "Redirect"]
    assert exit_code == 0
    assert "Traceback" not in written


@at_once
async def test_a_second_signal_does_not_wait_for_calls() -> None:
    async with lab_model() as model, serving(model, EARSHOT_DRAIN_S="3600", **LATE) as served:
        calling = await Calling.begin(served)
        served.process.send_signal(signal.SIGINT)
        await until(lambda: "draining" in served.written)
        served.process.send_signal(signal.SIGINT)
        assert (await served.end())[0] == 0
        await until(lambda: len(calling.verbs) >= 2)
        assert (await calling.end()).verbs[1].name == "Pause"


@at_once
async def test_a_single_process_that_is_asked_to_restart_reloads_and_goes_on() -> None:
    async with lab_model() as model, serving(model, **LATE) as served:
        calling = await Calling.begin(served)
        served.process.send_signal(signal.SIGHUP)
        await until(lambda: "asked to reload: agents, routes, prices" in served.written)
        report = await calling.end()
        assert unharmed(report)
        assert len(report.streams) == 1
        exit_code, written = await served.stop()
    assert exit_code == 0
    assert "Traceback" not in written


@at_once
async def test_workers_do_not_outlive_their_supervisor() -> None:
    require_redis_server()
    async with lab_model() as model, serving(model, *TWO, **MOVES) as served:
        await until(lambda: len(worker_pids(served)) == 2)
        served.process.kill()
        await served.end()
        await until(lambda: not any(map(alive, worker_pids(served))))


def sessions_of(pid: int, model: LabRealtime) -> int:
    """How many of the model's sessions a process holds: one for each call that it carries."""
    links = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
    held = {link.removeprefix("socket:[").rstrip("]") for link in links if "socket:" in link}
    to_model = f":{urlsplit(model.base_url).port:04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(row[2].endswith(to_model) and row[9] in held for row in rows)
