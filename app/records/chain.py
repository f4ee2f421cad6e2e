"""Evidence: what a call did that somebody may ask for later, as a chain of hashes.

A chain is a file of JSON Lines, one link each. A link holds the hash of the one before it and its
own, over its bytes as they stand, so that no byte of a chain that was closed can be changed, and no
link taken out or put in, without its being found. The first link names the call, the last one is of
the kind "closed". With a key the hashes are keyed (HMAC), so that who can write the file but does
not have the key cannot make another chain either; without one, keep the last hash somewhere else
(it stands in `timeline.json`, in the database and in the log).

    {"number":1,"at":"2026-11-22T05:00:00.000Z","ms":0,"kind":"began","what":{...},"after":"","hash":"..."}
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

BEGAN: Final = "began"
CLOSED: Final = "closed"
_HASH: Final = re.compile(rb',"hash":"([0-9a-f]{64})"\}\Z')
_FIELDS: Final = ("number", "at", "ms", "kind", "what", "after", "hash")


@dataclass(frozen=True, slots=True)
class Link:
    """One of a chain. `ms`: of the call's clock. `what`: its facts, JSON values by name."""

    number: int
    at: str
    ms: int
    kind: str
    what: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain is broken. `line`: from 1."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`whole`: nothing was changed and the chain was closed. A chain without faults that is not
    closed belongs to a call that goes on, or whose worker was killed."""

    links: tuple[Link, ...]
    faults: tuple[Fault, ...]

    @property
    def closed(self) -> bool:
        return bool(self.links) and self.links[-1].kind == CLOSED

    @property
    def whole(self) -> bool:
        return self.closed and not self.faults

    @property
    def head(self) -> str:
        """The last hash."""
        return self.links[-1].hash if self.links else ""


class Chain:
    """Makes links, one after the other. `after`: the head of the chain that this one goes on from,
    where a call has several streams."""

    def __init__(self, key: bytes = b"", after: str = "") -> None:
        self._key = key
        self.head = after
        self.number = 0

    def link(self, kind: str, ms: int, at_ms: int, what: Mapping[str, Any]) -> bytes:
        """The next line, its line feed included. `at_ms`: Unix milliseconds."""
        self.number += 1
        at = _written(at_ms)
        fields = {"number": self.number, "at": at, "ms": ms, "kind": kind, "what": dict(what)}
        body = msgspec.json.encode({**fields, "after": self.head})[:-1]
        self.head = _hash(body, self._key)
        return body + f',"hash":"{self.head}"}}\n'.encode()


def verify(chain: bytes, key: bytes = b"") -> Verdict:
    """Every fault of a chain: each line is judged by itself and against the one before."""
    links: list[Link] = []
    faults: list[Fault] = []
    lines = chain.split(b"\n")
    rest = lines.pop()
    if rest or not lines:
        faults.append(Fault(len(lines) + 1, "the file breaks off in the middle of a line"))
    after: str | None = None
    for number, line in enumerate(lines, 1):
        link, why = _read(line, number, after, key)
        faults += [Fault(number, each) for each in why]
        if link is not None:
            links.append(link)
        after = _claimed(line)
    faults += _order(links)
    return Verdict(tuple(links), tuple(sorted(faults, key=lambda fault: fault.line)))


def last_hash(chain: bytes) -> str:
    """The head as the file has it, unproved; "" where there is none."""
    return _claimed(chain.rstrip(b"\n").rpartition(b"\n")[2]) or ""


def _read(line: bytes, number: int, after: str | None, key: bytes) -> tuple[Link | None, list[str]]:
    claimed = _claimed(line)
    if claimed is None:
        return None, ["it does not end in a hash"]
    why = []
    body = line[: -len(f',"hash":"{claimed}"}}')]
    if not hmac.compare_digest(_hash(body, key), claimed):
        why.append("it does not fit its hash: it was changed, or another key was used")
    try:
        fields = msgspec.json.decode(line)
        if tuple(fields) != _FIELDS:
            return None, [*why, "its fields are not those of a link"]
        link = Link(*(fields[name] for name in _FIELDS if name != "after"))
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return None, [*why, "it is no link"]
    if link.number != number:
        why.append(f"it is numbered {link.number}")
    if after is not None and fields["after"] != after:
        why.append("it does not follow the link before it")
    return link, why


def _order(links: list[Link]) -> Iterator[Fault]:
    for place, link in enumerate(links, 1):
        if (link.kind == BEGAN) is not (place == 1):
            yield Fault(place, f'the first link, and no other, is of the kind "{BEGAN}"')
        if link.kind == CLOSED and place < len(links):
            yield Fault(place, "links follow the one that closed the chain")


def _claimed(line: bytes) -> str | None:
    found = _HASH.search(line)
    return None if found is None else found[1].decode()


def _hash(body: bytes, key: bytes) -> str:
    if key:
        return hmac.new(key, body, hashlib.sha256).hexdigest()
    return hashlib.sha256(body).hexdigest()


def _written(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1_000:03d}Z"
