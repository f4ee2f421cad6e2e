"""What Twilio tells of a call's recording, at `/twilio/recording`.

Source: Twilio docs, "Recording status callback": RecordingSid, RecordingStatus, RecordingDuration
(s), RecordingChannels, RecordingSource.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SID: Final = re.compile(r"RE[0-9a-fA-F]{32}\Z")
_WORD: Final = re.compile(r"[A-Za-z-]{1,40}\Z")


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """One step in the life of a recording."""

    call_sid: str
    recording_sid: str
    status: str
    """in-progress, completed, absent (nothing was recorded) or failed."""
    duration_s: int | None = None
    source: str = ""


def read_recording_status(call_sid: str, fields: Mapping[str, str]) -> RecordingStatus | None:
    """None for what is no such callback."""
    sid, status = fields.get("RecordingSid", ""), fields.get("RecordingStatus", "")
    if not _SID.match(sid) or not _WORD.match(status):
        return None
    duration, source = fields.get("RecordingDuration", ""), fields.get("RecordingSource", "")
    whole = duration.isascii() and duration.isdigit() and len(duration) < 9
    return RecordingStatus(
        call_sid,
        sid,
        status,
        int(duration) if whole else None,
        source if _WORD.match(source) else "",
    )
