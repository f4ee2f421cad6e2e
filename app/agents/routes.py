"""Which agent answers: rules over what was dialled, who calls and what a SIP call brings along.

`routes.toml` lists `[[route]]` tables; the first one that fits a call names its agent. Patterns
have one wildcard, `*`, which stands for any number of characters, none included.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter, with_config

from app.agents.loading import ROUTES_FILE, AgentError
from app.agents.policy_table import is_network
from app.agents.shapes import fitting, shaped
from app.agents.toml_file import Form, TomlFile, Wrong, read_toml
from app.call.facts import CallFacts, number_of

MOST_ROUTES: Final = 10_000

_NUMBER: Final = re.compile(r"(?:\+[1-9][0-9]*(?:\*[0-9]*)?|\+?\*[0-9]*)\Z", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:(?:sips?:)?[^\s@:;?]+@[^\s@;?]+|client:\S+)\Z", re.ASCII)
_PATTERN: Final = (
    'a number such as "+442079460000", with * for any digits ("+4420*"), or a SIP address such as '
    '"sales@*.example.com"'
)
_DOMAIN: Final = 'a SIP domain in small letters such as "you.sip.twilio.com"'
_NETWORK: Final = 'an address or a network such as "203.0.113.0/24"'
_UNTRUSTED: Final = (
    "expected sip_domains in [trusted]: anyone who may call can write headers, so they choose an "
    "agent only for callers of SIP domains where they log in or come from a list of addresses."
)
_Patterns: TypeAlias = tuple[str, ...]
_STRICT = ConfigDict(strict=True, extra="forbid")


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A call fits if it fits all that is given; of several patterns one is enough."""

    agent: Annotated[str, Field(min_length=1)]
    """Who answers: an agent's name."""
    to: str | _Patterns = ()
    """What was dialled. Default: anything."""
    from_: Annotated[str | _Patterns, Field(alias="from")] = ()
    """Who calls. Default: anybody."""
    sip_domain: str | _Patterns = ()
    """The SIP domain that the call came in through, by the carrier. Default: any or none."""
    sip_header: Mapping[str, str] = field(default_factory=dict)
    """Headers that a SIP call must bring: name = pattern. Only from where [trusted] says."""

    def fits(self, facts: CallFacts, headers_count: bool = False) -> bool:
        """`headers_count`: the call came from where headers are trusted."""
        return (
            _any_fits(_listed(self.to), facts.line)
            and _any_fits(_listed(self.from_), facts.party)
            and _domain_fits(_listed(self.sip_domain), facts.sip_domain)
            and (headers_count or not self.sip_header)
            and all(_fits(value, facts.header(name)) for name, value in self.sip_header.items())
        )

    def covers(self, other: "Route") -> bool:
        """Every call that fits the other fits this one too."""
        mine = {name.casefold(): value for name, value in self.sip_header.items()}
        theirs = {name.casefold(): value for name, value in other.sip_header.items()}
        return (
            _all_covered(_listed(other.to), _listed(self.to))
            and _all_covered(_listed(other.from_), _listed(self.from_))
            and _all_covered(_listed(other.sip_domain), _listed(self.sip_domain))
            and all(n in theirs and _covers(value, theirs[n]) for n, value in mine.items())
        )

    @property
    def shown(self) -> str:
        """As a person reads it, in one line."""
        parts = [f"to {' or '.join(_listed(self.to))}"] if self.to else []
        parts += [f"from {' or '.join(_listed(self.from_))}"] if self.from_ else []
        domains = " or ".join(_listed(self.sip_domain))
        parts += [f"through {domains}"] if domains else []
        parts += [f"{name}: {value}" for name, value in self.sip_header.items()]
        return ", ".join(parts) or "every call"


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Where the headers of SIP calls may choose an agent. The origin decides, never a header."""

    sip_domains: tuple[
        Annotated[str, shaped(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", _DOMAIN)], ...
    ] = ()
    """SIP domains whose callers must log in, or come from a list of addresses."""
    sip_networks: tuple[Annotated[str, fitting(is_network, _NETWORK)], ...] = ()
    """Where their calls must come from besides. Default: anywhere."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The rules of one file, in its order."""

    trusted: Trusted = field(default_factory=Trusted)
    """Origins whose headers count. Default: none."""
    route: Annotated[tuple[Route, ...], Field(max_length=MOST_ROUTES)] = ()
    source: Path = Path(ROUTES_FILE)
    """The file; it need not be there."""

    def find(self, facts: CallFacts, headers_count: bool = False) -> tuple[int, Route] | None:
        """The first rule that a call fits, and its number from 1."""
        numbered = enumerate(self.route, 1)
        fits = ((n, route) for n, route in numbered if route.fits(facts, headers_count))
        return next(fits, None)

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(route.agent for route in self.route))

    def never(self) -> Iterator[tuple[int, int]]:
        """Rules that no call reaches, each with the earlier one that takes its calls, from 1."""
        for at, route in enumerate(self.route):
            before = next((n for n, e in enumerate(self.route[:at], 1) if e.covers(route)), 0)
            if before:
                yield at + 1, before


