"""SIP addresses as Twilio takes them: the URI, the headers in its query, and their limits.

Source: shared notes on Twilio Voice, section 8.2; error pages 13243, 13252 and 13253.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from app.lab.phone.identity import CallIdentity, new_sid
from app.lab.phone.twiml import TwimlError

INVALID_URI = 13243
INVALID_HEADER_NAME = 13252
HEADERS_TOO_LONG = 13253

URI_LIMIT_CHARS: Final = 255
HEADERS_LIMIT_CHARS: Final = 1024
STANDARD_HEADERS: Final = frozenset(
    {"User-to-User", "Remote-Party-ID", "P-Preferred-Identity", "P-Called-Party-ID"}
)
"""Headers without X- that may be set."""

_URI = re.compile(r"sips?:[^\s@?;]+@[A-Za-z0-9.\-\[\]:]+(;[^\s?]*)?")
_HEADER = re.compile(r"X-[A-Za-z0-9\-_]+")

RESPONSES: Final[Mapping[str, int]] = {
    "answer": 200,
    "busy": 486,
    "no-answer": 480,
    "failed": 503,
}


@dataclass(frozen=True, slots=True)
class SipTarget:
    uri: str
    """Without its headers."""
    headers: Mapping[str, str]


def read_target(text: str) -> SipTarget:
    """The body of <Sip>. Raises TwimlError for what Twilio refuses."""
    uri, _, query = text.strip().partition("?")
    if not _URI.fullmatch(uri):
        raise TwimlError("expected a SIP URI such as sip:user@host", INVALID_URI)
    if len(uri) >= URI_LIMIT_CHARS:
        raise TwimlError(f"expected a SIP URI below 255 characters, got {len(uri)}", INVALID_URI)
    if len(query) >= HEADERS_LIMIT_CHARS:
        raise TwimlError(
            f"expected SIP headers below 1024 characters together, got {len(query)}",
            HEADERS_TOO_LONG,
        )
    headers: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if not (_HEADER.fullmatch(name) or name in STANDARD_HEADERS):
            raise TwimlError(
                f"expected headers X-... or {', '.join(sorted(STANDARD_HEADERS))}, got {name!r}",
                INVALID_HEADER_NAME,
            )
        headers[name] = unquote(value)
    return SipTarget(uri, headers)


def is_sip(address: str) -> bool:
    """Whether a leg from or to this address is a SIP leg."""
    return address.lower().startswith(("sip:", "sips:"))


def is_sip_leg(identity: CallIdentity) -> bool:
    """Whether the party on this leg is reached by SIP."""
    return is_sip(identity.from_ if identity.direction == "inbound" else identity.to)


def domain_parameters(
    to: str, headers: Mapping[str, str] | None = None, source_ip: str = "203.0.113.7"
) -> dict[str, str]:
    """What the voice webhook of a SIP Domain gets besides; headers but X-* and User-to-User are
    dropped, as Twilio drops them."""
    kept = {
        name: value
        for name, value in (headers or {}).items()
        if name.lower().startswith("x-") or name == "User-to-User"
    }
    return {
        "SipDomain": to.partition("@")[2].partition(";")[0].partition(":")[0],
        "SipDomainSid": new_sid("SD"),
        "SipCallId": new_call_id(),
        "SipSourceIp": source_ip,
        **{f"SipHeader_{name}": value for name, value in kept.items()},
    }


def answer_parameters(headers: Mapping[str, str]) -> dict[str, str]:
    """What the TwiML request of a called SIP party gets besides: the headers of its answer."""
    told = {f"SipHeader_{name}": value for name, value in headers.items()}
    return {"SipCallId": new_call_id(), **told}


def new_call_id() -> str:
    """A SIP Call-ID."""
    return secrets.token_hex(12) + "@198.51.100.4"
