"""How TwiML asks for a recording: <Dial record>, <Start><Recording>, <Record>."""

from typing import Literal, cast
from urllib.parse import urljoin

from app.lab.phone.leg import Leg
from app.lab.phone.recording import CallRecording, RecordingCallback, RecordingSource, Track
from app.lab.phone.twiml import Verb
from app.lab.phone.webhook import read_method

RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})


def read_recording_callback(verb: Verb, document_url: str) -> RecordingCallback | None:
    """Of any element with `recordingStatusCallback`."""
    url = verb.get("recordingStatusCallback")
    if not url:
        return None
    events = tuple(
        event
        for event in verb.get("recordingStatusCallbackEvent").split()
        if event in RECORDING_EVENTS
    )
    method = read_method(verb.get("recordingStatusCallbackMethod"))
    return RecordingCallback(urljoin(document_url, url), method, events or ("completed",))


def dial_recording(leg: Leg, verb: Verb, document_url: str) -> CallRecording:
    """Of the dialling leg, from now on."""
    return _open(leg, verb, document_url, "DialVerb", verb.get("record").endswith("-dual"))


def started_recording(leg: Leg, noun: Verb, document_url: str) -> CallRecording:
    """<Start><Recording>."""
    dual = noun.get("channels") == "dual"
    return _open(leg, noun, document_url, "StartCallRecordingTwiML", dual)


def _open(
    leg: Leg, verb: Verb, document_url: str, source: RecordingSource, dual: bool
) -> CallRecording:
    channels: Literal[1, 2] = 2 if dual else 1
    track = verb.get("recordingTrack") or verb.get("track") or "both"
    return leg.account.recordings.open(
        leg.call,
        source,
        channels=channels,
        track=cast("Track", track if track in ("inbound", "outbound") else "both"),
        trim=verb.get("trim") == "trim-silence",
        callback=read_recording_callback(verb, document_url),
    )
