"""What the caller really heard, tick by tick: the measure of any bot's claim about it.

`carrier_ms` is the stream's own clock: the number that media messages carry as `timestamp`. Tick
`i` begins at `first_ms + 20 * i`. Instants between ticks (arrivals) are floats on the same axis. A
tick that a busy machine carried out late keeps its due time here, so against arrivals it can be
early by the call's `max_lag_ms`; `ticked_s` has the real times.

`position` counts bytes of bot audio heard since the stream began, silence not counted: 8 a ms.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

from app.lab.phone.sound import Hearing, audible
from telecodecs.g711 import FRAME_BYTES, FRAME_MS, ULAW_SILENCE

SILENCE = ULAW_SILENCE * FRAME_BYTES
"""20 ms of digital silence in μ-law."""

TURN_PAUSE_MS = 300
"""Audio that comes back sooner than this belongs to the same utterance, unless a mark says no."""

MarkFate: TypeAlias = Literal["played", "at_once", "flushed"]


@dataclass(frozen=True, slots=True)
class MarkRecord:
    name: str
    fate: MarkFate
    """`played`: all audio before it was played; `at_once`: nothing was queued; else `clear`."""
    received_ms: float
    echoed_ms: float
    position: int
    """Bytes heard when it was echoed."""


@dataclass(frozen=True, slots=True)
class ClearRecord:
    carrier_ms: float
    """When the `clear` reached the phone. The frame being played is heard to its end."""
    position: int
    """Bytes heard in this stream up to and including that frame."""
    dropped_bytes: int
    flushed: tuple[str, ...]
    """Names of the marks that came back unplayed."""


@dataclass(frozen=True, slots=True)
class DrySpell:
    """The playout buffer ran empty and audio came again; a `clear` does not begin one."""

    position: int
    """Bytes heard when it began."""
    began_ms: float
    ended_ms: float
    """When sound resumed: the first tick with audio again."""
    marked: bool
    """A mark stood exactly at the dry point: the bot had declared an end there."""
    before: bytes
    """The last bytes heard before it, one frame at most."""
    after: bytes
    """The first bytes heard after it, one frame at most."""

    @property
    def length_ms(self) -> float:
        return self.ended_ms - self.began_ms


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """The bot was heard from here to there, without a pause that a listener would notice."""

    from_ms: float
    to_ms: float
    first_position: int
    """Bytes heard before it."""
    end_position: int
    """Bytes heard until it was over."""


def mid_utterance(spell: DrySpell) -> bool:
    """The default rule for an underrun: dry for less than 300 ms, and no mark at the dry point.

    A bot that puts marks everywhere, or a test that knows what was to be said, passes its own
    rule to `Played.underruns`, for instance one that compares `before` and `after`.
    """
    return not spell.marked and spell.length_ms < TURN_PAUSE_MS


class Played:
    """The log of one stream's playout."""

    def __init__(self, first_ms: int = 0) -> None:
        self.first_ms = first_ms
        self.frames: list[bytes | None] = []
        """Per tick the bot audio of its 20 ms (the last frame of a burst may be short), or None."""
        self.ticked_s = array("d")
        """Per tick, when it was carried out (seconds, `time.monotonic`)."""
        self.ends = array("q")
        """Per tick the position at its end."""
        self.arrivals: list[tuple[float, int]] = []
        """(carrier_ms, bytes) of each media message from the bot, as it reached the phone."""
        self.marks: list[MarkRecord] = []
        self.clears: list[ClearRecord] = []
        self.dry_spells: list[DrySpell] = []

    def tick(self, frame: bytes | None, at_s: float) -> None:
        self.frames.append(frame)
        self.ticked_s.append(at_s)
        self.ends.append(self.position + len(frame or b""))

    @property
    def position(self) -> int:
        """Bytes of bot audio heard so far."""
        return self.ends[-1] if self.ends else 0

    def carrier_ms(self, tick: int) -> int:
        return self.first_ms + FRAME_MS * tick

    def position_at(self, carrier_ms: float) -> int:
        """Bytes heard until this instant, to the byte: a frame sounds evenly over its 20 ms."""
        tick, into_ms = divmod(carrier_ms - self.first_ms, FRAME_MS)
        if tick < 0 or not self.frames:
            return 0
        if tick >= len(self.frames):
            return self.position
        frame = self.frames[int(tick)]
        before = self.ends[int(tick)] - len(frame or b"")
        return before + min(int(into_ms * 8), len(frame or b""))

    def heard_at(self, position: int) -> float:
        """The instant (carrier ms) at which the byte at this position began to sound.

        Raises IndexError for a position that was never heard.
        """
        if not 0 <= position < self.position:
            raise IndexError(f"positions 0 to {self.position - 1} were heard, not {position}")
        tick = bisect_right(self.ends, position)
        start = self.ends[tick] - len(self.frames[tick] or b"")
        return self.carrier_ms(tick) + (position - start) / 8

    def bytes_between(self, from_ms: float, to_ms: float) -> bytes:
        """The bot's bytes heard between two instants, silence left out."""
        whole = b"".join(frame for frame in self.frames if frame)
        return whole[self.position_at(from_ms) : self.position_at(to_ms)]

    def audio(self) -> bytes:
        """Everything as it sounded, silence included."""
        return b"".join((frame or b"").ljust(FRAME_BYTES, ULAW_SILENCE) for frame in self.frames)

    @property
    def last_heard_ms(self) -> float | None:
        """When the last byte of bot audio ended, or None if nothing was heard."""
        for tick in range(len(self.frames) - 1, -1, -1):
            frame = self.frames[tick]
            if frame:
                return self.carrier_ms(tick) + len(frame) / 8
        return None

    def last_heard_before(self, carrier_ms: float) -> float | None:
        """When the last byte of bot audio that began before this instant ended."""
        tick = min(ceil((carrier_ms - self.first_ms) / FRAME_MS), len(self.frames)) - 1
        while tick >= 0:
            frame = self.frames[tick]
            if frame:
                return self.carrier_ms(tick) + len(frame) / 8
            tick -= 1
        return None

    def heard_spans(
        self, hears: Hearing = audible, pause_ms: int = TURN_PAUSE_MS
    ) -> list[HeardSpan]:
        """When the bot was heard, in whole frames. `pause_ms`: quiet that ends a span."""
        spans: list[HeardSpan] = []
        for tick, frame in enumerate(self.frames):
            if not frame or not hears(frame):
                continue
            from_ms, end = self.carrier_ms(tick), self.ends[tick]
            first = end - len(frame)
            if spans and from_ms - spans[-1].to_ms < pause_ms:
                last = spans.pop()
                from_ms, first = int(last.from_ms), last.first_position
            to_ms = self.carrier_ms(tick) + len(frame) / 8
            spans.append(HeardSpan(from_ms, to_ms, first, end))
        return spans

    def underruns(self, rule: Callable[[DrySpell], bool] = mid_utterance) -> list[DrySpell]:
        """The dry spells that a caller hears as a break in mid-utterance."""
        return [spell for spell in self.dry_spells if rule(spell)]
