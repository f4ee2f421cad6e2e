"""What the operator's systems are told of calls outside the model: who was put through to whom, and
that a spoken message was left."""

from collections.abc import Mapping

from app.gate import Who
from app.onward.ways import Way
from app.outgoing.events import CallTransferred, VoicemailLeft
from app.outgoing.outgoing import Outgoing


class Telling:
    """One for a worker. `outgoing`: None: nobody wants to know."""

    def __init__(self, outgoing: Outgoing | None = None) -> None:
        self._outgoing = outgoing

    def put_through(self, who: Who, way: Way, outcome: str, number: int) -> None:
        """What came of a transfer, which was this step of the call's journey."""
        if self._outgoing is None:
            return
        self._outgoing.emit(
            CallTransferred(
                call_id=who.call_sid,
                agent=who.agent,
                direction=who.direction,
                caller=who.caller,
                called=who.own,
                occurrence=f"{way.key}-{number}",
                target=way.key,
                kind=way.how,
                outcome=outcome,
            )
        )

    def message_left(self, who: Who, fields: Mapping[str, str]) -> None:
        """`fields`: as the carrier tells of a recording."""
        if self._outgoing is None:
            return
        seconds = fields.get("RecordingDuration", "")
        self._outgoing.emit(
            VoicemailLeft(
                call_id=who.call_sid,
                agent=who.agent,
                direction=who.direction,
                caller=who.caller,
                called=who.own,
                occurrence=fields.get("RecordingSid", ""),
                recording_url=fields.get("RecordingUrl", ""),
                duration_s=int(seconds) if seconds.isdecimal() else None,
            )
        )
