"""Status callbacks of conferences: start, end, join, leave, mute, hold, modify, announcement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal, Protocol, TypeAlias

from app.lab.phone.call import LiveCall
from app.lab.phone.notices import Notices
from app.lab.phone.webhook import Method

EVENTS: Mapping[str, str] = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "announcement-end": "announcement",
}
"""StatusCallbackEvent, and the word by which it is subscribed to."""
WORDS: frozenset[str] = frozenset({*EVENTS.values(), "speaker"})

LeaveReason: TypeAlias = Literal[
    "participant_hung_up", "participant_removed", "participant_unreachable", "conference_ended"
]


@dataclass(frozen=True, slots=True)
class ConferenceCallback:
    url: str
    method: Method = "POST"
    events: frozenset[str] = frozenset({"start", "end"})
    """Words of `WORDS`."""


class How(Protocol):
    """What of a participant's ways the callbacks tell."""

    @property
    def label(self) -> str: ...

    @property
    def starts(self) -> bool: ...

    @property
    def ends(self) -> bool: ...


class ConferenceTeller:
    """Of one conference. Whoever came first with a callback URL decides where its events go."""

    def __init__(self, account_sid: str, sid: str, name: str, notices: Notices) -> None:
        self._about = {"ConferenceSid": sid, "FriendlyName": name, "AccountSid": account_sid}
        self._sid = sid
        self._notices = notices
        self._callback: ConferenceCallback | None = None
        self._sequence = 0

    def adopt(self, callback: ConferenceCallback | None) -> None:
        self._callback = self._callback or callback

    def started(self, call_sid: str) -> None:
        self._send("conference-start", {"CallSid": call_sid})

    def ended(self, reason: str, by: str) -> None:
        ending = {"CallSidEndingConference": by} if by else {}
        self._send("conference-end", {"ReasonConferenceEnded": reason, **ending})

    def left(
        self,
        call: LiveCall,
        how: How,
        reason: LeaveReason,
        status: str,
        *,
        muted: bool = False,
        hold: bool = False,
    ) -> None:
        more = {"ReasonParticipantLeft": reason, "ParticipantCallStatus": status}
        self.of(call, how, "participant-leave", muted=muted, hold=hold, more=more)

    def of(
        self,
        call: LiveCall,
        how: How,
        event: str,
        *,
        muted: bool = False,
        hold: bool = False,
        ends: bool | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Something about one participant."""
        ends = how.ends if ends is None else ends
        label = {"ParticipantLabel": how.label} if how.label else {}
        parameters = {
            "CallSid": call.identity.call_sid,
            "Muted": str(muted).lower(),
            "Hold": str(hold).lower(),
            "Coaching": "false",
            "StartConferenceOnEnter": str(how.starts).lower(),
            "EndConferenceOnExit": str(ends).lower(),
        }
        self._send(event, parameters | label | dict(more or {}))

    def _send(self, event: str, parameters: Mapping[str, str]) -> None:
        callback = self._callback
        if callback is None or EVENTS[event] not in callback.events:
            return
        common = {
            **self._about,
            "StatusCallbackEvent": event,
            "SequenceNumber": str(self._sequence + 1),
            "Timestamp": format_datetime(datetime.now(UTC)),
        }
        self._sequence += 1
        self._notices.send(
            self._sid, "conference_status", callback.url, common | dict(parameters), callback.method
        )
