"""Calls that we had the PBX place, when they come to us: proved to be ours, and their news told to
the ledger of campaigns: somebody answered, it is over, and how.

The news may come twice and late, and some may be lost: whoever keeps the ledger puts them in order,
and asks the PBX for a call of which it hears nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

from app.carriers.asterisk.dialled_page import Ended
from app.carriers.asterisk.identity import Identity
from app.carriers.asterisk.placed import PlacedSeals
from app.carriers.line import RefusedLineError
from app.carriers.twilio.attempts import AttemptProgress
from app.carriers.twilio.progress import CallProgress, CallState, ProgressLog
from app.dial_book import DialBook
from app.front_door import FrontDoor
from app.records.database import DatabaseAwayError

logger = logging.getLogger(__name__)

LIMIT_S: Final = 2.0
"""The dialplan waits no longer for the ledger."""
STREAM_S: Final = 1.0
"""... nor, before that, for a stream to end."""
LOOK_S: Final = 0.01
NOT_PLACED_BY_US: Final = "not_placed_by_us"
_BEGAN: Final = 3
_OVER: Final = 4
"""Places in the order of a call's news."""


class PlacedCalls:
    """One per process. `dials` None: there are no campaigns."""

    def __init__(self, front: FrontDoor, dials: DialBook | None) -> None:
        self._front = front
        self._dials = dials
        self._seals = PlacedSeals(front.settings.pbx_keys)
        self._log = ProgressLog()
        self._telling: set[asyncio.Task[None]] = set()

    def prove(self, who: Identity) -> Identity:
        """See `app.carriers.asterisk.door.Prove`. What the sealed order says counts, whatever the
        other variables say."""
        if not who.placed:
            return who
        call = self._seals.open(who.order, who.call_id)
        if call is None:
            raise RefusedLineError(NOT_PLACED_BY_US)
        # Of a call that comes again nobody knows any more when it was answered.
        facts = call.facts(None if who.again else _now_ms())
        return replace(who, facts=facts, agent=who.agent or call.agent)

    def began(self, who: Identity) -> None:
        """Somebody answered, and an agent talks with them."""
        progress = CallProgress(who.call_id, CallState.IN_PROGRESS, _BEGAN)
        if not who.again and self._log.note(progress) is not None:
            self._beside(self._told(who.facts.attempt_id, progress), "a call began")

    async def turned_away(self, attempt_id: str) -> None:
        """Somebody answered, and there is no place for them: they hear nothing. `attempt_id`: of a
        campaign, "" of none."""
        if self._dials is not None and attempt_id:
            await self._dials.unserved(attempt_id)

    async def ended(self, ended: Ended) -> bool:
        """See `app.carriers.asterisk.dialled_page.Hear`."""
        await self._stream_over(ended.call_id)
        progress = CallProgress(
            ended.call_id,
            CallState(ended.fate),
            _OVER,
            duration_s=ended.duration_s,
            sip_code=ended.sip_code,
        )
        if self._log.note(progress) is None:
            return await self._kept(ended.attempt_id, progress)
        return await self._told(ended.attempt_id, progress)

    async def _told(self, attempt_id: str, progress: CallProgress) -> bool:
        """News that nobody here has heard yet. False: they could not be written down."""
        await self._front.progressed(progress)
        return await self._kept(attempt_id, progress)

    async def _stream_over(self, call_id: str) -> None:
        """The dialplan tells of a hang-up when it has closed the socket, which may be seen later
        here. How the conversation went is to stand in the ledger before its end does."""
        board = self._front.switchboard
        for call in board.calls:
            if call.call_id == call_id:
                call.carrier_closed("hangup")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STREAM_S):
                while board.is_connected(call_id):  # noqa: ASYNC110 - somebody else's state
                    await asyncio.sleep(LOOK_S)

    async def _kept(self, attempt_id: str, progress: CallProgress) -> bool:
        """False: it could not be written down."""
        if self._dials is None or not attempt_id:
            return True
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._dials.news.progressed(AttemptProgress(attempt_id, progress, _now_ms()))
        except (TimeoutError, DatabaseAwayError) as error:
            fields = {"call": progress.call_sid, "error": type(error).__name__}
            logger.error("news of a call are not in the ledger", extra={"fields": fields})
            return False
        return True

    def _beside(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """The call does not wait for the ledger."""

        async def run() -> None:
            try:
                await work
            except Exception:
                logger.exception("news of a call are lost inside the bot")

        task = asyncio.create_task(run(), name=name)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
