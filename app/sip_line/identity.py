"""Who calls whom, as the channel variables that a worker is given. Sans-I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

PREFIX: Final = "EARSHOT_"
_NUMBER: Final = re.compile(r"\+?[0-9*#]+")
_USER_TO_USER: Final = "user-to-user"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call, from a SIP URI."""

    user: str
    host: str

    @property
    def address(self) -> str:
        """A number where the user is one, otherwise `sip:user@host`."""
        if _NUMBER.fullmatch(self.user):
            return self.user
        return f"sip:{self.user}@{self.host}" if self.user else f"sip:{self.host}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What an INVITE says of itself, and the address that it came from."""

    caller: Party
    called: Party
    call_id: str
    source_host: str
    headers: tuple[tuple[str, str], ...] = ()
    """Names as they came in any case, and values, of `X-*` and `User-to-User`."""

    def variables(self) -> dict[str, str]:
        """The channel variables. A header that comes twice is joined as RFC 3261 (7.3.1) says."""
        told = {
            f"{PREFIX}FROM": self.caller.address,
            f"{PREFIX}TO": self.called.address,
            f"{PREFIX}CALL_ID": self.call_id,
            f"{PREFIX}SOURCE_IP": self.source_host,
        }
        for name, value in self.headers:
            key = f"{PREFIX}HEADER_{canonical(name)}"
            told[key] = f"{told[key]}, {value}" if key in told else value
        return told


def canonical(name: str) -> str:
    """One spelling for a header whose case means nothing: `X-Account-Id`, `User-to-User`."""
    if name.lower() == _USER_TO_USER:
        return "User-to-User"
    return "-".join(part.capitalize() for part in name.split("-"))


def handed_on(names: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those headers of an INVITE that a worker is told.

    None with an underscore: a worker reads it as a hyphen, so `X-Account_Id` would pass for the
    `X-Account-Id` that a proxy in between takes off what strangers send.
    """
    return tuple(
        (name, value)
        for name, value in names
        if (name.lower().startswith("x-") and "_" not in name) or name.lower() == _USER_TO_USER
    )


def identity_of(request: Any) -> Identity:
    """Read a request of `sippy`'s."""
    caller, called = request.getHFBody("from").getUrl(), request.getRURI()
    return Identity(
        Party(caller.username or "", str(caller.host)),
        Party(called.username or "", str(called.host)),
        str(request.getHFBody("call-id")),
        str(request.getSource()[0]),
        handed_on((header.name, str(header.body)) for header in request.headers),
    )
