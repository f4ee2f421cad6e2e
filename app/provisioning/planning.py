"""What is to be done so that what is there becomes what is wanted: `plan(wanted, present)`.

Rules:
1. Done to the end, a plan leaves nothing to do: planning again gives no action.
2. Whatever a thing refers to, or is part of, is made before it.
3. What is not wanted stays, unless deletion is asked for; and even then only parts of wanted things
   go (an address of a list, a target of a trunk), never a list, a domain, a trunk or a number.
4. Numbers are bought by people: one that the account does not have is a problem, not an action.
5. Two things of one name are a problem: which one is meant cannot be known.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.provisioning.resources import RANK, Key, Kind, Present, Ref, Value, Wanted

UNSET: Final = ""
"""How a field reads that holds nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of one field."""

    name: str
    old: str
    new: str = field(repr=False)
    """As people are told: a thing that is referred to by its name."""
    value: Value = field(repr=False)


@dataclass(frozen=True, slots=True)
class Create:
    wanted: Wanted

    @property
    def key(self) -> Key:
        return self.wanted.key


@dataclass(frozen=True, slots=True)
class Update:
    key: Key
    sid: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    key: Key
    sid: str


Action: TypeAlias = Create | Update | Delete


@dataclass(frozen=True, slots=True)
class Problem:
    """What no action mends."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()
    """In the order in which they are to be done."""
    left: tuple[Present, ...] = ()
    """Parts of wanted things that nobody wants, and that stay."""
    problems: tuple[Problem, ...] = field(default=())

    @property
    def is_done(self) -> bool:
        return not self.actions and not self.problems


def plan(wanted: Sequence[Wanted], present: Iterable[Present], *, delete: bool = False) -> Plan:
    """`delete`: parts of wanted things that nobody wants are taken away.

    Raises `ValueError` for two wanted things of one name: the caller's own mistake.
    """
    there = list(present)
    by_key = {one.key: one for one in there}
    twice = {key for key, count in Counter(one.key for one in there).items() if count > 1}
    _check(wanted)
    keys = {one.key for one in wanted}
    actions: list[Action] = []
    problems: list[Problem] = []
    for one in sorted(wanted, key=lambda one: RANK[one.key.kind]):
        lost = [ref for ref in _refs(one) if ref not in by_key and ref not in keys]
        if lost:
            problems.append(_lost(one.key, lost[0]))
        elif one.key in twice or (one.key.owner is not None and one.key.owner in twice):
            problems.append(_ambiguous(one.key))
        elif one.key in by_key:
            actions += _updated(one, by_key[one.key], by_key)
        elif one.key.kind is Kind.NUMBER:
            problems.append(_not_ours(one.key))
        else:
            actions.append(Create(one))
    unwanted = [one for one in _unwanted(wanted, there) if one.key.owner not in twice]
    if delete:
        actions += [Delete(one.key, one.sid) for one in reversed(unwanted)]
    return Plan(tuple(actions), () if delete else tuple(unwanted), tuple(problems))


def _check(wanted: Sequence[Wanted]) -> None:
    twice = [key for key, count in Counter(one.key for one in wanted).items() if count > 1]
    if twice:
        raise ValueError(f"expected each {twice[0].kind} once, got {twice[0].shown} twice")


def _updated(wanted: Wanted, present: Present, by_key: Mapping[Key, Present]) -> list[Action]:
    changes = []
    for name, value in wanted.fields.items():
        old, new = present.fields.get(name, UNSET), _known(value, by_key)
        if new is None or new != old:
            shown = new if not isinstance(value, Ref) else value.key.name
            changes.append(Change(name, old, shown or UNSET, value))
    return [Update(wanted.key, present.sid, tuple(changes))] if changes else []


def _known(value: Value, by_key: Mapping[Key, Present]) -> str | None:
    """None: the SID of what is not there yet."""
    if not isinstance(value, Ref):
        return value
    referred = by_key.get(value.key)
    return None if referred is None else referred.sid


def _unwanted(wanted: Sequence[Wanted], present: Sequence[Present]) -> list[Present]:
    """Parts of wanted things only: what stands alone may be somebody else's."""
    keys = {one.key for one in wanted}
    found = [one for one in present if one.key.owner in keys and one.key not in keys]
    return sorted(found, key=lambda one: RANK[one.key.kind])


def _refs(wanted: Wanted) -> list[Key]:
    values = (*wanted.fields.values(), *wanted.given.values())
    return [value.key for value in values if isinstance(value, Ref)]


def _lost(key: Key, ref: Key) -> Problem:
    return Problem(key, f"there is no {ref.kind} {ref.shown} yet; make it first: earshot sip apply")


def _ambiguous(key: Key) -> Problem:
    return Problem(key, "there are two of this name; rename one of them in Twilio's console")


def _not_ours(key: Key) -> Problem:
    return Problem(key, "the account has no such number; buy it first, or correct it")