def routes_path(setting: str) -> Path:
    """`setting`: where the operator says that the file is; "": beside the agents."""
    return Path(setting) if setting else Path("agents") / ROUTES_FILE


def load_routes(path: Path, *, must_exist: bool = False) -> Routes:
    """No rules when there is no such file. Raises `AgentError`, one line for each problem."""
    if not must_exist and not path.exists():
        return Routes(source=path)
    return read_toml(path, _FORM, lambda text: {"source": str(path)}, _mistakes)


def no_such_agent(routes: Routes, agent: str, problem: str) -> AgentError:
    """The first rule that names this agent is wrong."""
    at = next(at for at, route in enumerate(routes.route) if route.agent == agent)
    text = routes.source.read_text(encoding="utf-8") if routes.source.exists() else ""
    file = TomlFile(routes.source, text, {}, _FORM)
    return AgentError(file.wrong(Wrong(("route", at, "agent"), problem)))


def _mistakes(routes: Routes, _file: Mapping[str, object]) -> Iterator[Wrong]:
    for at, route in enumerate(routes.route):
        for key, given in (("to", route.to), ("from", route.from_)):
            for pattern in _listed(given):
                if not pattern or not (_NUMBER.match(pattern) or _ADDRESS.match(pattern)):
                    yield Wrong(("route", at, key), f'expected {_PATTERN}, got "{pattern}".')
        if route.sip_header and not routes.trusted.sip_domains:
            yield Wrong(("route", at, "sip_header"), _UNTRUSTED)


def _listed(patterns: str | _Patterns) -> _Patterns:
    return (patterns,) if isinstance(patterns, str) else patterns


def _any_fits(patterns: _Patterns, address: str) -> bool:
    return not patterns or any(_address_fits(pattern, address) for pattern in patterns)


def _domain_fits(patterns: _Patterns, domain: str) -> bool:
    return not patterns or any(bool(domain) and _fits(pattern, domain) for pattern in patterns)


def _address_fits(pattern: str, address: str) -> bool:
    """A pattern with "@" or ":" is one of addresses, any other one of numbers."""
    if "@" in pattern or ":" in pattern:
        return _fits(_bare(pattern), _bare(address))
    return pattern == "*" or (bool(number := number_of(address)) and _fits(pattern, number))


def _bare(address: str) -> str:
    """Without the scheme and without what may follow the host."""
    text = re.sub(r"\Asips?:", "", address, flags=re.IGNORECASE)
    return re.split("[;?>]", text, maxsplit=1)[0]


def _fits(pattern: str, text: str) -> bool:
    return _glob(pattern.casefold()).match(text.casefold()) is not None


def _all_covered(inner: _Patterns, outer: _Patterns) -> bool:
    if not outer or "*" in outer:
        return True
    return bool(inner) and all(any(_covers(_bare(o), _bare(i)) for o in outer) for i in inner)


def _covers(outer: str, inner: str) -> bool:
    """What fits `inner` fits `outer`: the star of the one is a character like others here."""
    return _fits(outer, inner)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` alone means something, unlike in a shell."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))) + r"\Z", re.DOTALL)


_FORM: Form[Routes] = Form(adapter=TypeAdapter(Routes), root=Routes, error=AgentError)
