"""Redis killed and started again under calls: nobody notices, and what it must hold is there.

The sessions are changed every few seconds, so that there are summaries to keep. Redis is killed
with `kill -9`, stays away, and comes back with its append-only file; what the calls wrote meanwhile
must be there soon after. Then it is killed once more and read at once: that is the file alone.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from app.bridge.keeper import unpacked
from app.call.events import Snapshot
from app.live import names
from bench.relay_figures import SPREAD, Findings, at_least, none_of, spread, table
from bench.relay_fleet import Fleet, Redis, hold
from bench.relay_fleet_calls import (
    FleetOutcome,
    extra_breaks,
    judge_all,
    lags_of,
    problems_in,
    unanswered,
)
from bench.relay_talk import Voice

CALLS: Final = 60
CALLS_QUICK: Final = 12
AWAY_S: Final = 4.0
FLUSHED_S: Final = 4.0
"""After its return; the workers look for it now and then."""
KNOWN_S: Final = 2.5
"""Words of the caller that ended so long ago are understood and written down."""
SESSION_MINUTES: Final = "0.12"


@dataclass(slots=True)
class Reading:
    """What stood in Redis at one time."""

    at_s: float
    states: dict[str, Snapshot | None] = field(default_factory=dict)
    """By CallSid."""


@dataclass(slots=True)
class Readings:
    back: Reading = field(default_factory=lambda: Reading(0.0))
    """Some seconds after the outage."""
    last: Reading = field(default_factory=lambda: Reading(0.0))
    """Just before the second kill."""
    file: Reading = field(default_factory=lambda: Reading(0.0))
    """Right after the restart from the file."""


async def run(*, quick: bool) -> Findings:
    """Two kills under calls."""
    calls = CALLS_QUICK if quick else CALLS
    found = Readings()

    async def happening(fleet: Fleet, _voices: Mapping[int, Voice]) -> None:
        await _kill_and_read(fleet, found)

    env = {"EARSHOT_SESSION_MINUTES": SESSION_MINUTES}
    ran = await hold(calls, 5 if quick else 6, 304, 7.0 if quick else 10.0, happening, env)
    outcomes = judge_all(ran)
    after, before = extra_breaks(outcomes, ran.event_s, ran.event_end_s)
    stale = [text for outcome in outcomes for text in missing_in(outcome, found.back, KNOWN_S)]
    kept = summaries_lost(found.last, found.file)
    summaries = sum(bool(s and s.summary) for s in found.last.states.values())
    tokens = [tool.token for tool in ran.runs]
    targets = (
        at_least("calls at once", calls, len(outcomes)),
        none_of("calls lost, or not talked to their end", sum(not o.went_on for o in outcomes)),
        none_of("calls that changed their stream", sum(o.streams > 1 for o in outcomes)),
        none_of("caller frames lost", sum(len(o.lost) for o in outcomes)),
        none_of("gaps more than before", max(0, after - before)),
        none_of(
            "utterances not answered",
            sum(len(unanswered(o)) for o in outcomes),
        ),
        none_of(f"tools run twice, of {len(set(tokens))}", len(tokens) - len(set(tokens))),
        none_of(f"calls whose state was not complete {FLUSHED_S:.0f} s after", len(stale)),
        at_least("summaries when it was killed again", calls // 2, summaries),
        none_of("  of them not in the append-only file", len(kept)),
    )
    worst, middle = lags_of(ran)
    waits = [ms for o in outcomes if (ms := o.next_word_ms(ran.event_s)) is not None]
    return Findings(
        "5. Redis killed and restarted",
        targets,
        (table("Waits", ("", *SPREAD), [spread("from kill -9 to the next word", waits)]),),
        (
            f"gaps: {after} after the kill, {before} in as long a time before",
            *ran.notes,
            *stale,
            *problems_in(outcomes),
        ),
        worst,
        middle,
    )


async def _kill_and_read(fleet: Fleet, found: Readings) -> None:
    fleet.redis.kill()
    await asyncio.sleep(AWAY_S)
    fleet.redis.start()
    await asyncio.sleep(FLUSHED_S)
    found.back = await read(fleet.redis)
    await asyncio.sleep(2.0)
    found.last = await read(fleet.redis)
    fleet.redis.kill()
    fleet.redis.start()
    found.file = await read(fleet.redis)


async def read(server: Redis) -> Reading:
    """The states of all calls, as soon as the server answers."""
    client = redis.asyncio.Redis.from_url(server.url)
    try:
        for _ in range(200):
            try:
                await client.ping()
                break
            except (RedisConnectionError, RedisError, OSError):
                await asyncio.sleep(0.02)
        reading = Reading(time.monotonic())
        head, tail = names.state("\n").split("\n")
        async for key in client.scan_iter(match=f"{head}*{tail}", count=500):
            call_id = key.decode().removeprefix(head).removesuffix(tail)
            value = await client.get(key)
            reading.states[call_id] = unpacked(value) if isinstance(value, bytes) else None
        return reading
    finally:
        await client.aclose()


def missing_in(outcome: FleetOutcome, reading: Reading, known_s: float) -> list[str]:
    """What the state of a call lacks: it is not there, or not the newest."""
    call, sid = outcome.call, outcome.call.report.identity.call_sid
    state = reading.states.get(sid)
    if state is None:
        return [f"call {call.plan.call}: no state"]
    text = state.summary + "".join(entry.text + (entry.output or "") for entry in state.entries)
    return [
        f"call {call.plan.call}: {call.plan.token(said.utterance)} is not in its state"
        for said in call.voice.spoken
        if said.ended_s < reading.at_s - known_s
        and call.plan.utterances[said.utterance].fact not in text
    ]


def summaries_lost(before: Reading, after: Reading) -> list[str]:
    """Calls whose summary is not there any more. A newer one counts: it holds the older's facts."""
    lost: list[str] = []
    for call_id, state in before.states.items():
        if state is None or not state.summary:
            continue
        now = after.states.get(call_id)
        if now is None or not now.summary:
            lost.append(call_id)
    return lost
