"""What is done when a call is over: its end is told, its record written, what it was about told."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app.after.about import About, Over
from app.after.conversation import Conversation
from app.after.extraction import Extracted, Extractor
from app.after.ports import TableOf, Tell, Watched
from app.after.record import WriteAfter, write_after
from app.agents.after_table import AfterCall
from app.outgoing.events import CallEnded, CallStarted, CallSummarised, OutgoingEvent

logger = logging.getLogger(__name__)

MOST_TRIES: Final = 3
"""So many workers may die over one call's record before no model is asked about it any more."""


class Epilogue:
    """`tell` None: there are no webhooks. `data_dir` None: no file is written. `model`: the text
    model of agents that name none. `now_s`: any monotonic clock."""

    def __init__(
        self,
        *,
        table_of: TableOf,
        extractor: Extractor,
        model: str,
        tell: Tell | None = None,
        data_dir: Path | None = None,
        watched: Watched = lambda extracted, seconds: None,
        write: WriteAfter = write_after,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.table_of = table_of
        self._extractor = extractor
        self._model = model
        self._tell = tell
        self._data_dir = data_dir
        self._watched = watched
        self._write_after = write
        self._now_s = now_s

    async def began(self, call_id: str, about: About) -> bool:
        return await self._told(
            CallStarted(
                call_id=call_id,
                agent=about.agent,
                direction=about.direction,
                caller=about.caller,
                called=about.called,
            )
        )

    async def ended(
        self, call_id: str, about: About, over: Over, said: Conversation, tries: int
    ) -> bool:
        """False: the disk took no webhook; nothing is lost yet."""
        ended = CallEnded(
            call_id=call_id,
            agent=about.agent,
            direction=about.direction,
            caller=about.caller,
            called=about.called,
            reason=over.reason,
            duration_s=over.duration_s,
        )
        if not await self._told(ended):
            return False
        table = self.table_of(about.agent)
        if table is None or not table.writes:
            return True
        extracted = await self._extracted(table, said, tries)
        await self._record(call_id, about, over, extracted)
        result = extracted.as_json()
        if "transcript" in table.include:
            result["transcript"] = said.lines()
        if "timeline" in table.include:
            result["timeline"] = said.timeline
        return await self._told(
            CallSummarised(
                call_id=call_id,
                agent=about.agent,
                direction=about.direction,
                caller=about.caller,
                called=about.called,
                result=result,
            )
        )

    async def _extracted(self, table: AfterCall, said: Conversation, tries: int) -> Extracted:
        began_s = self._now_s()
        if tries > MOST_TRIES:
            extracted = self._extractor.given_up(table, "workers died of it")
        else:
            extracted = await self._extractor.extract(table, table.model or self._model, said)
        self._watched(extracted, self._now_s() - began_s)
        if extracted.status == "failed":
            fields = {"call": said.call_id, "cause": extracted.cause, "asked": extracted.asked}
            logger.warning("no record of what a call was about", extra={"fields": fields})
        return extracted

    async def _record(self, call_id: str, about: About, over: Over, extracted: Extracted) -> None:
        if self._data_dir is None:
            return
        record = {
            "call_id": call_id,
            "agent": about.agent,
            "direction": about.direction,
            "reason": over.reason,
            "duration_s": over.duration_s,
            **extracted.as_record(),
        }
        try:
            await self._write_after(self._data_dir, call_id, record)
        except OSError as error:
            fields = {"call": call_id, "error": error.strerror or type(error).__name__}
            logger.error("what a call was about could not be kept", extra={"fields": fields})

    async def _told(self, event: OutgoingEvent) -> bool:
        return True if self._tell is None else await self._tell(event)
