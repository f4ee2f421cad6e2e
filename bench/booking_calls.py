"""Whole calls for `bench.booking`: workers of `earshot serve` die while their callers' tools run at
a real HTTP service."""

import asyncio
import http.client
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from app.demo.stage import free_port
from bench.booking_server import decoded
from bench.processes import PinnedProcess, two_cores
from bench.relay_figures import Target, at_least, none_of
from bench.relay_fleet import Fleet, hold
from bench.relay_fleet_calls import FleetOutcome, judge_all, problems_in, unanswered
from bench.relay_talk import Voice

WAVES: Final = 5
WAVES_QUICK: Final = 1
CALLS: Final = 12
"""At once."""
UTTERANCES: Final = 5
SEED: Final = 505
KILLS: Final = 3
READY: Final = "answering calls"
"""What a worker logs when it listens."""
REPLACED_S: Final = 30.0
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


@dataclass
class Found:
    """Of all waves together."""

    calls: int = 0
    struck: int = 0
    lost: int = 0
    webhooks: int = 0
    """Calls that ended because a webhook died with its worker."""
    runs: int = 0
    twice: int = 0
    unanswered: int = 0


async def whole_calls(*, quick: bool, console: Console) -> tuple[Target, ...]:
    """In waves: more calls at once would show what the machine can carry."""
    found = Found()
    for wave in range(WAVES_QUICK if quick else WAVES):
        await _wave(wave, found, console)
    most = max(1, found.calls // 20)
    return (
        at_least("whole calls whose worker was killed", found.calls // 3, found.struck),
        none_of(f"  calls lost, of {found.calls}", found.lost),
        Target(
            "  calls whose webhook died with its worker",
            f"<= {most}",
            f"{found.webhooks}",
            found.webhooks <= most,
        ),
        none_of(f"  tools run twice, of {found.runs}", found.twice),
        none_of("  utterances not answered", found.unanswered),
    )


async def _wave(wave: int, found: Found, console: Console) -> None:
    with tempfile.TemporaryDirectory(prefix="earshot-booking-calls-") as name:
        folder, port = Path(name), free_port()
        agent = folder / "bench.toml"
        agent.write_text(_AGENT.replace("URL", f"http://127.0.0.1:{port}"), encoding="utf-8")
        argv = [sys.executable, "-m", "bench.booking_server", str(port), str(folder)]
        log = folder / "service.log"
        with PinnedProcess(argv, {}, core=two_cores()[1], port=port, log=log):
            env = {"EARSHOT_AGENT": str(agent)}
            run = await hold(CALLS, UTTERANCES, SEED + wave, AFTER_S, _kill_each, env)
            booked = await asyncio.to_thread(_runs, port)
    outcomes = judge_all(run)
    twice = [token for token, said in booked.items() if len(said) > 1]
    for problem in [*problems_in(outcomes)[:10], *twice[:10], *run.notes]:
        console.print(f"wave {wave + 1}: {problem}")
    found.calls += len(run.calls)
    found.struck += sum(o.streams > 1 for o in outcomes)
    ended_ill = [o for o in outcomes if not _ended_well(o)]
    found.webhooks += sum(_unanswered_webhook(o) for o in ended_ill)
    found.lost += sum(not _unanswered_webhook(o) for o in ended_ill)
    found.runs += len(booked)
    found.twice += len(twice)
    found.unanswered += sum(len(unanswered(o)) for o in outcomes)


def _ended_well(outcome: FleetOutcome) -> bool:
    """The caller said all and hung up."""
    report = outcome.call.report
    return report.ended_by == "caller" and not report.unfinished


def _unanswered_webhook(outcome: FleetOutcome) -> bool:
    """The worker was killed while it answered a webhook. The lab's carrier does not ask again; for
    Twilio a fallback address says where to."""
    return any("no answer" in str(error) for error in outcome.call.report.errors)


async def _kill_each(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
    """One worker after the other, the oldest first; the supervisor starts others."""
    for _ in range(KILLS):
        ready = fleet.log().count(READY)
        os.kill(min(fleet.workers()), signal.SIGKILL)
        await asyncio.sleep(BETWEEN_S)
        async with asyncio.timeout(REPLACED_S):
            while fleet.log().count(READY) <= ready:  # noqa: ASYNC110 - another process's log
                await asyncio.sleep(0.1)


def _runs(port: int) -> dict[str, list[str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/runs")
        return decoded(connection.getresponse().read())
    finally:
        connection.close()
