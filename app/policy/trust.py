"""How sure it is who calls, and which tools need how much of that.

Where a call came from decides, never what it says: a header is worth what the door is worth that it
came through, and a number what the network says of it.
"""

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from app.policy.verdicts import Allowed, Refused, Rule, refuse


class Trust(IntEnum):
    """Ordered: the higher includes the lower."""

    UNKNOWN = 0
    """Nobody vouches for the caller, or the network says that the number is false."""
    ASSERTED = 1
    """A network vouches for its customer, though not for the number."""
    ATTESTED = 2
    """A network vouches for the number, or the call came through a door of the operator's own."""
    VERIFIED = 3
    """The caller proved it in this call."""

    @classmethod
    def named(cls, name: str) -> "Trust":
        """By its name in small letters. Raises `ValueError`."""
        try:
            return cls[name.upper()]
        except KeyError:
            known = ", ".join(level.name.lower() for level in cls)
            raise ValueError(f"expected one of {known}") from None


class Proof(StrEnum):
    """What a caller can do in a call to be verified."""

    PIN = "pin"
    CALL_BACK = "call_back"

    @classmethod
    def known(cls, names: Collection[str]) -> tuple["Proof", ...]:
        """Of those that a call has kept; what is none proves nothing."""
        return tuple(proof for proof in cls if proof.value in names)


_VERSTAT: Final = {
    "TN-Validation-Passed-A": Trust.ATTESTED,
    "TN-Validation-Passed-B": Trust.ASSERTED,
    # C: the network only says where the call came in.
    "TN-Validation-Passed-C": Trust.UNKNOWN,
    "TN-Validation-Failed": Trust.UNKNOWN,
    "TN-Validation-Failed-A": Trust.UNKNOWN,
    "TN-Validation-Failed-B": Trust.UNKNOWN,
    "TN-Validation-Failed-C": Trust.UNKNOWN,
    "No-TN-Validation": Trust.UNKNOWN,
    "NULL": Trust.UNKNOWN,
}
"""Twilio's StirVerstat (docs: trusted calling with SHAKEN/STIR)."""
_DIVERTED: Final = "-Diverted"
_HELP: Final[Mapping[Proof, str]] = {
    Proof.PIN: "ask for the PIN",
    Proof.CALL_BACK: "offer to call back at the number on file",
}


def by_verstat(verstat: str | None) -> Trust:
    """What the network says of the number; unknown words are worth nothing.

    `-Diverted` is one level less: who forwarded the call is between the caller and the network that
    vouches.
    """
    text = verstat or ""
    level = _VERSTAT.get(text.removesuffix(_DIVERTED), Trust.UNKNOWN)
    return Trust(max(0, level - 1)) if text.endswith(_DIVERTED) else level


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """SIP domains of the operator's own whose callers must log in (digest) or come from a list of
    addresses (ACL), as set up with the carrier. Raises `ValueError` for what is no network."""

    sip_domains: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    """Where their calls must come from besides, such as "203.0.113.0/24". None: anywhere."""

    def __post_init__(self) -> None:
        for network in self.networks:
            ipaddress.ip_network(network)


def by_sip_origin(doors: Doors, sip_domain: str, source_ip: str) -> Trust:
    """What the door is worth that a SIP call came through; its headers are worth as much.

    `sip_domain`, `source_ip`: the carrier's own fields of a signed webhook (`SipDomain`,
    `SipSourceIp`), never a header.
    """
    if sip_domain.lower() not in doors.sip_domains:
        return Trust.UNKNOWN
    if doors.networks and not _is_within(source_ip, doors.networks):
        return Trust.UNKNOWN
    return Trust.ATTESTED


def _is_within(source_ip: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in networks)


def level(*signs: Trust, proofs: Iterable[Proof] = ()) -> Trust:
    """The best of what is known. `proofs`: those that the caller passed in this call."""
    return Trust.VERIFIED if any(True for _ in proofs) else max(signs, default=Trust.UNKNOWN)


def check(
    tool: str,
    trust: Trust,
    required: Mapping[str, Trust],
    *,
    default: Trust = Trust.UNKNOWN,
    proofs: tuple[Proof, ...] = (),
) -> Allowed | Refused:
    """Whether a caller of this trust may have `tool` run; `default`: what a tool needs that is not
    named. `proofs`: what the agent has means for."""
    if trust >= required.get(tool, default):
        return Allowed()
    help_ = " or ".join(_HELP[proof] for proof in proofs)
    more = f"To go on, {help_}." if help_ else "It cannot be done in this call; offer a person."
    return refuse(Rule.TRUST, more)
