"""The bridges that are compared: how each is started, and one run of load against one of them."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.demo.stage import free_port
from bench.load_figures import Faults, Window
from bench.load_generator import LoadGenerator
from bench.load_model import API_KEY
from bench.load_phone import ACCOUNT_SID, AUTH_TOKEN
from bench.processes import PinnedProcess, two_cores

SETTLE_S = 3.0
"""From the last call's first frame to the window: greetings are over then."""

CALM_LATE_MS = 20
"""A run in which 99.9 % of the load's own turns came no later than this was not disturbed."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A bridge. `module` and `arguments` follow `python -m`; it takes `--port`."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


AGENT = Path(__file__).with_name("bridge_agent.toml")
"""Leaves the floor to the model, as the bare bridge does."""

BARE = Contender("bare", "bench.bare_bridge")
PICOWS = Contender("picows", "bench.picows_bridge")
EARSHOT = Contender(
    "earshot",
    "app",
    ("serve", "--host", "127.0.0.1"),
    {
        "EARSHOT_AGENT": str(AGENT),
        "EARSHOT_MAX_CALLS": "1000",
        "EARSHOT_LOG_LEVEL": "warning",
    },
)


@dataclass(frozen=True, slots=True)
class Run:
    """One window of load on one bridge, and what its whole life showed."""

    contender: str
    window: Window
    faults: Faults
    idle_rss_bytes: int
    """After one call that came and went: what is made once counts for no call."""

    @property
    def rss_bytes_per_call(self) -> float:
        return (self.window.rss_bytes - self.idle_rss_bytes) / self.window.calls


@dataclass(frozen=True, slots=True)
class Staged:
    """A running bridge with the load that goes with it."""

    bridge: PinnedProcess
    load: LoadGenerator
    url: str
    idle_rss_bytes: int


@asynccontextmanager
async def staged(contender: Contender) -> AsyncIterator[Staged]:
    """Start the bridge on one core, this process's load on the other, and place a first call."""
    core, _ = two_cores()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [sys.executable, "-m", contender.module, *contender.arguments, "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        async with LoadGenerator() as load:
            env = {
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **contender.env,
                "OPENAI_API_KEY": API_KEY,
                "OPENAI_BASE_URL": load.model_url,
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "PUBLIC_URL": url,
                "EARSHOT_DATA_DIR": folder,
            }
            log = Path(folder) / "log"
            with PinnedProcess(argv, env, core=core, port=port, log=log) as bridge:
                await load.place_trial_call(url)
                yield Staged(bridge, load, url, bridge.rss_bytes())


async def calm_run(contender: Contender, calls: int, seconds: float) -> Run:
    """`run`, once more if neighbours on the machine disturbed it; the calmer of the two.

    Judged by the load generator's lateness alone, on its own core, so that it favours no bridge.
    """
    first = await run(contender, calls, seconds)
    if first.window.load_late_ms <= CALM_LATE_MS:
        return first
    second = await run(contender, calls, seconds)
    return min(first, second, key=lambda found: found.window.load_late_ms)


async def run(contender: Contender, calls: int, seconds: float, settle_s: float = SETTLE_S) -> Run:
    """One contender from its start to its end. Raises `ProcessError` if it does not start."""
    async with staged(contender) as stage:
        await stage.load.grow_to(calls, stage.url)
        await asyncio.sleep(settle_s)
        window = await stage.load.measure(seconds, stage.bridge)
        faults = await stage.load.finish()
    return Run(contender.name, window, faults, stage.idle_rss_bytes)
