"""The form fields of a request to Twilio's REST API, read into what the telephone understands."""

from collections.abc import Mapping
from typing import TypeAlias, cast

from aiohttp import web

from app.lab.phone.call import TwimlSource
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
