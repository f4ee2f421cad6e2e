"""Attributes that the nouns of <Dial> have in common: callbacks and machine detection."""

from urllib.parse import urljoin

from app.lab.phone.leg import MachineDetection
from app.lab.phone.status import EVENTS, StatusCallback
from app.lab.phone.twiml import Verb
from app.lab.phone.webhook import read_method

DETECTION_MS = 1_200
"""How long the telephone takes to tell a machine from a person."""


def read_status_callback(noun: Verb, document_url: str) -> StatusCallback | None:
    """Words that are no event are passed over, as Twilio does with a warning."""
    url = noun.get("statusCallback")
    if not url:
        return None
    asked = noun.get("statusCallbackEvent").split()
    events = tuple(event for event in EVENTS if event in asked)
    return StatusCallback(
        urljoin(document_url, url),
        read_method(noun.get("statusCallbackMethod")),
        events or ("completed",),
    )


def read_detection(noun: Verb, document_url: str) -> MachineDetection | None:
    """`machineDetection` with its callback, which makes it asynchronous."""
    mode = noun.get("machineDetection")
    if mode not in ("Enable", "DetectMessageEnd"):
        return None
    callback = noun.get("amdStatusCallback")
    return MachineDetection(
        DETECTION_MS,
        mode == "DetectMessageEnd",
        urljoin(document_url, callback) if callback else "",
        read_method(noun.get("amdStatusCallbackMethod")),
    )
