"""Twilio's recordings of a call: begun, paused, resumed and ended by REST.

Wire facts: Twilio docs "Recordings Resource" and the `twilio` package 9.13
(`calls(sid).recordings`): `recording_channels` "dual" has the caller left and what Twilio plays
right; `pause_behavior` "silence" keeps the length of a pause.
"""

import re
from dataclasses import dataclass
from typing import Final

from app.carriers.twilio.errors import CallInputError, VendorError
from app.carriers.twilio.public_url import RECORDING_PATH
from app.carriers.twilio.rest import TwilioRest, answered, checked_sid

CURRENT: Final = "Twilio.CURRENT"
"""The recording that runs, where its sid is not known."""
_RECORDING_SID: Final = re.compile(r"(?:RE[0-9a-fA-F]{32}|Twilio\.CURRENT)\Z")
EVENTS: Final = ("in-progress", "completed", "absent")


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """A recording as Twilio sees it now."""

    recording_sid: str
    status: str


class RestRecordings:
    """All methods raise `errors.TwilioError`; see its subclasses for who can mend what."""

    def __init__(self, rest: TwilioRest) -> None:
        self._rest = rest

    async def start(self, call_sid: str) -> RecordingInfo:
        """Both sides, each a channel. Sent once: when the error says `outcome_unknown`, a second
        try may make a second recording."""
        creating = self._rest.client.calls(checked_sid(call_sid)).recordings.create_async(
            recording_channels="dual",
            recording_track="both",
            recording_status_callback=self._rest.public_url.webhook(RECORDING_PATH),
            recording_status_callback_method="POST",
            recording_status_callback_event=list(EVENTS),
        )
        return _info(await answered(creating, creating=True), creating=True)

    async def pause(self, call_sid: str, recording_sid: str) -> RecordingInfo:
        """From now on silence. Answered "paused", it is so."""
        return await self._update(
            call_sid, recording_sid, status="paused", pause_behavior="silence"
        )

    async def resume(self, call_sid: str, recording_sid: str) -> RecordingInfo:
        return await self._update(call_sid, recording_sid, status="in-progress")

    async def stop(self, call_sid: str, recording_sid: str) -> RecordingInfo:
        return await self._update(call_sid, recording_sid, status="stopped")

    async def _update(self, call_sid: str, recording_sid: str, **wanted: str) -> RecordingInfo:
        if not _RECORDING_SID.match(recording_sid):
            raise CallInputError("expected a recording's sid: RE and 32 hexadecimal digits")
        recording = self._rest.client.calls(checked_sid(call_sid)).recordings(recording_sid)
        return _info(await answered(recording.update_async(**wanted)))


def _info(recording: object, *, creating: bool = False) -> RecordingInfo:
    sid, status = getattr(recording, "sid", None), getattr(recording, "status", None)
    if not sid or not status:
        raise VendorError(
            "expected a recording with sid and status from Twilio", outcome_unknown=creating
        )
    return RecordingInfo(str(sid), str(status))
