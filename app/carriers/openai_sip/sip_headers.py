"""What the SIP headers of an offered call say of it: who calls whom, and what came along.

Whoever may call can write any of it (openai-python, `DataSipHeader`: "untrusted call metadata"). So
it chooses the agent and fills variables, and nothing in it makes a caller trusted: the fields of
`CallFacts` that trust is read from (`stir_verstat`, `sip_domain`, `source_ip`) stay empty.
Form of the headers: RFC 3261, sections 7.3 and 20 (From, To); RFC 5806 (Diversion); RFC 7433.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from app.call.facts import CallFacts, number_of

Headers: TypeAlias = Sequence[tuple[str, str]]
"""Names and values as they came, in their order; a name may come again."""

MOST_ADDRESS_CHARS: Final = 255
MOST_HEADER_BYTES: Final = 4_096
"""Of names and values that are kept for variables, together."""
_COMPACT: Final = {"f": "from", "t": "to"}
"""RFC 3261, 7.3.3."""
_URI: Final = re.compile(r"<\s*([^<>\s]+)\s*>|\A\s*([A-Za-z][A-Za-z0-9+.-]*:[^\s;,<>]+)")
_USER: Final = re.compile(r"(?i:sips?):([^@?>]+)@(\[[^\]]+\]|[^;?>:]+)")
_TEL: Final = re.compile(r"(?i:tel):([^;?>]+)")
_SEPARATORS: Final = re.compile(r"[\s().-]")
_NOBODY: Final = frozenset({"", "anonymous", "unavailable", "restricted", "private", "unknown"})
_USER_TO_USER: Final = "user-to-user"


def read_facts(headers: Headers) -> CallFacts:
    """The facts of a call that is offered. Never raises: what cannot be read is left empty."""
    caller, called = _first(headers, "from"), _first(headers, "to")
    diverted = _first(headers, "diversion")
    return CallFacts(
        direction="inbound",
        origin="sip",
        from_number=caller or "anonymous",
        to_number=dialled(called, diverted),
        forwarded_from=diverted,
        sip_headers=kept(headers),
    )


def dialled(called: str, diverted: str) -> str:
    """The number of ours that was called. A trunk that leads to the connector puts the project's
    id into `To`; the number then stands in `Diversion`."""
    if number_of(called) or not number_of(diverted):
        return called
    return diverted


def kept(headers: Headers) -> dict[str, str]:
    """X-... and User-to-User, by the names as they came. Of several values of one name the first
    counts; what comes after too much of it is left out."""
    found: dict[str, str] = {}
    known: set[str] = set()
    n_bytes = 0
    for name, value in headers:
        folded = name.strip().casefold()
        if folded in known or not (folded.startswith("x-") or folded == _USER_TO_USER):
            continue
        n_bytes += len(name.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace"))
        if n_bytes > MOST_HEADER_BYTES:
            break
        known.add(folded)
        found[name.strip()] = value.strip()
    return found


def _first(headers: Headers, name: str) -> str:
    return next((found for value in _values(headers, name) if (found := address_of(value))), "")


def _values(headers: Headers, name: str) -> Iterator[str]:
    for given, value in headers:
        folded = given.strip().casefold()
        if _COMPACT.get(folded, folded) == name:
            yield value


def address_of(value: str) -> str:
    """The address in a From, To or Diversion: "+" and digits where its user is a number, else
    "sip:user@host"; "" for nobody, or for what is none."""
    found = _URI.search(value[:1_024])
    uri = "" if found is None else (found[1] or found[2])
    if tel := _TEL.match(uri):
        return number_of(_bare(tel[1]))
    sip = _USER.match(uri)
    if sip is None or sip[1].casefold() in _NOBODY:
        return ""
    user = _bare(sip[1].partition(";")[0])
    return number_of(user) or f"sip:{sip[1].partition(';')[0]}@{sip[2]}"[:MOST_ADDRESS_CHARS]


def _bare(user: str) -> str:
    return _SEPARATORS.sub("", user)
