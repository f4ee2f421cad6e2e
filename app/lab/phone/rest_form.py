"""The form fields of a request to Twilio's REST API, read into what the telephone understands."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, cast

from aiohttp import web

from app.lab.phone.course import TwimlSource
from app.lab.phone.leg import Leg, MachineDetection
from app.lab.phone.noun_options import DETECTION_MS
from app.lab.phone.recording import RecordingCallback, Track
from app.lab.phone.recording_options import RECORDING_EVENTS
from app.lab.phone.rest_wire import BAD_REQUEST, RestError, check_twiml_source
from app.lab.phone.status import EVENTS, StatusCallback, StatusEvent
from app.lab.phone.webhook import read_method

Form: TypeAlias = Mapping[str, list[str]]
"""Every field with its values; a field may come several times."""


async def read_form(request: web.Request) -> Form:
    """All fields of a form POST, as text."""
    fields = await request.post()
    return {name: [str(value) for value in fields.getall(name)] for name in fields}


def one(form: Form, name: str) -> str:
    """A field's first value, "" when it is missing."""
    return form.get(name, [""])[0]


def seconds(form: Form, name: str, default: int) -> int:
    """A field in whole seconds. Raises RestError for anything else."""
    text = one(form, name)
    if text and not text.isdecimal():
        raise RestError(400, BAD_REQUEST, f"{name} must be a whole number of seconds")
    return int(text) if text else default


def twiml_source(form: Form) -> TwimlSource:
    """Url, or Twiml when there is no Url. Raises RestError when neither will do."""
    url, twiml = one(form, "Url"), one(form, "Twiml")
    check_twiml_source(url, twiml)
    if url:
        return TwimlSource(url, read_method(one(form, "Method")))
    return TwimlSource(document=twiml)


def fallback_source(form: Form) -> TwimlSource | None:
    """Where to turn when the TwiML cannot be had or followed."""
    url = one(form, "FallbackUrl")
    return TwimlSource(url, read_method(one(form, "FallbackMethod"))) if url else None


def status_callback(form: Form) -> StatusCallback | None:
    """Whom to tell about the call's life. Raises RestError for an event that does not exist."""
    url = one(form, "StatusCallback")
    if not url:
        return None
    # One value may name several events, separated by spaces, as Twilio's helper libraries allow.
    asked = {name for value in form.get("StatusCallbackEvent", []) for name in value.split()}
    unknown = asked.difference(EVENTS)
    if unknown:
        raise RestError(400, BAD_REQUEST, f"unknown StatusCallbackEvent {sorted(unknown)}")
    events = cast("set[StatusEvent]", asked) or {"completed"}
    method = read_method(one(form, "StatusCallbackMethod"))
    return StatusCallback(url, method, tuple(event for event in EVENTS if event in events))


def truth(form: Form, name: str) -> bool | None:
    """ "true" or not; None when the field is missing. What is no "true" means false, as Twilio
    reads it."""
    text = one(form, name)
    return text.lower() == "true" if text else None


def recording_callback(form: Form) -> RecordingCallback | None:
    """Whom to tell about a recording."""
    url = one(form, "RecordingStatusCallback")
    if not url:
        return None
    named = [word for each in form.get("RecordingStatusCallbackEvent", []) for word in each.split()]
    events = tuple(word for word in named if word in RECORDING_EVENTS)
    method = read_method(one(form, "RecordingStatusCallbackMethod"))
    return RecordingCallback(url, method, events or ("completed",))


def recording_on_answer(form: Form) -> Callable[[Leg], None] | None:
    """`record=True` of a new call."""
    if not truth(form, "Record"):
        return None
    channels: Literal[1, 2] = 2 if one(form, "RecordingChannels") == "dual" else 1
    callback = recording_callback(form)

    def begin(leg: Leg) -> None:
        leg.account.recordings.open(
            leg.call,
            "OutboundAPI",
            channels=channels,
            track=cast("Track", one(form, "RecordingTrack") or "both"),
            trim=(one(form, "Trim") or "trim-silence") == "trim-silence",
            callback=callback,
        )

    return begin


def detection(form: Form, callback: str = "AsyncAmdStatusCallback") -> MachineDetection | None:
    """Machine detection of a new call; `callback` is the field that makes it asynchronous."""
    mode = one(form, "MachineDetection")
    if mode not in ("Enable", "DetectMessageEnd") or one(form, "SendDigits"):
        return None
    asynchronous = callback == "AmdStatusCallback" or truth(form, "AsyncAmd")
    return MachineDetection(
        DETECTION_MS,
        mode == "DetectMessageEnd",
        one(form, callback) if asynchronous else "",
        read_method(one(form, callback + "Method")),
    )
