"""What calls that we place need besides their parties: logins of SIP systems, and a trunk of the
operator's own.

Parameters: Twilio docs, Call resource (`SipAuthUsername`, `SipAuthPassword`, `Byoc`) and "TwiML
Voice: <Sip>". A login goes to the host that it is for and to no other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z")
_ADDRESS_HOST: Final = re.compile(r"sips?:(?:[^@?;]*@)?([^:;?]+)", re.IGNORECASE)


class LoginError(ValueError):
    """The operator's input; says what is wrong without the password."""


@dataclass(frozen=True, slots=True)
class SipLogin:
    """For digest authentication."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Of all calls that one process places."""

    logins: Mapping[str, SipLogin] = field(default_factory=dict, repr=False)
    """By host, in small letters."""
    byoc: str = ""
    """The BYOC trunk that calls to numbers leave by; "": Twilio's own network."""

    def login(self, uri: str) -> SipLogin | None:
        """Of the host of a SIP address."""
        host = _ADDRESS_HOST.match(uri)
        return None if host is None else self.logins.get(host[1].lower())

    def parameters(self, to: str, byoc: str = "") -> dict[str, str]:
        """Of a request that places a call. `byoc`: its own trunk."""
        if to.startswith("+"):
            trunk = byoc or self.byoc
            return {"byoc": trunk} if trunk else {}
        login = self.login(to)
        if login is None:
            return {}
        return {"sip_auth_username": login.username, "sip_auth_password": login.password}


PLAIN: Final = Outgoing()


def read_logins(text: str) -> dict[str, SipLogin]:
    """`host=user:password`, several of them with commas between. What would end a part too early is
    written with % and two digits (a comma is %2C). Raises `LoginError`."""
    found: dict[str, SipLogin] = {}
    for number, part in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        host, equals, login = part.partition("=")
        user, colon, password = login.partition(":")
        if not (equals and colon and user and password and _HOST.match(host.strip().lower())):
            raise LoginError(f"expected host=user:password, see part {number}")
        found[host.strip().lower()] = SipLogin(unquote(user), unquote(password))
    return found
