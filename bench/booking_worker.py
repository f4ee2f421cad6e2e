"""One worker of `bench.booking`: a call's heart, its tools and its state in Redis, as a worker runs
them, without the media around. It stops dead at a step, to be killed there.

A worker is a process of its own, forked from one that has loaded everything.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from app.agents.tools_tables import HttpParameter
from app.agents.tools_tables import HttpTool as HttpTable
from app.bridge.errands import Errands, Runners
from app.bridge.keeper import Keeper, unpacked
from app.bridge.once import OnceTools, UnderWay
from app.bridge.ports import ToolOutcome
from app.call.call import Call
from app.call.commands import Command, EndCall, SendToolOutput, TakeLeg
from app.call.endings import EndReason
from app.call.events import (
    CallerAudioBegan,
    Effect,
    Event,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    StreamStarted,
    ToolCall,
)
from app.call.phases import CallSettings
from app.live import Live, open_live
from app.live.tool_runs import Begun, ToolRuns
from app.tools.outside import Outside
from app.tools.tool import Manner
from app.tools.toolbox import Toolbox

Step: TypeAlias = Literal[
    "asked for, nothing kept",
    "before it is begun",
    "begun, nothing sent",
    "request sent",
    "booked, answer on the way",
    "answer received",
    "result kept",
    "model being told",
    "model told, all kept",
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
HOLDS: Final[dict[Step, str]] = {"request sent": "before", "booked, answer on the way": "after"}
"""Where the booking service is what the worker is stopped by."""
SAVED_S: Final = 2.0
LIMIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Job:
    """What one worker does. `stop_at` None: it ends by itself and tells what the model was told."""

    run: str
    redis_url: str
    service_url: str
    folder: Path
    stop_at: Step | None
    idempotent: bool
    resumes: bool


class Stops:
    """Where this worker is to die."""

    def __init__(self, at: Step | None, report: Callable[[str], None]) -> None:
        self._at = at
        self._report = report

    def here(self, step: Step) -> None:
        if step == self._at:
            self._report("stopped")
            time.sleep(600)  # the whole process: nothing of it goes on


@dataclass(frozen=True, slots=True)
class StoppingRuns:
    """`app.live.tool_runs.ToolRuns`, with stops around what it does."""

    runs: ToolRuns
    stops: Stops

    async def begin(self, call_id: str, tool_call_id: str) -> Begun:
        self.stops.here("before it is begun")
        begun = await self.runs.begin(call_id, tool_call_id)
        self.stops.here("begun, nothing sent")
        return begun

    async def finish(
        self,
        call_id: str,
        tool_call_id: str,
        output: str,
        ok: bool,
        effect: Effect | None = None,
        proof: str = "",
    ) -> None:
        self.stops.here("answer received")
        await self.runs.finish(call_id, tool_call_id, output, ok, effect, proof)
        self.stops.here("result kept")


class Worker:
    """Drives one call's heart as the bridge does."""

    def __init__(self, job: Job, live: Live, toolbox: Toolbox, stops: Stops) -> None:
        self._job, self._live, self._stops = job, live, stops
        self._call = Call(CallSettings())
        self._keeper = Keeper(live.calls, self._flush)
        runs = StoppingRuns(live.tool_runs, stops)
        tools = OnceTools(toolbox, job.run, runs, UnderWay(), self._saved)
        self._tasks: set[asyncio.Future[None]] = set()
        self._errands = Errands(Runners(tools), self.step, self._spawn)
        self._began_s = time.monotonic()
        self.told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """What the model was told of the booking."""

    async def _saved(self) -> None:
        self._stops.here("asked for, nothing kept")
        await self._flush()

    async def _flush(self) -> None:
        await self._live.outbox.flushed(SAVED_S)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def step(self, event: Event, audio: bytes | None = None) -> None:
        now_ms = int((time.monotonic() - self._began_s) * 1000)
        commands = self._call.handle(event, now_ms)
        for command in commands:
            self._do(command)
        self._keeper.step(self._call, event, commands, now_ms)

    def _do(self, command: Command) -> None:
        if isinstance(command, SendToolOutput):
            self._stops.here("model being told")
            self._tell(command.output)
        elif isinstance(command, TakeLeg):
            for entry in command.entries:
                if entry.kind == "tool" and entry.output is not None:
                    self._tell(entry.output)
        else:
            self._errands.run(command)

    def _tell(self, output: str) -> None:
        if not self.told.done():
            self.told.set_result(output)

    async def begin(self) -> None:
        job = self._job
        state = await self._live.calls.load(job.run) if job.resumes else None
        left = None if state is None else unpacked(state)
        self.step(StreamStarted(job.run, f"stream-{os.getpid()}", resumed=left))
        self.step(CallerAudioBegan(0))
        self.step(ModelReady("session", "model"))
        if left is None:
            self._asked_for()

    def _asked_for(self) -> None:
        """The model wants the table booked: the caller has asked for it, maybe once more."""
        arguments = {"run": self._job.run}
        if not self._job.resumes:
            arguments["hold"] = HOLDS.get(self._job.stop_at or STEPS[-1], "")
        call_id = f"call_{self._job.run}_{self._job.resumes}"
        tool = ToolCall(call_id, "item", "book", json.dumps(arguments))
        self.step(ResponseCreated("r1"))
        self.step(ResponseFinished("r1", "completed", tool_calls=(tool,)))

    async def end(self) -> None:
        await self._flush()
        self._stops.here("model told, all kept")
        await self._keeper.before_close(self._call, EndCall(EndReason.CALLER_HUNG_UP))


def toolbox_for(job: Job, outside: Outside) -> Toolbox:
    parameters = {"run": HttpParameter(), "hold": HttpParameter(required=False)}
    table = HttpTable(
        name="book",
        description="Book a table.",
        url=f"{job.service_url}/bookings",
        parameters=parameters,
        idempotent=job.idempotent,
        result=("/said",),
        timeout_s=LIMIT_S,
        retries=5,
    )
    return Toolbox([outside.http_tool(table, {})])


async def work(job: Job, report: Callable[[str], None]) -> None:
    outside = Outside()
    async with open_live(job.redis_url, job.folder, f"worker-{os.getpid()}") as live:
        worker = Worker(job, live, toolbox_for(job, outside), Stops(job.stop_at, report))
        async with asyncio.timeout(2 * LIMIT_S):
            await worker.begin()
            told = await worker.told
        await worker.end()
        report(told)


def fork(job: Job) -> tuple[int, int]:
    """Start a worker; its process id and where it reports, one line."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    status = 1
    try:
        os.close(reads)
        asyncio.run(work(job, lambda line: _write(writes, line)))
        status = 0
    finally:
        os._exit(status)


def _write(to: int, line: str) -> None:
    os.write(to, line.encode() + b"\n")


def loaded() -> tuple[Collection[Any], type[ToolOutcome], type[Manner]]:
    """Whatever a worker needs is loaded before the first one is forked."""
    Outside().client()
    return (), ToolOutcome, Manner
