"""`sip.toml`: what an operator wants at the carrier, beside the agents' files."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from app.agents.shapes import fitting, shaped
from app.agents.toml_file import Form, Wrong, read_toml

SIP_FILE: Final = "sip.toml"
_STRICT = ConfigDict(strict=True, extra="forbid")


class SipFileError(ValueError):
    """The operator's file is wrong; one line for each problem."""


def is_network(text: str) -> bool:
    """An IPv4 address or network: lists of addresses take nothing else."""
    try:
        return ipaddress.ip_network(text).version == 4
    except ValueError:
        return False


_Name: TypeAlias = Annotated[str, shaped(r"[^\s].{0,62}[^\s]|[^\s]", "a name of up to 64 letters")]
_Number: TypeAlias = Annotated[
    str, shaped(r"\+[1-9][0-9]{7,14}", "a number in E.164 form such as +14155550100")
]
_Label: TypeAlias = Annotated[
    str,
    shaped(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        'the first part of a domain such as "acme", of small letters, digits and -',
    ),
]
_Variable: TypeAlias = Annotated[
    str, shaped(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")
]
_User: TypeAlias = Annotated[
    str, shaped(r"[A-Za-z0-9_.+-]{1,32}", "a user of letters, digits, _ . + and -")
]
_Network: TypeAlias = Annotated[
    str, fitting(is_network, 'an IPv4 address or network such as "203.0.113.0/24"')
]
_SipUri: TypeAlias = Annotated[
    str, shaped(r"sips?:[^\s@]+(@[^\s@]+)?", 'a SIP address such as "sip:pbx.example.com"')
]
_Url: TypeAlias = Annotated[str, shaped(r"(https?://\S+)?", "an https:// address")]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTable:
    """A number of the account that this bot answers."""

    number: _Number
    agent: str = ""
    """Who answers. Default: what routes and EARSHOT_AGENT say."""
    fallback: _Url = ""
    """TwiML for when this bot cannot be reached. Default: the one of [defaults]."""
    trunk: str = ""
    """An elastic trunk that the number's calls go to instead."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsTable:
    """A list of users who may log in."""

    name: _Name
    users: Mapping[_User, _Variable]
    """User = the environment variable that holds the password."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesTable:
    """A list of addresses that calls may come from."""

    name: _Name
    allow: tuple[_Network, ...]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTable:
    """A SIP domain: calls to it are answered by this bot."""

    name: _Label
    """NAME.sip.twilio.com"""
    agent: str = ""
    credentials: tuple[str, ...] = ()
    """Lists of users, one of whom callers must log in as."""
    addresses: tuple[str, ...] = ()
    """Lists of addresses that calls may come from."""
    registration: tuple[str, ...] = ()
    """Lists of users whose telephones may register here."""
    fallback: _Url = ""
    secure: bool = False
    """Encrypted signalling and media only."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """Where calls are sent."""

    uri: _SipUri
    priority: Annotated[int, Field(ge=0, le=65_535)] = 10
    """The lowest is tried first."""
    weight: Annotated[int, Field(ge=1, le=65_535)] = 10
    """Shares of calls among those of one priority."""
    enabled: bool = True


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ByocTable:
    """Numbers of another carrier's: this bot answers their calls, and calls go out there."""

    name: _Name
    agent: str = ""
    to: tuple[TargetTable, ...] = ()
    """The carrier's, for calls that go out."""
    from_domain: str = ""
    """The SIP domain of this file that calls show as their origin."""
    fallback: _Url = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkTable:
    """An elastic trunk: no webhook and no bot, only a way between Twilio's network and a SIP
    system."""

    name: _Name
    domain: str = ""
    """Termination: NAME in NAME.pstn.twilio.com, to which the SIP system sends its calls."""
    to: tuple[TargetTable, ...] = ()
    """Origination: where calls to the trunk's numbers go."""
    credentials: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    secure: bool = False
    refer: Literal["disable-all", "enable-all", "sip-only"] = "disable-all"
    """Whether the SIP system may transfer calls by REFER."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """For all tables of the file."""

    fallback: _Url = ""
    """TwiML on another host for when this bot cannot be reached."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SipFile:
    """The file as a whole."""

    defaults: Defaults = field(default_factory=Defaults)
    number: tuple[NumberTable, ...] = ()
    credentials: tuple[CredentialsTable, ...] = ()
    addresses: tuple[AddressesTable, ...] = ()
    domain: tuple[DomainTable, ...] = ()
    byoc: tuple[ByocTable, ...] = ()
    trunk: tuple[TrunkTable, ...] = ()
    source: Path = Path(SIP_FILE)


def load_sip_file(path: Path) -> SipFile:
    """Raises `SipFileError`, one line for each problem."""
    return read_toml(path, _FORM, lambda text: {"source": str(path)}, _mistakes)


def _mistakes(file: SipFile, _data: Mapping[str, object]) -> Iterator[Wrong]:
    yield from _twice(file)
    yield from _names(file)
    for at, domain in enumerate(file.domain):
        if not (domain.credentials or domain.addresses):
            text = "expected credentials or addresses: Twilio lets nobody in without one of them."
            yield Wrong(("domain", at, "name"), text)
    for at, trunk in enumerate(file.trunk):
        if trunk.domain and not (trunk.credentials or trunk.addresses):
            text = "expected credentials or addresses: a trunk that anyone may call out by is open."
            yield Wrong(("trunk", at, "domain"), text)
    for at, number in enumerate(file.number):
        if number.trunk and (number.agent or number.fallback):
            text = "expected no agent and no fallback: calls of a trunk's number reach no bot."
            yield Wrong(("number", at, "trunk"), text)


def _twice(file: SipFile) -> Iterator[Wrong]:
    tables = (
        ("number", [one.number for one in file.number], "number"),
        ("credentials", [one.name for one in file.credentials], "name"),
        ("addresses", [one.name for one in file.addresses], "name"),
        ("domain", [one.name for one in file.domain], "name"),
        ("byoc", [one.name for one in file.byoc], "name"),
        ("trunk", [one.name for one in file.trunk], "name"),
    )
    for table, names, key in tables:
        for at, name in enumerate(names):
            if name in names[:at]:
                yield Wrong((table, at, key), f'expected each once, got "{name}" again.')
    lists: list[tuple[str, int, list[str]]] = [
        ("addresses", at, [str(ipaddress.ip_network(text)) for text in one.allow])
        for at, one in enumerate(file.addresses)
    ]
    lists += [("byoc", at, [to.uri for to in one.to]) for at, one in enumerate(file.byoc)]
    lists += [("trunk", at, [to.uri for to in one.to]) for at, one in enumerate(file.trunk)]
    for table, place, given in lists:
        if len(set(given)) < len(given):
            yield Wrong((table, place), "expected each address once.")


def _names(file: SipFile) -> Iterator[Wrong]:
    """What one table says of another must be there."""
    logins = [one.name for one in file.credentials]
    lists = [one.name for one in file.addresses]
    trunks, domains = [one.name for one in file.trunk], [one.name for one in file.domain]
    wanted: list[tuple[str, int, str, tuple[str, ...], list[str]]] = []
    for at, domain in enumerate(file.domain):
        wanted.append(("domain", at, "credentials", domain.credentials, logins))
        wanted.append(("domain", at, "registration", domain.registration, logins))
        wanted.append(("domain", at, "addresses", domain.addresses, lists))
    for at, trunk in enumerate(file.trunk):
        wanted.append(("trunk", at, "credentials", trunk.credentials, logins))
        wanted.append(("trunk", at, "addresses", trunk.addresses, lists))
    for at, number in enumerate(file.number):
        wanted.append(("number", at, "trunk", (number.trunk,) if number.trunk else (), trunks))
    for at, byoc in enumerate(file.byoc):
        shown = (byoc.from_domain,) if byoc.from_domain else ()
        wanted.append(("byoc", at, "from_domain", shown, domains))
    for table, at, key, named, there in wanted:
        for name in named:
            if name not in there:
                known = ", ".join(there) or "none"
                yield Wrong(
                    (table, at, key), f'there is no "{name}" in this file; there are: {known}.'
                )


_FORM: Form[SipFile] = Form(
    adapter=TypeAdapter(SipFile), root=SipFile, what="a file such as sip.toml", error=SipFileError
)
