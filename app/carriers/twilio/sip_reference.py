"""Which call it is, told to a SIP system in headers that Twilio passes on: `X-Earshot-Call`, and
`User-to-User` (RFC 7433) for systems that read nothing else.

What a SIP URI may carry as headers: Twilio docs, "TwiML Voice: <Sip>"; all of them below 1,024
characters. The reference is the CallSid: with it the call's record and webhooks are found.
"""

from typing import Final
from urllib.parse import quote

CALL_HEADER: Final = "X-Earshot-Call"
UUI_HEADER: Final = "User-to-User"
MOST_HEADER_CHARS: Final = 1_023


def referenced(uri: str, call_sid: str) -> str:
    """The SIP URI with the headers added, as far as there is room for them."""
    address, _, headers = uri.partition("?")
    for name, value in (
        (CALL_HEADER, call_sid),
        (UUI_HEADER, f"{call_sid.encode().hex()};encoding=hex"),
    ):
        if f"{name.lower()}=" in headers.lower():
            continue  # the operator's own
        longer = f"{headers}&{name}={quote(value, safe='')}".removeprefix("&")
        headers = longer if len(longer) <= MOST_HEADER_CHARS else headers
    return f"{address}?{headers}" if headers else address
