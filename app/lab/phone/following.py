"""What verbs share: where their `action` leads, and attributes that are numbers or yes and no."""

from collections.abc import Mapping
from urllib.parse import urljoin

from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.leg import Leg
from app.lab.phone.twiml import DOCUMENT_PARSE_FAILURE, TwimlError, Verb
from app.lab.phone.webhook import read_method


def action(verb: Verb, document_url: str, parameters: Mapping[str, str], default: str = "") -> Next:
    """The verb's `action` with its parameters, or None: the next verb."""
    url = verb.get("action") or default
    if not url:
        return None
    target = urljoin(document_url, url)
    return TwimlSource(
        target, read_method(verb.get("method")), parameters=parameters, purpose="action"
    )


def number(verb: Verb, attribute: str, default: int, code: int = DOCUMENT_PARSE_FAILURE) -> int:
    """A whole number from 0 on. Raises TwimlError with `code` for anything else."""
    text = verb.get(attribute)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise TwimlError(f"<{verb.name} {attribute}> must be a whole number, got {text!r}", code)
    return value


def flag(verb: Verb, attribute: str, default: bool, code: int = DOCUMENT_PARSE_FAILURE) -> bool:
    """ "true" or "false". Raises TwimlError with `code` for anything else."""
    text = verb.get(attribute).lower()
    if not text:
        return default
    if text not in ("true", "false"):
        raise TwimlError(f"<{verb.name} {attribute}> must be true or false, got {text!r}", code)
    return text == "true"


def tell_of_hang_up(
    leg: Leg, verb: Verb, document_url: str, parameters: Mapping[str, str], default: str = ""
) -> None:
    """The action is asked also when the person has hung up; its answer leads nowhere."""
    url = verb.get("action") or default
    if not url or not isinstance(leg.call.interruption, HungUp):
        return
    asked = {**leg.call.identity.voice("completed"), **parameters}
    leg.callbacks.send("action", urljoin(document_url, url), read_method(verb.get("method")), asked)
