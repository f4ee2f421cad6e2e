"""A SIP address taken apart, strictly, or the rule that it breaks.

A subset of RFC 3261, 19.1: what a phone system needs to be reached. Whatever two parsers may read
differently (a second @, escapes, a password, a host as a bare number) is refused, because the one
that dials is not ours. Twilio's limits: the URI under 255 characters, its headers under 1024.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from app.policy.verdicts import Refused, Rule, refuse

MOST_URI: Final = 254
MOST_HEADERS: Final = 1023
MOST_HEADER_VALUE: Final = 255

_SCHEME: Final = re.compile(r"(sips?):", re.IGNORECASE)
_USER: Final = re.compile(r"[A-Za-z0-9+](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9_])?")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMERIC_HOST: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PARAMETERS: Final = {
    "transport": re.compile(r"udp|tcp|tls"),
    "edge": re.compile(r"[a-z][a-z0-9-]{1,30}"),
}
HEADER_NAME: Final = re.compile(r"(?:X-[A-Za-z0-9][A-Za-z0-9-]{0,60}|User-to-User)", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_RAW_VALUE: Final = re.compile(r"(?:[A-Za-z0-9_.!~*'()+$/:\[\]-]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class SipUri:
    """`host` in small letters, an IP address in its shortest form and in brackets if it has any."""

    scheme: str
    user: str
    host: str
    ip: bool = False
    port: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Decoded."""

    @property
    def address(self) -> str:
        """Without headers."""
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        parameters = "".join(f";{name}={value}" for name, value in self.parameters)
        return f"{self.scheme}:{user}{self.host}{port}{parameters}"


def with_headers(address: str, headers: tuple[tuple[str, str], ...]) -> str:
    """As it is dialled: of values all but letters, digits, `.`, `_`, `~` and `-` is escaped."""
    if not headers:
        return address
    return f"{address}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in headers)


def read_sip_uri(text: str) -> SipUri | Refused:
    """`text` was checked for odd characters."""
    try:
        return _read(text)
    except _Broken as broken:
        return refuse(broken.rule)


class _Broken(Exception):
    """The text breaks a rule."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.rule = rule


def _read(text: str) -> SipUri:
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise _Broken(Rule.SIP_SYNTAX)
    address, mark, header_text = text[scheme.end() :].partition("?")
    if len(address) + scheme.end() > MOST_URI or len(header_text) > MOST_HEADERS:
        raise _Broken(Rule.TOO_LONG)
    place, *parameter_texts = address.split(";")
    if "@" in address[len(place) :] or "@" in header_text:
        raise _Broken(Rule.SIP_USER)
    user, at, host_text = place.rpartition("@")
    if "%" in place:
        raise _Broken(Rule.SIP_ENCODING)
    if at and not _USER.fullmatch(user):
        raise _Broken(Rule.SIP_USER)
    host, ip, port = _host(host_text)
    headers = _headers(header_text) if mark else ()
    return SipUri(scheme[1].lower(), user, host, ip, port, _parameters(parameter_texts), headers)


def _host(text: str) -> tuple[str, bool, int | None]:
    """The host, whether it is an IP address, the port."""
    host, port_text = text.lower(), None
    if text.startswith("["):
        host, closed, behind = host.partition("]")
        host, port_text = host + closed, behind[1:] if behind.startswith(":") else None
        if not closed or (behind and not behind.startswith(":")):
            raise _Broken(Rule.SIP_SYNTAX)
    elif ":" in host:
        host, _, port_text = host.partition(":")
    port = _port(port_text)
    if address := ip_literal(host):
        return address, True, port
    if len(host) > 253 or not HOST.fullmatch(host):
        raise _Broken(Rule.SIP_SYNTAX)
    if _NUMERIC_HOST.fullmatch(host):
        # 127.1, 2130706433 and 0x7f.1 are addresses to some parsers and names to others.
        raise _Broken(Rule.SIP_IP)
    return host, False, port


def ip_literal(host: str) -> str:
    """The address in its one spelling, an IPv6 in brackets; "" if it is none."""
    try:
        if host.startswith("[") and host.endswith("]"):
            return f"[{ipaddress.IPv6Address(host[1:-1])}]" if "%" not in host else ""
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return ""


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not _PORT.fullmatch(text) or int(text) > 65_535:
        raise _Broken(Rule.SIP_PORT)
    return int(text)


def _parameters(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """maddr, method, user and the like change what is reached or asked: not taken."""
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.lower().partition("=")
        known = _PARAMETERS.get(name)
        if known is None or name in found or not known.fullmatch(value):
            raise _Broken(Rule.SIP_PARAMETER)
        found[name] = value
    return tuple(found.items())


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, tuple[str, str]] = {}
    for pair in text.split("&"):
        name, equals, raw = pair.partition("=")
        if "%" in name:
            raise _Broken(Rule.SIP_ENCODING)
        if not equals or not HEADER_NAME.fullmatch(name) or name.lower() in found:
            raise _Broken(Rule.SIP_HEADER)
        if not _RAW_VALUE.fullmatch(raw):
            raise _Broken(Rule.SIP_ENCODING if "%" in raw else Rule.SIP_HEADER)
        found[name.lower()] = (name, _checked(unquote(raw, errors="replace")))
    headers = tuple(found.values())
    if len(with_headers("", headers)) > MOST_HEADERS:
        raise _Broken(Rule.TOO_LONG)
    return headers


def _checked(value: str) -> str:
    """No header may hold a line's end, anything that is not printable ASCII, or an escape that
    would come out when a second parser decodes it once more."""
    if not (value.isascii() and value.isprintable()) or _ESCAPE.search(value):
        raise _Broken(Rule.SIP_ENCODING)
    if len(value) > MOST_HEADER_VALUE:
        raise _Broken(Rule.SIP_HEADER)
    return value
