"""Whole calls for `bench.booking`: workers of `earshot serve` die while their callers' tools run at
a real HTTP service."""

import asyncio
import http.client
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from app.demo.stage import free_port
from bench.booking_server import decoded
from bench.processes import PinnedProcess, two_cores
from bench.relay_figures import Target, at_least, none_of
from bench.relay_fleet import Fleet, hold
from bench.relay_fleet_calls import judge_all, problems_in, unanswered
from bench.relay_talk import Voice

CALLS: Final = 60
CALLS_QUICK: Final = 12
UTTERANCES: Final = 5
SEED: Final = 505
KILLS: Final = 3
BETWEEN_S: Final = 4.0
AFTER_S: Final = 8.0
_AGENT: Final = """\
voice = "marin"
language = "en"
greeting = "Hello, this is the bench."
instructions = "You take messages on the phone."
filler = ""

[barge_in]
by = "model"

[silence]
ask_after_s = 0

[[http_tools]]
name = "look_up"
description = "Look something up for the caller."
url = "URL/look_up"
idempotent = true
retries = 5
[http_tools.parameters.token]
[http_tools.parameters.takes_ms]
type = "integer"
"""
# Its callers are no voices, and its brain knows no question for a silent one.


async def whole_calls(*, quick: bool, console: Console) -> tuple[Target, ...]:
    calls = CALLS_QUICK if quick else CALLS
    with tempfile.TemporaryDirectory(prefix="earshot-booking-calls-") as name:
        folder, port = Path(name), free_port()
        agent = folder / "bench.toml"
        agent.write_text(_AGENT.replace("URL", f"http://127.0.0.1:{port}"), encoding="utf-8")
        argv = [sys.executable, "-m", "bench.booking_server", str(port), str(folder)]
        log = folder / "service.log"
        with PinnedProcess(argv, {}, core=two_cores()[1], port=port, log=log):
            env = {"EARSHOT_AGENT": str(agent)}
            run = await hold(calls, UTTERANCES, SEED, AFTER_S, _kill_each, env)
            booked = await asyncio.to_thread(_runs, port)
    outcomes = judge_all(run)
    struck = [o for o in outcomes if o.streams > 1]
    twice = [token for token, said in booked.items() if len(said) > 1]
    for problem in [*problems_in(outcomes)[:10], *twice[:10], *run.notes]:
        console.print(problem)
    return (
        at_least("whole calls whose worker was killed", calls // 2, len(struck)),
        none_of("  calls lost", len(run.calls) - sum(o.went_on for o in outcomes)),
        none_of(f"  tools run twice, of {len(booked)}", len(twice)),
        none_of("  utterances not answered", sum(len(unanswered(o)) for o in outcomes)),
    )


async def _kill_each(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
    """One worker after the other, the oldest first; the supervisor starts others."""
    for _ in range(KILLS):
        os.kill(min(fleet.workers()), signal.SIGKILL)
        await asyncio.sleep(BETWEEN_S)


def _runs(port: int) -> dict[str, list[str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/runs")
        return decoded(connection.getresponse().read())
    finally:
        connection.close()
