"""Things at the carrier, by names that people give them: a number, a domain, a list, a trunk.

A name is what makes a thing the same one at the next run; its SID is known once it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias


class Kind(StrEnum):
    """In the order in which they are made: each refers to earlier ones only."""

    CREDENTIAL_LIST = "credential list"
    CREDENTIAL = "credential"
    ADDRESS_LIST = "address list"
    ADDRESS = "address"
    POLICY = "connection policy"
    TARGET = "connection target"
    DOMAIN = "SIP domain"
    DOMAIN_CREDENTIALS = "call login"
    DOMAIN_ADDRESSES = "call addresses"
    DOMAIN_REGISTRATION = "phone login"
    BYOC = "BYOC trunk"
    TRUNK = "elastic trunk"
    ORIGINATION = "origination"
    TRUNK_CREDENTIALS = "trunk login"
    TRUNK_ADDRESSES = "trunk addresses"
    NUMBER = "number"


RANK: Final[Mapping[Kind, int]] = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Key:
    """What tells one thing from all others, before and after it is there."""

    kind: Kind
    name: str
    owner: "Key | None" = None
    """The thing that it is part of, such as an address's list."""

    @property
    def shown(self) -> str:
        return f"{self.name} of {self.owner.name}" if self.owner is not None else self.name


@dataclass(frozen=True, slots=True)
class Ref:
    """The SID of another thing, which may not be there yet."""

    key: Key


Value: TypeAlias = str | Ref


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing as it should be."""

    key: Key
    fields: Mapping[str, Value] = field(default_factory=dict)
    """Compared with what is there. Fields that are not named are left as they are."""
    given: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """Told when it is made and never read back, such as a password."""


@dataclass(frozen=True, slots=True)
class Present:
    """One thing as it is."""

    key: Key
    sid: str
    fields: Mapping[str, str] = field(default_factory=dict)
