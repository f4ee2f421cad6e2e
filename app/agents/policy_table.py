"""`[policy]`: what an agent may reach, how often, for how much, and for whom. Outside the model."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

import phonenumbers
from pydantic import ConfigDict, Field, with_config

from app.agents.shapes import fitting, shaped

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
TrustLevel: TypeAlias = Literal["unknown", "asserted", "attested", "verified"]
AtCap: TypeAlias = Literal["warn", "downgrade", "end"]
_Count: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]
_Dollars: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000)]


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    labels = text.split(".")
    return len(text) <= 253 and all(
        label and len(label) <= 63 and label.replace("-", "a").isalnum() and label.isascii()
        and label == label.lower() and label.strip("-") == label
        for label in labels
    )  # fmt: skip


def _is_sip_host(text: str) -> bool:
    try:
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _is_host(text) and not text.rpartition(".")[2].isdigit()
    return text == (str(address) if address.version == 4 else f"[{address}]")


_Country: TypeAlias = Annotated[
    str,
    fitting(phonenumbers.SUPPORTED_REGIONS.__contains__, 'two capital letters such as "DE"'),
]
_Prefix: TypeAlias = Annotated[
    str, shaped(r"\+[1-9][0-9]{0,14}", 'plus and digits such as "+4930"')
]
_SipHost: TypeAlias = Annotated[
    str, fitting(_is_sip_host, 'a host in small letters such as "pbx.example.com", or its address')
]
_Domain: TypeAlias = Annotated[
    str, fitting(_is_host, 'a SIP domain in small letters such as "you.sip.twilio.com"')
]
_Network: TypeAlias = Annotated[
    str, fitting(is_network, 'an address or a network such as "203.0.113.0/24"')
]
_Header: TypeAlias = Annotated[
    str,
    shaped(r"(?i:X-[a-z0-9][a-z0-9-]{0,60}|User-to-User)", '"X-..." or "User-to-User"'),
]
_Name: TypeAlias = Annotated[
    str, shaped(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,119}", "a name of letters and digits")
]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyLimits:
    """The most there may be; 0: none at all. An hour and a day begin with what is counted first."""

    dials_per_call: _Count = 5
    """Calls, transfers and REFERs that one call may lead to."""
    dials_per_caller_hour: _Count = 10
    """The same for one caller's number; all who withhold it count together."""
    dials_per_caller_day: _Count = 30
    dials_per_destination_hour: _Count = 10
    """To one number that is no configured target."""
    dials_per_destination_day: _Count = 30
    dials_per_country_hour: _Count = 60
    """To numbers of one country that are no configured targets."""
    sms_per_call: _Count = 3
    sms_per_number_day: _Count = 5
    sms_per_day: _Count = 200
    """Of this agent, to all."""
    spend_per_call_usd: _Dollars = 5.0
    """What dials and messages of one call may cost, in US dollars."""
    spend_per_day_usd: _Dollars = 100.0
    """What those of all calls of this agent may cost in a day."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySpend:
    """What a call may cost, its model included."""

    cap_usd: _Dollars = 0.0
    """In US dollars. 0: no cap."""
    warn_share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """At this share of it the operator is warned, above 0 and up to 1."""
    at_cap: AtCap = "warn"
    """What happens at the cap: only a warning, on with a cheaper model, or a goodbye."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the agent must never do is not left to its model. All that is not opened is closed."""

    countries: tuple[_Country, ...] = ()
    """Countries whose numbers may be reached, as two letters (ISO 3166). []: the line's own."""
    allow_prefixes: tuple[_Prefix, ...] = ()
    """Numbers that begin so may be reached too; a whole number is a prefix as well."""
    deny_prefixes: tuple[_Prefix, ...] = ()
    """Numbers that begin so may not. The longer prefix wins, this one when both are as long."""
    free_numbers: bool = False
    """The model may name numbers, not only configured targets: the caller's own, and such as begin
    with one of allow_prefixes."""
    national_numbers: bool = False
    """It may leave out their country code."""
    toll_free: bool = False
    """Toll-free numbers may be reached."""
    sip_hosts: tuple[_SipHost, ...] = ()
    """Hosts to which SIP addresses may lead, exactly."""
    sip_ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = (5060, 5061)
    """Ports that a SIP address may name."""
    sip_headers: tuple[_Header, ...] = ()
    """Headers that a SIP address may bring: "X-..." or "User-to-User"."""
    clients: tuple[_Name, ...] = ()
    """Clients that may be reached besides those in transfer targets."""
    queues: tuple[_Name, ...] = ()
    """Queues that may be reached besides those in transfer targets."""
    trust: Mapping[str, TrustLevel] = field(default_factory=dict)
    """How sure it must be who calls before a tool runs: tool -> level."""
    default_trust: TrustLevel = "unknown"
    """What tools need that `trust` does not name."""
    proofs: Mapping[str, Literal["pin", "call_back"]] = field(default_factory=dict)
    """Tools whose success proves who calls: tool -> what the caller did."""
    sip_domains: tuple[_Domain, ...] = ()
    """SIP domains whose callers log in or come from a list of addresses: they are attested."""
    sip_networks: tuple[_Network, ...] = ()
    """Where those callers must come from besides. []: anywhere."""
    emergency_number: Annotated[str, Field(pattern=r"^[0-9]{0,6}$")] = ""
    """What callers who may be in danger are told to call. "": 112, 911 or the local one."""
    emergencies: bool = True
    """Such callers are told at once."""
    limits: PolicyLimits = field(default_factory=PolicyLimits)
    """How often, and for how much."""
    spend: PolicySpend = field(default_factory=PolicySpend)
    """What a call may cost."""
