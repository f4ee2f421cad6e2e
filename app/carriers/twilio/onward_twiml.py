"""The documents of a call that no model carries: put through, hold, menu, voicemail.

Whoever is rung stands in a `Cleared`, which only the policy makes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.carriers.twilio.outgoing import SipLogin
from app.carriers.twilio.sip_reference import referenced
from app.carriers.twilio.twiml import Speech, TwimlValueError, render
from app.policy.destinations import Cleared, Kind, Purpose

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_ROOM: Final = re.compile(r"CA[0-9a-fA-F]{32}\Z")


@dataclass(frozen=True, slots=True)
class Saying:
    """What Twilio's own voice says first; "" for nothing."""

    words: str
    speech: Speech

    @property
    def values(self) -> dict[str, str]:
        return {
            "words": self.words,
            "voice": self.speech.voice,
            "language": self.speech.language,
        }


def transfer(
    saying: Saying,
    destination: Cleared,
    *,
    action_url: str,
    ring_s: int,
    caller_id: str,
    call_sid: str,
    headers: Mapping[str, str] = NO_HEADERS,
    refer_url: str = "",
    login: SipLogin | None = None,
) -> str:
    """Ring somebody. `caller_id`: a number of ours, or "" for the caller's own. `call_sid`: told
    to SIP systems, and `headers` with it. `refer_url`: asked when they send a REFER.
    `login`: at their SIP system.

    Raises `TwimlValueError` for a destination that was not cleared for a transfer.
    """
    _check(destination, Purpose.TRANSFER)
    return render(
        "transfer",
        **saying.values,
        action_url=action_url,
        ring_s=ring_s,
        caller_id=caller_id if _NUMBER.match(caller_id) else "",
        kind=destination.kind.value,
        address=_address(destination, call_sid, headers),
        username=login.username if login else "",
        password=login.password if login else "",
        refer_url=refer_url if destination.kind is Kind.SIP else "",
    )


def refer(
    saying: Saying,
    destination: Cleared,
    *,
    action_url: str,
    call_sid: str,
    headers: Mapping[str, str] = NO_HEADERS,
) -> str:
    """Hand the call to the caller's SIP system. Raises as `transfer` does."""
    _check(destination, Purpose.REFER)
    address = _address(destination, call_sid, headers)
    return render("refer", **saying.values, action_url=action_url, address=address)


def hold(saying: Saying, room: str, *, action_url: str, status_url: str, music: str) -> str:
    """Music until the person comes."""
    return render(
        "hold",
        **saying.values,
        room=room_of(room),
        action_url=action_url,
        status_url=status_url,
        music=music,
    )


def whisper(saying: Saying, *, action_url: str, wait_s: int) -> str:
    """The person is told what it is about, and takes the call or not."""
    return render("whisper", **saying.values, action_url=action_url, wait_s=wait_s)


def join(room: str) -> str:
    """The person goes to the caller."""
    return render("join", room=room_of(room))


def menu(saying: Saying, *, action_url: str, wait_s: int, hints: tuple[str, ...]) -> str:
    return render(
        "menu", **saying.values, action_url=action_url, wait_s=wait_s, hints=", ".join(hints)
    )


def voicemail(saying: Saying, *, action_url: str, recording_url: str, max_s: int) -> str:
    return render(
        "voicemail",
        **saying.values,
        action_url=action_url,
        recording_url=recording_url,
        max_s=max_s,
    )


def farewell(saying: Saying) -> str:
    """The last words."""
    return render("farewell", **saying.values)


def room_of(call_sid: str) -> str:
    """The conference in which this caller is held. Raises `TwimlValueError` for no CallSid."""
    if not _ROOM.match(call_sid):
        raise TwimlValueError("expected the CallSid of the caller who is held")
    return f"earshot-{call_sid}"


def _check(destination: Cleared, purpose: Purpose) -> None:
    if not isinstance(destination, Cleared) or destination.purpose is not purpose:
        raise TwimlValueError(f"expected a destination that the policy cleared for a {purpose}")


def _address(destination: Cleared, call_sid: str, headers: Mapping[str, str]) -> str:
    if destination.kind is Kind.SIP:
        return referenced(destination.uri, call_sid, headers)
    return destination.address
