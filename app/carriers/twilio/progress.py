"""The life of a call as Twilio's status callbacks tell it, put right where they come out of order.

Source: Twilio docs, status callbacks. Callbacks carry a SequenceNumber from 0, may overtake each
other and may come twice; terminal states arrive under the event "completed". `StreamStatus` is the
same for a media stream: it is the only place where a handshake that failed shows on our side.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final


class CallState(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        return _RANKS[self] == _ENDED


_ENDED = 4
_RANKS = {
    CallState.QUEUED: 0,
    CallState.INITIATED: 1,
    CallState.RINGING: 2,
    CallState.IN_PROGRESS: 3,
    CallState.COMPLETED: _ENDED,
    CallState.BUSY: _ENDED,
    CallState.FAILED: _ENDED,
    CallState.NO_ANSWER: _ENDED,
    CallState.CANCELED: _ENDED,
}
ENDED_STATES: Final = frozenset(state.value for state in CallState if state.ended)
"""As Twilio writes them."""


@dataclass(frozen=True, slots=True)
class CallProgress:
    """One step in a call's life."""

    call_sid: str
    state: CallState
    sequence: int
    """Twilio's order of the steps, from 0; the state's usual place where Twilio gave none."""
    late: bool = False
    """True when a later step was reported before this one."""
    at: str = ""
    """Twilio's time of the step (RFC 2822), if given."""
    duration_s: int | None = None
    """Length of the call, when it has ended."""
    sip_code: int | None = None
    """How the far end answered, such as 486 for busy, when the call has ended."""

    @property
    def at_ms(self) -> int | None:
        """`at` as Unix ms, to the second; None for what is no such time."""
        try:
            at = parsedate_to_datetime(self.at)
        except (ValueError, OverflowError):
            return None
        return int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """What became of a media stream: stream-started, stream-stopped or stream-error."""

    call_sid: str
    stream_sid: str
    event: str
    error: str = ""


class StatusError(ValueError):
    """The vendor's fault: a status callback that cannot be read. Names the field, not its value."""


def read_progress(call_sid: str, fields: Mapping[str, str]) -> CallProgress:
    """Raises `StatusError` for a missing or unknown CallStatus or for numbers that are none."""
    try:
        state = CallState(fields.get("CallStatus", ""))
    except ValueError as error:
        raise StatusError("expected a known CallStatus") from error
    sequence = _number(fields, "SequenceNumber")
    return CallProgress(
        call_sid,
        state,
        _RANKS[state] if sequence is None else sequence,
        at=fields.get("Timestamp", ""),
        duration_s=_number(fields, "CallDuration"),
        sip_code=_number(fields, "SipResponseCode"),
    )


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise StatusError(f"expected {name} to be a number")
    return int(text)


class ProgressLog:
    """Which steps of which calls were reported, so that each is passed on once.

    `most`: calls remembered; those without news for longest are forgotten first.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._seen: OrderedDict[str, set[int]] = OrderedDict()

    def note(self, progress: CallProgress) -> CallProgress | None:
        """The step, marked late if it is; None when it was reported before."""
        seen = self._seen.setdefault(progress.call_sid, set())
        self._seen.move_to_end(progress.call_sid)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        if progress.sequence in seen:
            return None
        late = any(other > progress.sequence for other in seen)
        seen.add(progress.sequence)
        return replace(progress, late=late)
