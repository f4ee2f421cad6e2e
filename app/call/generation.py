"""One generation of bot audio: what was said between two silences that we made, and its fate.

    playing --cut--> fenced --fence echoed, or timed out--> settled

A generation that is held is one whose unheard rest may still be played, by the next generation.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from app.call.axis import BYTES_PER_MS, ItemHeard, PlayClock, Spans

MarkKind: TypeAlias = Literal["start", "progress", "end"]
SettledBy: TypeAlias = Literal["fence", "clock", "unsent", "model"]
"""What the verdict rests on: a fence, our own clock, nothing having been sent, the model's word."""


class GenerationState(StrEnum):
    PLAYING = "playing"
    FENCED = "fenced"
    SETTLED = "settled"


TRANSITIONS: dict[tuple[GenerationState, str], GenerationState] = {
    (GenerationState.PLAYING, "cut"): GenerationState.FENCED,
    (GenerationState.PLAYING, "unsent"): GenerationState.SETTLED,
    (GenerationState.FENCED, "fence"): GenerationState.SETTLED,
    (GenerationState.FENCED, "clock"): GenerationState.SETTLED,
}
"""State and happening -> the next state: `unsent`, when nothing was on its way at the cut; `fence`
and `clock`, what the verdict rests on."""


@dataclass(slots=True)
class Mark:
    position: int
    kind: MarkKind
    sent_ms: int
    """Call clock."""


@dataclass(slots=True)
class Generation:
    number: int
    sound: bool = False
    """A sound that goes on until it is cut; nothing of it is anybody's words."""
    state: GenerationState = GenerationState.PLAYING
    spans: Spans = field(default_factory=Spans)
    clock: PlayClock = field(default_factory=PlayClock)
    marks: dict[str, Mark] = field(default_factory=dict)
    """Sent and not yet returned, oldest first."""
    sent: int = 0
    """Axis position up to which audio was released."""
    marked: int = 0
    """Axis position of the newest mark."""
    ends: deque[int] = field(default_factory=deque)
    """Axis positions at which answers end and whose end marks were not sent yet."""
    end_positions: list[int] = field(default_factory=list)
    """Every end on the axis, sent or not."""
    closed: int = 0
    """Axis position of the newest end: what lies beyond is an answer still arriving."""
    cut_ms: int = 0
    """Call clock of the cut."""
    run_start: int = 0
    """Axis position at which the present run of playback began."""
    run_start_ms: int = 0
    """Call clock at which it began, as far as our own clock can say."""
    heard: int = 0
    """Once settled: the axis position up to which it was heard ..."""
    heard_by: SettledBy = "unsent"
    """... and how that is known."""

    def settle(self, by: SettledBy, position: int) -> None:
        """It is known how far it was heard."""
        self.state = TRANSITIONS[self.state, by]
        self.heard = max(self.clock.position, min(position, self.sent))
        self.heard_by = by

    @property
    def settled(self) -> "Settled":
        """The verdict, once there is one."""
        return Settled(
            self.number,
            self.heard_by,
            self.heard,
            self.sent,
            self.spans.end,
            tuple(self.spans.heard_until(self.heard)),
        )

    # Marks that came back between two carrier times

    def played(self, name: str, lo_ms: int, hi_ms: int) -> "Played":
        """One that was sent; nothing was cut."""
        mark = self.marks.pop(name)
        if mark.kind == "start":
            self.clock.restarted(mark.position, lo_ms, hi_ms)
        else:
            self.clock.played(mark.position, lo_ms, hi_ms)
        done = tuple(self.spans.drop_before(mark.position)) if mark.kind == "end" else ()
        return Played(mark.kind, mark.position, (lo_ms + hi_ms) // 2, done)

    def echoed_late(self, name: str, lo_ms: int, hi_ms: int) -> None:
        """One that was sent before the cut. A start mark comes back at once where the buffer was
        dry, as we believed; where it was not, the `clear` flushed it, and the clock has not reached
        its position yet."""
        mark = self.marks.pop(name)
        begun = not self.clock.known or self.clock.position_at(lo_ms, hi_ms) >= mark.position
        if mark.kind == "start" and begun:
            self.clock.restarted(mark.position, lo_ms, hi_ms)

    def settle_by_clock(self) -> None:
        """By our own clock, from the start of the present run to the cut: the network delays the
        audio and the `clear` alike, so only the change of its delay is in error."""
        since_start = (self.cut_ms - self.run_start_ms) * BYTES_PER_MS
        self.settle("clock", max(self.clock.position, self.run_start + since_start))

    # Once settled, for what may still be played

    def answers_heard(self) -> tuple[ItemHeard, ...]:
        """The items of the answers that were heard to their end; they are forgotten here."""
        complete = max((end for end in self.end_positions if end <= self.heard), default=0)
        return tuple(self.spans.drop_before(complete))

    @property
    def heard_to_its_end(self) -> bool:
        return self.heard == self.spans.end == self.closed

    def go_on_from(self, held: "Generation", start: int) -> None:
        """Begin with what `held` has from `start` on."""
        self.spans = held.spans.rest(start)
        self.end_positions = [at - start for at in held.end_positions if at > held.heard]
        self.ends.extend(self.end_positions)
        self.closed = max(0, held.closed - start)


@dataclass(frozen=True, slots=True)
class Played:
    """A mark was really played: everything before `position` was heard."""

    kind: MarkKind
    position: int
    carrier_ms: int
    items: tuple[ItemHeard, ...] = ()
    """Items that were thereby heard to their end."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What was heard of a generation that was cut."""

    generation: int
    by: SettledBy
    position: int
    sent: int
    received: int
    items: tuple[ItemHeard, ...]
