"""Tells the log of what must not happen in a call and is no failure of its machinery."""

import logging

from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event, ResponseFinished
from app.call.notice_side import NOT_WORD_FOR_WORD
from app.observe import log

logger = logging.getLogger(__name__)


class Faults:
    """An `Observer` for all calls of a worker."""

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        if not isinstance(event, ResponseFinished):
            return
        notes = [note for note in call.timeline.notes[-4:] if note.at_ms == now_ms]
        if any(note.text == NOT_WORD_FOR_WORD for note in notes):
            log.event(
                logger, logging.WARNING, "a notice was not said word for word", call=call.call_id
            )
