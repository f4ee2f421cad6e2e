"""<Dial><Conference>: this leg takes part in a conference until that is over for it."""

import asyncio
from collections.abc import Mapping
from typing import cast
from urllib.parse import urljoin

from app.lab.phone.conference import BEEPS, Attendance, Beep
from app.lab.phone.conference_events import WORDS, ConferenceCallback
from app.lab.phone.following import flag, number, tell_of_hang_up
from app.lab.phone.leg import Leg, sounds_for
from app.lab.phone.twiml import TwimlError, Verb
from app.lab.phone.webhook import read_method

INVALID_MUTED = 13230
INVALID_END = 13231
INVALID_START = 13232
INVALID_BEEP = 13235
INVALID_NAME = 13237
NAME_LIMIT_CHARS = 128
INVALID_TIME_LIMIT = 13216


async def attend(leg: Leg, verb: Verb, noun: Verb, document_url: str) -> Mapping[str, str]:
    """The parameters for the action. Raises TwimlError for what Twilio refuses."""
    how = _read(noun, document_url)
    if not noun.text or len(noun.text) > NAME_LIMIT_CHARS:
        raise TwimlError("<Conference> needs a name of 1 to 128 characters", INVALID_NAME)
    limit_s = number(verb, "timeLimit", 14_400, INVALID_TIME_LIMIT)
    leg.answer()
    conference = leg.account.conferences.enter(noun.text)
    told = {"DialCallStatus": "answered", "DialBridged": "true"}
    try:
        async with asyncio.timeout(limit_s):
            await conference.attend(leg.call, how, sounds_for(leg, document_url))
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        tell_of_hang_up(leg, verb, document_url, told)
        raise
    return told


def _read(noun: Verb, document_url: str) -> Attendance:
    beep = noun.get("beep") or "true"
    if beep not in BEEPS:
        raise TwimlError(
            f"expected beep true, false, onEnter or onExit, got {beep!r}", INVALID_BEEP
        )
    wait = noun.attributes.get("waitUrl")
    return Attendance(
        label=noun.get("participantLabel"),
        muted=flag(noun, "muted", False, INVALID_MUTED),
        starts=flag(noun, "startConferenceOnEnter", True, INVALID_START),
        ends=flag(noun, "endConferenceOnExit", False, INVALID_END),
        beep=cast("Beep", beep),
        wait_url=urljoin(document_url, wait) if wait else wait,
        wait_method=read_method(noun.get("waitMethod")),
        coaches=noun.get("coach"),
        callback=_callback(noun, document_url),
    )


def _callback(noun: Verb, document_url: str) -> ConferenceCallback | None:
    url = noun.get("statusCallback")
    if not url:
        return None
    events = WORDS.intersection(noun.get("statusCallbackEvent").split())
    method = read_method(noun.get("statusCallbackMethod"))
    target = urljoin(document_url, url)
    return ConferenceCallback(target, method, events or frozenset({"start", "end"}))
