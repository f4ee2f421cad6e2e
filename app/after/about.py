"""What must be known of a call when nobody is left who carried it."""

from typing import Literal, TypeAlias, TypeVar

import msgspec

Where: TypeAlias = Literal["offered", "stream", "lost", "handed_on"]
"""Let in; with a stream; its stream ended and may come back; with a person or a menu."""
T = TypeVar("T")


class About(msgspec.Struct, frozen=True):
    agent: str
    direction: str = ""
    began_s: float = 0.0
    """Unix seconds."""
    where: Where = "stream"
    caller: str = ""
    called: str = ""

    def with_stream(self, agent: str, direction: str) -> "About":
        """The same call, with a stream of this agent's."""
        direction = direction or self.direction
        return msgspec.structs.replace(self, agent=agent, direction=direction, where="stream")

    def at(self, where: Where, agent: str) -> "About":
        return msgspec.structs.replace(self, where=where, agent=agent)


class Over(msgspec.Struct, frozen=True):
    """How a call ended."""

    reason: str
    """An `EndReason`, the carrier's state, or "unknown"."""
    duration_s: int | None = None


def read(data: bytes | None, kind: type[T]) -> T | None:
    """None for nothing and for what this version cannot read."""
    if not data:
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
