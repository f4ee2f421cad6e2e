"""How many calls one core holds: more and more of them on one bridge, until it breaks its word.

A step holds when the 99th percentile of the latency stays within 20 ms both ways and no phone ran
dry and nothing was lost. A step that does not hold is tried again, three times in calm moments:
while neighbours on the machine delay the load generator itself, a failure does not count.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.load_contenders import CALM_LATE_MS, Contender, Staged, staged
from bench.load_figures import Faults, Window, percentile

P99_LIMIT_S = 0.020
TRIES = 3
FIRST_CALLS = 40
"""Enough to tell what a call costs."""
STEP_SHARE = 0.05
"""Of the calls at which the core would be full."""
BEGIN_SHARE = 0.6
WINDOW_S = 5.0
"""One cycle of answers, so that every call speaks once."""
SETTLE_S = 1.5
BUDGET_S = 200.0

Watch = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The most calls at which a bridge on one core held."""

    contender: str
    calls: int
    """0: not even the first step held."""
    cpu_share: float
    """Of the core, at that number."""
    failed_at: int
    """The number of calls that did not hold; 0 when the time was up before."""
    why: str
    load_cpu_share: float
    """The load generator's, of the other core, at the last step."""


async def capacity(contender: Contender, watch: Watch, budget_s: float = BUDGET_S) -> Capacity:
    """Search upward; downward first if the beginning is too high. Raises like `staged`."""
    deadline_s = time.monotonic() + budget_s
    best: Window | None = None
    failed_at, why = 0, "the time was up"
    async with staged(contender) as stage:
        window = await _window(stage, FIRST_CALLS)
        full = 1_000 / window.cpu_ms_per_call_s
        calls, step = max(FIRST_CALLS, int(full * BEGIN_SHARE)), max(2, int(full * STEP_SHARE))
        while time.monotonic() < deadline_s and calls >= FIRST_CALLS:
            watch(f"{contender.name}: {calls} calls")
            window, broken = await _try(stage, calls, deadline_s)
            if broken:
                failed_at, why = calls, broken
            else:
                best = window
            if best and failed_at:
                break
            calls += -2 * step if broken else step
    share = best.cpu_share if best else 0.0
    n_calls = best.calls if best else 0
    return Capacity(contender.name, n_calls, share, failed_at, why, window.load_cpu_share)


async def _try(stage: Staged, calls: int, deadline_s: float) -> tuple[Window, str]:
    """A window that holds, or the last of those that did not."""
    failures = 0
    while True:
        await stage.load.grow_to(calls, stage.url)
        stage.load.shrink_to(calls)
        before = stage.load.faults
        window = await _window(stage, calls)
        why = broken_word(window, before)
        failures += window.load_late_ms <= CALM_LATE_MS
        if not why or failures == TRIES or time.monotonic() > deadline_s:
            return window, why


async def _window(stage: Staged, calls: int) -> Window:
    await stage.load.grow_to(calls, stage.url)
    await asyncio.sleep(SETTLE_S)
    return await stage.load.measure(WINDOW_S, stage.bridge)


def broken_word(window: Window, before: Faults) -> str:
    """Why this window does not count as held; "" if it does. `before`: faults of earlier ones."""
    to_model_s = percentile(window.to_model_s, 0.99)
    to_phone_s = percentile(window.to_phone_s, 0.99)
    if window.faults != before:
        return "bytes or calls were lost"
    if window.underruns:
        return f"{window.underruns} underruns"
    if to_model_s > P99_LIMIT_S:
        return f"p99 to the model {to_model_s * 1000:.0f} ms"
    if to_phone_s > P99_LIMIT_S:
        return f"p99 to the phone {to_phone_s * 1000:.0f} ms"
    return ""
