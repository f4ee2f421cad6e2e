"""Whom and what the telephone's tools may name, and how a model is told of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from app.onward.ways import Way

Function: TypeAlias = Callable[..., Any]
"""One that a tool is made of."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Whom and what an agent's telephone tools may name."""

    transfers: Mapping[str, Way] = field(default_factory=dict)
    colleagues: Mapping[str, str] = field(default_factory=dict)
    """Other agents: name -> what they are for."""
    languages: tuple[str, ...] = ()
    voicemail: bool = False
    menu: bool = False


def choice(names: Mapping[str, str] | tuple[str, ...]) -> Any:
    """The type of an argument that is one of these names."""
    return Literal[tuple(names)]


def listed(lines: Mapping[str, str]) -> str:
    """Names, and when each is the right one."""
    return "; ".join(f"{name}: {when}" if when else name for name, when in lines.items())
