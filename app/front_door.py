"""What a worker answers when the carrier asks about a call: is there a place, is it open, how did
its stream end? And what it does with what the carrier tells of the call's life."""

from dataclasses import dataclass
from typing import Final

from app.after.intake import AfterCalls
from app.bridge.switchboard import NoRoom, Switchboard
from app.call.endings import EndReason
from app.carrier_log import log_progress
from app.carriers.twilio.door import Admission, Ending, OfferedCall
from app.carriers.twilio.progress import CallProgress
from app.carriers.twilio.stream_ended import after_stream
from app.closed import is_open, now, when_closed
from app.files import Files
from app.live import Live
from app.observe.metrics import Metrics
from app.observe.metrics_families import Refusal
from app.onward.happenings import Happening
from app.settings import Settings

WHEN_FULL: Final[dict[str, Admission]] = {
    "apologise": "full",
    "busy": "busy",
    "queue": "queue",
    "redirect": "redirect",
}
"""Settings.when_full -> how a call is answered for which there is no room."""
REFUSALS: Final[dict[NoRoom, Refusal]] = {
    "": "full",  # the other workers' seats are taken
    "draining": "draining",
    "calls": "full",
    "lag": "lagging",
}
"""Why a call has no place here -> how the metrics count it."""


@dataclass(frozen=True, slots=True)
class Endings:
    """How calls' streams ended: here, or where another worker carried them."""

    switchboard: Switchboard
    live: Live | None

    async def of(self, call_id: str) -> Ending | None:
        """None when nobody knows."""
        end = self.switchboard.ending_of(call_id)
        if end is not None:
            return Ending(end.reason, end.detail)
        known = None if self.live is None else await self.live.calls.ending_of(call_id)
        if known is None or known[0] not in set(EndReason):
            return None
        return Ending(EndReason(known[0]), known[1])


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Its methods fit the callables of `TwilioDoor`."""

    settings: Settings
    files: Files
    switchboard: Switchboard
    endings: Endings
    metrics: Metrics
    after: AfterCalls

    async def admit(self, call: OfferedCall) -> Admission:
        """A place is kept for a call that is let in."""
        if not self.switchboard.offer(call.call_sid):
            self.metrics.refused(REFUSALS[self.switchboard.no_room])
            return WHEN_FULL[self.settings.when_full]
        self.after.offered(
            call.call_sid,
            agent=call.agent,
            direction=call.direction,
            caller=call.from_number,
            called=call.to_number,
        )
        return "open"

    async def closed(self, call: OfferedCall) -> Happening | None:
        """What becomes of a call outside its agent's hours; whom we call is not told so."""
        persona = self.files.personas.get(call.agent)
        if call.direction == "outbound" or is_open(persona.agent, now()):
            return None
        return when_closed(persona, call.facts)

    async def ending_of(self, call_id: str) -> Ending | None:
        """Asked when the call is to go on: one whose stream comes again goes before new calls."""
        ending = await self.endings.of(call_id)
        reason = None if ending is None else ending.reason
        if after_stream(reason) == "resume" and not self.alone_and_leaving():
            self.switchboard.keep_seat(call_id)
        return ending

    def alone_and_leaving(self) -> bool:
        return self.switchboard.alone_and_leaving

    async def progressed(self, progress: CallProgress) -> None:
        """A step in a call's life; one that is over needs no place."""
        log_progress(progress)
        if progress.state.ended:
            self.switchboard.withdraw(progress.call_sid)
            state, length_s = progress.state.value, progress.duration_s
            self.after.call_over(progress.call_sid, state=state, duration_s=length_s)
