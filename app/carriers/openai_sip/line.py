"""The line of a call whose sound does not come here. See `app.carriers.line.Line`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.call.commands import EndCall
from app.carriers.line import Frame, Hears

CLEAR: Final = "clear"
"""All that is ever said on it: let the model's side fall silent."""


class NoClock:
    """No caller audio comes, so none is missing."""

    always_on = False

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        return 0

    def due_padding(self, now_ms: int) -> int:
        return 0

    def at(self, now_ms: int) -> tuple[int, int]:
        return now_ms, now_ms


class SilentLine:
    """One per call."""

    def __init__(self) -> None:
        self.clock = NoClock()
        self.violations: Mapping[Any, int] = {}

    def receive(self, frame: Frame, call: Hears) -> bool:
        """Nothing comes on it."""
        return True

    def closed(self, code: int, call: Hears) -> None:
        call.carrier_closed("lost", "the line closed")

    def audio(self, ulaw: bytes) -> Sequence[Frame]:
        raise RuntimeError("audio for a call whose sound is the model's side's own")

    def mark(self, name: str) -> Sequence[Frame]:
        raise RuntimeError("a mark for a call whose sound is the model's side's own")

    def clear(self) -> Sequence[Frame]:
        return (CLEAR,)

    def idle(self, now_ms: int) -> Sequence[Frame]:
        return ()

    def farewell(self, end: EndCall) -> Sequence[Frame]:
        return ()
