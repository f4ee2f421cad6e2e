"""What keys say must not be heard by anybody: their tones, and digits that are read aloud.

A telephone may send the tone of a key as sound besides the carrier's message of it. So the caller's
audio passes here first, before any model, voice detector, memory or recording. `Keypad.guard` says
what may pass:

    none       everything
    tones      everything but tones, without delay; of a tone's start less than 15 ms pass
    undecided  keys were pressed that may come to be private: as "private", and whoever keeps the
               audio should keep it back
    private    a private number is asked for, or was just typed: tones are taken out from before
               their start, for which all audio is held back by 60 ms
    typing     silence, from the first key to the end of the entry

Speech passes until the first key, because a caller may answer in words instead.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from app.call.keypad import Guard
from telecodecs import KeyToneGate

HELD_FRAMES: Final = 3
"""So much is held back while tones must not even begin to pass; in the loudest surroundings a tone
is told from a voice 50 ms late."""
_STRICT: Final = ("undecided", "private")


class Frame(Struct, frozen=True, gc=False):
    """A piece of caller audio on its way."""

    payload_b64: str
    """"" for silence."""
    ulaw: bytes
    n_bytes: int
    end_ms: int
    """On the carrier's clock."""


def hushed(frame: Frame) -> Frame:
    """As long, and silent."""
    return Frame("", b"", frame.n_bytes, frame.end_ms)


class Shield:
    """One per call. `guard` is set by whoever asks the keypad; see `follow`."""

    def __init__(self) -> None:
        self.guard: Guard = "tones"
        self.hushed_frames = 0
        """Frames with sound that were made silent."""
        self._gate = KeyToneGate()
        self._held: deque[Frame] = deque()
        self._tail = False
        """The last frame held a tone: what is left of it is in this one."""

    def follow(self, guard: Guard) -> list[Frame]:
        """From now on this may pass. Returns what was held back and may go now."""
        if guard == self.guard:
            return []
        self.guard = guard
        if guard == "typing":
            # The tone of the key that was pressed may have begun in what is held.
            return self._let_go(hush=True)
        return [] if guard in _STRICT else self._let_go()

    def pass_on(self, frame: Frame) -> list[Frame]:
        """Take a frame as it came; returns those that may go now, in order."""
        guard = self.guard
        if guard == "none":
            return [frame]
        if guard == "typing":
            self._tail = True
            return [self._hush(frame)]
        strict = guard in _STRICT
        if not frame.ulaw:
            clean = frame
        elif self._gate.suspects(frame.ulaw) if strict else self._gate.hears(frame.ulaw):
            self._tail = True
            self._held = deque(map(self._hush, self._held))
            clean = self._hush(frame)
        elif self._tail:
            self._tail = False
            clean = self._hush(frame)
        else:
            clean = frame
        if not strict:
            return [clean]
        self._held.append(clean)
        return [self._held.popleft()] if len(self._held) > HELD_FRAMES else []

    def _let_go(self, *, hush: bool = False) -> list[Frame]:
        held: Iterator[Frame] = iter(self._held)
        self._held = deque()
        return [self._hush(frame) for frame in held] if hush else list(held)

    def _hush(self, frame: Frame) -> Frame:
        if not frame.ulaw:
            return frame
        self.hushed_frames += 1
        return hushed(frame)
