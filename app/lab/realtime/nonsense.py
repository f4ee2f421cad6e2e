"""Garbage between the events, for clients that must survive a model talking nonsense."""

from collections.abc import Iterator
from itertools import cycle
from typing import Final, TypeAlias

from app.lab.realtime.behaviour import Behaviour, Nonsense

FrameParts: TypeAlias = tuple[str, bytes, bool]
"""Type for the log, payload, and whether it is a text frame."""

GARBAGE: Final[dict[Nonsense, FrameParts]] = {
    "not_json": ("nonsense", b'{"type":"response.output_audio.delta","delta":"', True),
    "unknown_event": (
        "nonsense",
        b'{"type":"response.telepathy.delta","event_id":17,"odd":[null,{"deep":[1e400]}]}',
        True,
    ),
    "missing_fields": ("nonsense", b'{"type":"response.output_audio.delta"}', True),
    "binary": ("nonsense", bytes(range(256)), False),
}


class Garbler:
    """Passes events on, and after (or instead of) every n-th one something meaningless."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._kinds = cycle(behaviour.nonsense)
        self._count = 0

    def pass_on(self, type_: str, payload: bytes) -> Iterator[FrameParts]:
        self._count += 1
        due = self._behaviour.nonsense and self._count % self._behaviour.nonsense_every == 0
        if not (due and self._behaviour.nonsense_replaces):
            yield type_, payload, True
        if due:
            yield GARBAGE[next(self._kinds)]
