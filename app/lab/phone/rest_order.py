"""A call as it is ordered by REST: the form of `POST Calls.json`, checked.

Ranges: Twilio docs, Call resource and answering machine detection.
"""

import re
from dataclasses import dataclass

from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import ENDED, CallStatus
from app.lab.phone.leg import MachineDetection
from app.lab.phone.rest_form import (
    Form,
    detection,
    fallback_source,
    one,
    seconds,
    status_callback,
    twiml_source,
)
from app.lab.phone.rest_wire import BAD_REQUEST, NOT_IN_PROGRESS, RestError
from app.lab.phone.status import StatusCallback

USUAL_RING_S = 60
MOST_RING_S = 600
_RANGES = {
    "MachineDetectionTimeout": (3, 59),
    "MachineDetectionSpeechThreshold": (1_000, 6_000),
    "MachineDetectionSpeechEndThreshold": (500, 5_000),
    "MachineDetectionSilenceTimeout": (2_000, 10_000),
}
_DIGITS = re.compile(r"[0-9A-Da-d#*wW]{1,32}\Z")
_HOST = re.compile(r"https?://([^/?#:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What is asked for besides the parties."""

    first: TwimlSource
    fallback: TwimlSource | None
    status: StatusCallback | None
    ring_limit_ms: int
    time_limit_s: int | None
    detection: MachineDetection | None


def read_order(form: Form) -> CallOrder:
    """Raises RestError for what Twilio would refuse."""
    source = twiml_source(form)
    ring_s = seconds(form, "Timeout", USUAL_RING_S)
    if ring_s > MOST_RING_S:
        raise RestError(400, BAD_REQUEST, f"Timeout must be at most {MOST_RING_S}")
    _check_detection(form)
    _check_digits(form)
    return CallOrder(
        first=source,
        fallback=fallback_source(form),
        status=_told(form),
        ring_limit_ms=ring_s * 1000,
        time_limit_s=seconds(form, "TimeLimit", 0) or None,
        detection=detection(form),
    )


def ends_as(status: CallStatus, wanted: str) -> CallStatus:
    """What becomes of a call in `status` that is told to be `wanted`. Raises RestError."""
    waiting = status in ("queued", "initiated", "ringing")
    if status in ENDED:
        raise RestError(400, NOT_IN_PROGRESS, "Call is not in-progress. Cannot redirect.")
    if wanted == "canceled" and not waiting:
        raise RestError(400, NOT_IN_PROGRESS, "Call is in progress. Cannot cancel.")
    if wanted not in ("completed", "canceled"):
        raise RestError(400, BAD_REQUEST, "Status must be completed or canceled")
    return "canceled" if waiting else "completed"


def _told(form: Form) -> StatusCallback | None:
    callback = status_callback(form)
    if callback is not None:
        host = _HOST.match(callback.url)
        if host is None or "_" in host[1]:
            raise RestError(400, BAD_REQUEST, "StatusCallback is not a valid URL")
    return callback


def _check_detection(form: Form) -> None:
    mode = one(form, "MachineDetection")
    if mode not in ("", "Enable", "DetectMessageEnd"):
        raise RestError(400, BAD_REQUEST, "MachineDetection must be Enable or DetectMessageEnd")
    for name, (least, most) in _RANGES.items():
        text = one(form, name)
        if text and not (text.isdecimal() and least <= int(text) <= most):
            raise RestError(400, BAD_REQUEST, f"{name} must be from {least} to {most}")


def _check_digits(form: Form) -> None:
    digits = one(form, "SendDigits")
    if digits and not _DIGITS.match(digits):
        raise RestError(400, BAD_REQUEST, "SendDigits is not valid")
