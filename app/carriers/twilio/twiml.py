"""The documents in twiml/, filled in. What Twilio is told stands there; this only makes it safe.

Values are escaped so that Twilio reads back exactly what was given. What XML or Twilio cannot carry
is refused before it is sent (Twilio docs, "TwiML Voice: Stream": wss URL, no query string, name and
value of a `<Parameter>` together shorter than 500 characters).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.carriers.twilio.idempotency import Answer
from app.shipped import shipped

_TYPE: Final = "text/xml"
_MOST_PARAMETER_CHARACTERS: Final = 499
# XML 1.0 has no way to write these, not even as a character reference.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# An XML reader turns these into blanks inside an attribute unless they are written as references.
_BLANKS: Final = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


class TwimlValueError(ValueError):
    """Our fault: a value that no TwiML document can carry. The message does not repeat it."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """The media stream that Twilio is asked to open."""

    media_url: str
    """wss:// (or ws:// for the lab), without a query."""
    action_url: str
    """Asked for more TwiML when the stream has ended."""
    status_url: str
    """Told when the stream starts, stops or fails."""
    parameters: Mapping[str, str]
    """Returned to us in the stream's `start`."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How a sentence is spoken by Twilio itself; empty means the document's or Twilio's choice."""

    message: str = ""
    voice: str = ""
    language: str = "en-US"


def answer(document: str) -> Answer:
    """As a webhook is answered."""
    return Answer(200, document, _TYPE)


def inbound(plan: StreamPlan) -> str:
    """A call came in and is answered. All documents raise `TwimlValueError` for bad values."""
    return _stream("inbound", plan)


def outbound(plan: StreamPlan) -> str:
    """A call that we placed was answered."""
    return _stream("outbound", plan)


def resume(plan: StreamPlan) -> str:
    """The stream ended but the call goes on: open another stream."""
    return _stream("resume", plan)


def apology(speech: Speech) -> str:
    """The bot failed: say so and hang up."""
    return _speech("apology", speech)


def full(speech: Speech) -> str:
    """No room for this call: say so and hang up."""
    return _speech("full", speech)


def blocked(speech: Speech) -> str:
    """A caller who is not let in: say so and hang up."""
    return _speech("blocked", speech)


def queue(speech: Speech, queue_url: str, wait_s: int, *, announce: bool) -> str:
    """No room yet: wait, then ask again at `queue_url`. `announce`: say so first."""
    spoken = {"message": speech.message, "voice": speech.voice, "language": speech.language}
    return render("queue", queue_url=queue_url, wait_s=wait_s, announce=announce, **spoken)


def redirect(redirect_url: str) -> str:
    """No room: what stands at `redirect_url` takes the call."""
    return render("redirect", redirect_url=redirect_url)


def wait(again_url: str, wait_s: int) -> str:
    """Nobody can go on with the call for a moment: silence, then ask again at `again_url`."""
    return render("wait", again_url=again_url, wait_s=wait_s)


def busy() -> str:
    """Refuse an incoming call unanswered. It counts only as the first thing a call is told."""
    return render("busy")


def hangup() -> str:
    """End the call without a word."""
    return render("hangup")


def _stream(name: str, plan: StreamPlan) -> str:
    _check_media_url(plan.media_url)
    for key, value in plan.parameters.items():
        _check_parameter(key, value)
    return render(
        name,
        media_url=plan.media_url,
        action_url=plan.action_url,
        status_url=plan.status_url,
        parameters=list(plan.parameters.items()),
    )


def _speech(name: str, speech: Speech) -> str:
    return render(name, message=speech.message, voice=speech.voice, language=speech.language)


def render(name: str, **values: object) -> str:
    """A document of twiml/ by name. Raises `TwimlValueError` for values that XML cannot carry."""
    return _documents().get_template(f"{name}.xml.j2").render(values)


@cache
def _documents() -> Environment:
    return Environment(
        loader=FileSystemLoader(shipped("twiml")),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_xml,
        auto_reload=False,
    )


def _xml(value: object) -> Markup:
    text = str(value)
    if found := _NOT_XML.search(text):
        code = f"U+{ord(found[0]):04X}"
        raise TwimlValueError(f"expected text that XML can carry, got the character {code}")
    escaped = str(escape(text))
    for blank, reference in _BLANKS.items():
        escaped = escaped.replace(blank, reference)
    return Markup(escaped)


def _check_media_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("wss", "ws") or not parts.netloc:
        raise TwimlValueError("expected a wss:// URL for the media stream")
    if "?" in url or "#" in url:
        raise TwimlValueError("expected no query in the media URL: Twilio drops it")


def _check_parameter(name: str, value: str) -> None:
    if not name:
        raise TwimlValueError("expected every <Parameter> to have a name")
    if len(name) + len(value) > _MOST_PARAMETER_CHARACTERS:
        raise TwimlValueError(
            f"expected at most {_MOST_PARAMETER_CHARACTERS} characters of name and value in the "
            f"<Parameter> {name[:40]!r}, got {len(name) + len(value)}"
        )
