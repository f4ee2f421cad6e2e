"""Who sees every step of a call: its recording, its event log, its evidence and the observers.

What they are shown of a key is what the heart lets be seen. When the call is over, its record is
written: the rest of the log, the recording, the timeline.
"""

import logging
from collections.abc import Sequence

from app.bridge.call_record import write_timeline
from app.bridge.evidence import Evidence
from app.bridge.journal import Journal
from app.bridge.ports import Observer
from app.bridge.recording import Recording
from app.call.call import Call
from app.call.commands import Command
from app.call.events import Event, KeyPressed, MarkEchoed, StreamStarted

logger = logging.getLogger(__name__)


class Witnesses:
    """One per call."""

    def __init__(
        self,
        call: Call,
        started: StreamStarted,
        *,
        journal: Journal | None,
        recording: Recording | None,
        observers: Sequence[Observer],
        evidence: Evidence | None = None,
    ) -> None:
        self._call = call
        self._started = started
        self._journal = journal
        self._recording = recording
        self._observers = observers
        self._evidence = evidence

    def saw(self, event: Event, commands: list[Command], now_ms: int) -> None:
        """Right after the step was carried out."""
        keypad = self._call.keypad
        if isinstance(event, KeyPressed):
            event = KeyPressed(keypad.shown)
        if self._recording is not None and isinstance(event, MarkEchoed):
            self._recording.marked()
        if self._journal is not None:
            self._journal.hide_keys(keypad.take_to_hide())
            self._journal.add(now_ms, event, commands, held=keypad.undecided)
        if self._evidence is not None:
            self._evidence.saw(self._call, event, commands, now_ms)
        for observer in self._observers:
            observer.step(self._call, event, commands, now_ms)

    async def close(self) -> None:
        """The call is over. Raises nothing: the log says what could not be written."""
        if self._recording is not None:
            await self._recording.close()
        if self._evidence is not None:
            await self._evidence.close(self._call)
        if self._journal is None:
            return
        try:
            await self._journal.close()
            recording = None if self._recording is None else self._recording.as_json()
            evidence = None if self._evidence is None else self._evidence.as_json()
            beside = {"recording": recording, "evidence": evidence}
            await write_timeline(self._journal, self._call, self._identity, beside)
        except OSError as error:
            said = error.strerror or type(error).__name__
            fields = {"call": self._started.call_id, "error": said}
            logger.error("the call's record could not be written", extra={"fields": fields})

    @property
    def _identity(self) -> dict[str, str]:
        started = self._started
        return {
            "call_id": started.call_id,
            "stream_id": started.stream_id,
            "direction": started.direction,
            "agent": started.agent,
            "agent_version": started.agent_version,
            "attempt_id": started.attempt_id,
        }
