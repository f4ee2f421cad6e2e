"""Which call it is, told to a SIP system in headers that Twilio passes on: `X-Earshot-Call`, and
`User-to-User` (RFC 7433) for systems that read nothing else.

What a SIP URI may carry as headers: Twilio docs, "TwiML Voice: <Sip>"; all of them below 1,024
characters. The reference is the CallSid: with it the call's record and webhooks are found.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

CALL_HEADER: Final = "X-Earshot-Call"
UUI_HEADER: Final = "User-to-User"
MOST_HEADER_CHARS: Final = 1_023
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def with_more(uri: str, headers: Mapping[str, str]) -> str:
    """The SIP URI with these headers; whoever dials it sees whether they are too long."""
    address, _, there = uri.partition("?")
    added = [f"{name}={quote(value, safe='')}" for name, value in headers.items()]
    joined = "&".join(filter(None, (there, *added)))
    return f"{address}?{joined}" if joined else address


def referenced(uri: str, call_sid: str, more: Mapping[str, str] = _NONE) -> str:
    """The SIP URI with the headers added, as far as there is room for them. `more`: what the
    operator wants sent besides; a header that stands in the URI wins, then one of `more`."""
    address, _, headers = uri.partition("?")
    known = {pair.partition("=")[0].lower() for pair in headers.split("&") if pair}
    ours = {CALL_HEADER: call_sid, UUI_HEADER: f"{call_sid.encode().hex()};encoding=hex"}
    instead = {name.lower() for name in more}
    wanted = {name: value for name, value in ours.items() if name.lower() not in instead} | dict(
        more
    )
    for name, value in wanted.items():
        if name.lower() in known:
            continue  # the operator's own
        longer = f"{headers}&{name}={quote(value, safe='')}".removeprefix("&")
        if len(longer) <= MOST_HEADER_CHARS:
            headers = longer
            known.add(name.lower())
    return f"{address}?{headers}" if headers else address
