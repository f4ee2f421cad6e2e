"""What Twilio tells of calls that campaigns have placed, by attempt: the steps of their lives, and
who answered them.

Callbacks come late, twice and out of order. Nothing of that is mended here: whoever keeps the
ledger is told all of it and puts it in order.
Source: Twilio docs, status callbacks and answering machine detection.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from app.carriers.twilio.progress import CallProgress

_WORD: Final = re.compile(r"[a-z_]{1,24}\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class AttemptProgress:
    """One status callback. `at_ms`: Unix time; Twilio's own where it says it, to the second."""

    attempt_id: str
    progress: CallProgress
    at_ms: int
    answered_by: str = ""


@dataclass(frozen=True, slots=True)
class Detection:
    """Who answered: "human", "machine_start", "machine_end_beep" and the like, "fax", "unknown".
    `took_ms`: since the answer; None where Twilio does not say it."""

    call_sid: str
    answered_by: str
    took_ms: int | None
    attempt_id: str
    """ "" for a call of no campaign."""
    at_ms: int
    """Unix time at which we were told."""


class AttemptNews(Protocol):
    """Both raise when the news could not be kept: then Twilio is asked to come again."""

    async def progressed(self, news: AttemptProgress) -> None: ...

    async def detected(self, found: Detection) -> None: ...


def who_answered(fields: Mapping[str, str]) -> str:
    """ "" where it is not said."""
    answered_by = fields.get("AnsweredBy", "")
    return answered_by if _WORD.match(answered_by) else ""


def read_detection(
    call_sid: str, fields: Mapping[str, str], attempt_id: str, at_ms: int
) -> Detection | None:
    """None for what is no result of a detection."""
    answered_by, took = who_answered(fields), fields.get("MachineDetectionDuration", "")
    if not answered_by:
        return None
    took_ms = int(took) if _NUMBER.match(took) else None
    return Detection(call_sid, answered_by, took_ms, attempt_id, at_ms)
