"""What an agent may reach: the rules that its operator sets, checked once, when they are made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import phonenumbers

from app.policy.numbers import Number, read_number
from app.policy.sip_uris import HEADER_NAME, HOST, ip_literal

SIP_PORTS: Final = (5060, 5061)
PREFIX: Final = re.compile(r"\+[1-9][0-9]{0,14}")
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,119}")
"""Of clients and queues."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class RulesError(ValueError):
    """The operator's rules cannot be meant; the message says which and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRules:
    """By default: configured targets in the country of the line's own numbers, and nothing else.

    Raises `RulesError`.
    """

    own_numbers: tuple[str, ...] = ()
    """The line's own, E.164. Never dialled, and what counts as home."""
    countries: tuple[str, ...] = ()
    """ISO 3166 codes. None: the countries of `own_numbers`."""
    allow_prefixes: tuple[str, ...] = ()
    """Such as "+4930": reached besides `countries`. A whole number is a prefix too."""
    deny_prefixes: tuple[str, ...] = ()
    """Not reached. The longer prefix wins, this one when both are as long."""
    free_numbers: bool = False
    """Targets may be named by their number by models, callers and data; even then it must be the
    caller's own or begin with one of `allow_prefixes`."""
    national_numbers: bool = False
    """Those may leave out the country code."""
    toll_free: bool = False
    sip_hosts: tuple[str, ...] = ()
    """Exact names or IP addresses."""
    sip_schemes: tuple[str, ...] = ("sip", "sips")
    sip_ports: tuple[int, ...] = SIP_PORTS
    """Those that an address may name."""
    sip_headers: tuple[str, ...] = ()
    """Names that an address may bring: `X-...` or `User-to-User`."""
    clients: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    targets: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """What a model may name: key -> number, `sip:`, `client:` or `queue:` as the operator wrote it.
    Clients and queues in it count as listed."""

    def __post_init__(self) -> None:
        for own in self.own_numbers:
            if not isinstance(read_number(own), Number):
                raise RulesError("own_numbers: expected numbers with + and country code")
        for country in self.countries:
            if country not in phonenumbers.SUPPORTED_REGIONS:
                raise RulesError('countries: expected two capital letters such as "DE"')
        for prefix in (*self.allow_prefixes, *self.deny_prefixes):
            if not PREFIX.fullmatch(prefix):
                raise RulesError('prefixes: expected + and digits, such as "+4930"')
        for host in self.sip_hosts:
            if not (HOST.fullmatch(host) or ip_literal(host) == host):
                raise RulesError("sip_hosts: expected host names in small letters")
        for header in self.sip_headers:
            if not HEADER_NAME.fullmatch(header):
                raise RulesError("sip_headers: expected names that begin with X-, or User-to-User")
        for name in (*self.clients, *self.queues):
            if not NAME.fullmatch(name):
                raise RulesError("clients and queues: expected names without spaces")

    @property
    def home(self) -> tuple[str, ...]:
        """The countries of the line's own numbers."""
        return _regions_of(self.own_numbers)

    @property
    def reached(self) -> tuple[str, ...]:
        """The countries that may be reached."""
        return self.countries or self.home

    @property
    def region(self) -> str | None:
        """Where a number without its country code is understood."""
        return self.home[0] if self.home else None

    def listed(self, kind: str) -> frozenset[str]:
        """Names of clients or queues; `kind`: "client" or "queue"."""
        own = self.clients if kind == "client" else self.queues
        named = (target.partition(":") for target in self.targets.values())
        return frozenset(own) | {name for scheme, _, name in named if scheme == kind}


@lru_cache(maxsize=256)
def _regions_of(own_numbers: tuple[str, ...]) -> tuple[str, ...]:
    read = (read_number(own) for own in own_numbers)
    regions = [number.region for number in read if isinstance(number, Number)]
    return tuple(dict.fromkeys(region for region in regions if region != "001"))
