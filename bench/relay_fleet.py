"""A whole installation for `bench.relay`: `earshot serve`, Redis, the model and telephones.

The workers, Redis and the model are processes of their own; the telephones are in this one. Only
processes started here are ever signalled.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.demo.stage import CALLED, CALLER, LAB_ACCOUNT, LAB_KEY, LAB_TOKEN, free_port
from app.lab.phone.line import PhoneLine
from app.lab.phone.report import CallReport
from app.lab.phone.verbs import Pace
from app.live.server import find_server
from app.server import settle
from bench.relay_agent import ToolRun, read_runs, write_agent
from bench.relay_model import Known, plans_for, read_known
from bench.relay_talk import Plan, Voice

WORKERS: Final = 3
START_S: Final = 60.0
DIAL_EVERY_S: Final = 0.06
QUIET_MS: Final = 1_200


class FleetError(RuntimeError):
    """Something of the installation did not come up; the message says what and why."""


class Redis:
    """A real server on a Unix socket, with an append-only file; killed and started at will."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Returns at once. Raises FleetError where there is no server to start."""
        binary = find_server()
        if binary is None:
            raise FleetError("expected redis-server or valkey-server on the PATH, found none")
        self._folder.mkdir(exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [str(binary), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass(slots=True)
class FleetCall:
    """One call as the telephone saw it; its sessions are known when the model has gone."""

    plan: Plan
    voice: Voice
    report: CallReport


@dataclass(slots=True)
class Fleet:
    """While the calls run: what an event may do to it."""

    redis: Redis
    supervisor: subprocess.Popen[bytes]
    folder: Path
    line: PhoneLine
    sids: dict[int, str] = field(default_factory=dict)
    """By call its CallSid, once it is known."""
    notes: list[str] = field(default_factory=list)

    def workers(self) -> list[int]:
        """Process ids of the workers that live now."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _is_worker(entry, self.supervisor.pid)
        ]

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class FleetRun:
    calls: list[FleetCall]
    known: Known
    runs: list[ToolRun]
    event_s: float
    """When the event began, `time.monotonic`."""
    event_end_s: float
    log: str
    notes: list[str]


Happening = Callable[[Fleet, Mapping[int, Voice]], Awaitable[None]]


async def hold(
    calls: int,
    utterances: int,
    seed: int,
    after_s: float,
    happening: Happening,
    env: Mapping[str, str] | None = None,
) -> FleetRun:
    """So many calls at once; `after_s` after the last one was dialled `happening` begins.

    Raises FleetError when the installation does not come up.
    """
    plans = plans_for(seed, calls, utterances)
    with tempfile.TemporaryDirectory(prefix="earshot-fleet-") as name:
        folder = Path(name)
        async with _installed(folder, seed, calls, utterances, env or {}) as (fleet, handed_over):
            scripts = {n: plan.script(quiet_ms=QUIET_MS) for n, plan in plans.items()}
            settle()
            ringing = []
            for number, (script, _) in scripts.items():
                call = fleet.line.call(
                    script, from_=CALLER, to=CALLED, parameters={"BenchCall": str(number)}
                )
                ringing.append(asyncio.ensure_future(call))
                await asyncio.sleep(DIAL_EVERY_S)
            await asyncio.sleep(after_s)
            event_s = time.monotonic()
            await happening(fleet, {n: voice for n, (_, voice) in scripts.items()})
            event_end_s = time.monotonic()
            reports = await asyncio.gather(*ringing)
            await asyncio.sleep(1.0)  # the records of the last calls
            known = await handed_over()
            held = [FleetCall(plans[n], scripts[n][1], report) for n, report in enumerate(reports)]
            runs, log, notes = read_runs(folder), fleet.log(), fleet.notes
        return FleetRun(held, known, runs, event_s, event_end_s, log, notes)


@asynccontextmanager
async def _installed(
    folder: Path, seed: int, calls: int, utterances: int, env: Mapping[str, str]
) -> AsyncIterator[tuple[Fleet, Callable[[], Awaitable[Known]]]]:
    redis, port, model_port = Redis(folder / "redis"), free_port(), free_port()
    handed = folder / "known.pickle"
    words = [str(n) for n in (seed, calls, utterances, model_port)]
    redis.start()
    model = _started(folder / "model.log", ["-m", "bench.relay_model", *words, str(handed)], {})
    supervisor = _started(
        folder / "serve.log",
        ["-m", "app", "serve", "--workers", str(WORKERS), "--port", str(port)],
        {**_settings(folder, redis.url, port, model_port), **env},
    )
    line = PhoneLine(
        f"http://127.0.0.1:{port}/twilio/voice",
        account_sid=LAB_ACCOUNT,
        auth_token=LAB_TOKEN,
        status_url=f"http://127.0.0.1:{port}/twilio/status",
        pace=Pace(say_ms_per_char=5, pause_factor=0.1),
    )
    fleet = Fleet(redis, supervisor, folder, line)

    async def handed_over() -> Known:
        assert model.stdin is not None
        model.stdin.close()
        await asyncio.to_thread(model.wait, START_S)
        return read_known(handed)

    try:
        await _until_ready(fleet)
        yield fleet, handed_over
    finally:
        await asyncio.to_thread(_end, supervisor)
        if model.poll() is None:
            model.kill()
            model.wait()
        redis.kill()


def _started(log: Path, words: list[str], env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, *words],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
        )


def _settings(folder: Path, redis_url: str, port: int, model_port: int) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": LAB_KEY,
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model_port}/v1",
        "TWILIO_ACCOUNT_SID": LAB_ACCOUNT,
        "TWILIO_AUTH_TOKEN": LAB_TOKEN,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "REDIS_URL": redis_url,
        "EARSHOT_AGENT": str(write_agent(folder)),
        "EARSHOT_DATA_DIR": str(folder / "data"),
        "EARSHOT_DRAIN_S": "1",
        "EARSHOT_MAX_LAG_MS": "2000",
        "EARSHOT_LOG_LEVEL": "info",
    }


async def _until_ready(fleet: Fleet) -> None:
    end_s = time.monotonic() + START_S
    while "workers ready" not in fleet.log():
        if fleet.supervisor.poll() is not None or time.monotonic() > end_s:
            raise FleetError(f"the workers did not come up:\n{fleet.log()[-2_000:]}")
        await asyncio.sleep(0.1)


def _end(supervisor: "subprocess.Popen[bytes]") -> None:
    """Politely, then not."""
    for number, wait_s in ((signal.SIGTERM, 20.0), (signal.SIGTERM, 8.0), (signal.SIGTERM, 4.0)):
        if supervisor.poll() is not None:
            return
        supervisor.send_signal(number)
        try:
            supervisor.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
    supervisor.kill()
    supervisor.wait()


def _is_worker(entry: Path, supervisor: int) -> bool:
    try:
        parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        return parent == supervisor and b"--inherited" in (entry / "cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return False  # it ended while we looked
