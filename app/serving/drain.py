"""How a worker leaves: no new calls, the running ones end by themselves, the rest is moved.

    SIGTERM -> draining -> (no calls left, or drain_s is over, or told again) -> moving -> gone

In the last seconds of `drain_s` each call looks for a quiet moment in which to move; when the time
is over, or when told again, the rest is moved as it stands. Moving ends the streams, not the calls:
Twilio asks what comes next, and another worker goes on.
"""

import asyncio
import logging
from collections.abc import Callable

from app.bridge.switchboard import ASKED_WITHIN_S, Switchboard
from app.observe.log import event

logger = logging.getLogger(__name__)

QUIET_S = 8.0
"""How long before the end calls look for a quiet moment, half of `drain_s` at most."""
MOVE_S = 2.0
"""Longest wait for streams to end once their calls are moved."""
OWED_S = 2.0
"""Longest wait for what is still owed to calls that are over here."""
LOOK_S = 0.02


async def drain(
    switchboard: Switchboard,
    drain_s: float,
    told_again: asyncio.Event,
    answers: Callable[[], bool],
) -> None:
    """Return when no call is left here, after at most `drain_s` + 5 s.

    `told_again` ends the wait for the calls' own end. `answers`: whether streams and questions
    about the calls still reach this worker, so that it must wait for those too.
    """
    switchboard.draining = True
    event(logger, logging.INFO, "draining", calls=len(switchboard), drain_s=drain_s)

    def done() -> bool:
        return not len(switchboard) and not (answers() and switchboard.offered)

    quiet_s = min(QUIET_S, drain_s / 2)
    await _until(lambda: done() or told_again.is_set(), drain_s - quiet_s)
    if len(switchboard):
        event(logger, logging.INFO, "moving the calls that are left", calls=len(switchboard))
    switchboard.move_calls()
    await _until(lambda: done() or told_again.is_set(), quiet_s)
    switchboard.move_calls()
    await _until(lambda: not len(switchboard), MOVE_S)
    if len(switchboard):
        event(logger, logging.WARNING, "streams cut off", calls=len(switchboard))
    await _until(lambda: not (answers() and switchboard.unasked), ASKED_WITHIN_S)
    await _until(lambda: not switchboard.owing, OWED_S)


async def _until(happened: Callable[[], bool], limit_s: float) -> None:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limit_s
    while not happened() and loop.time() < end_s:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(LOOK_S)
