"""The playout ledger: releases bot audio at the pace of speech and knows what the caller heard.

A generation of audio is in one of three states:

    playing --cut--> fenced --fence echoed, or timed out--> settled

- playing: audio is released a short lead ahead of the carrier, with a start mark whenever the
  carrier's buffer is believed dry, a progress mark about every `mark_every_ms`, and an end mark
  when the answer is complete.
- fenced: a mark named as a fence went out, then `clear`, which sends the fence back at the instant
  at which the silence began. (A fence behind the `clear` would be late by whatever came between the
  two.) Marks of this generation that come back now count as flushed, not played, but for start
  marks: these return at once by their nature, unless the clock says that they cannot have.
- settled: the fence is back (or did not come in time) and what was heard of each item is decided.

A cut opens the next generation at once, so several older ones may be fenced at the same time.
Mark names: `s<generation>.<position>` start, `p…` progress, `e…` end, `f<generation>` fence.
Facts relied on: marks and caller media share one ordered socket; `clear` returns all pending marks;
a mark with nothing queued before it returns at once (Twilio docs: websocket messages).
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from app.call.axis import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, ItemHeard, PlayClock, Span, Spans
from app.call.commands import Command, KeepAudio, KeepSilence, SendAudio, SendClear, SendMark

MarkKind: TypeAlias = Literal["start", "progress", "end"]
SettledBy: TypeAlias = Literal["fence", "clock", "unsent"]


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


@dataclass(frozen=True, slots=True)
class PlayoutSettings:
    lead_ms: int = 200
    """How far ahead of playback audio is released."""
    step_ms: int = 60
    """Audio is topped up when the lead has shrunk by this much."""
    mark_every_ms: int = 200
    fence_timeout_ms: int = 500
    """After this long without a fence the heard position is estimated by the clock."""

    def __post_init__(self) -> None:
        """Raises `ValueError` where audio could not be released in whole frames."""
        if not FRAME_MS <= self.step_ms < self.lead_ms:
            raise ValueError(
                f"expected {FRAME_MS} <= step_ms < lead_ms, got {self.step_ms} and {self.lead_ms}"
            )
        if self.mark_every_ms < FRAME_MS or self.fence_timeout_ms <= 0:
            raise ValueError(
                f"expected mark_every_ms >= {FRAME_MS} and fence_timeout_ms > 0, "
                f"got {self.mark_every_ms} and {self.fence_timeout_ms}"
            )


@dataclass(slots=True)
class Mark:
    position: int
    kind: MarkKind
    sent_ms: int
    """Call clock."""


@dataclass(slots=True)
class Generation:
    number: int
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
    closed: int = 0
    """Axis position of the newest end: what lies beyond is an answer still arriving."""
    cut_ms: int = 0
    """Call clock of the cut."""
    run_start: int = 0
    """Axis position at which the present run of playback began."""
    run_start_ms: int = 0
    """Call clock at which it began, as far as our own clock can say."""


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


class Playout:
    """See the module's text. All times are call-clock milliseconds unless named carrier time."""

    def __init__(self, settings: PlayoutSettings | None = None) -> None:
        self.settings = settings or PlayoutSettings()
        self._now = Generation(0)
        self._fenced: dict[str, Generation] = {}
        """By the name of the fence, oldest first."""
        self._play_end_ms = 0

    @property
    def generation(self) -> int:
        return self._now.number

    @property
    def unplayed(self) -> bool:
        """True while audio is waiting, or was sent and has not been confirmed as played."""
        return self._now.clock.position < self._now.spans.end

    @property
    def fenced(self) -> bool:
        return bool(self._fenced)

    @property
    def play_end_ms(self) -> int:
        """When everything released so far will have been played, by our own clock."""
        return self._play_end_ms

    @property
    def unsent_ms(self) -> int:
        """How much audio waits to be released."""
        return (self._now.spans.end - self._now.sent) // BYTES_PER_MS

    @property
    def due_ms(self) -> int | None:
        """When `release` or `expire` has something to do, on the call clock."""
        due = [g.cut_ms + self.settings.fence_timeout_ms for g in self._fenced.values()]
        if self._now.sent + FRAME_BYTES <= self._now.spans.end:
            due.append(self._play_end_ms - self.settings.lead_ms + self.settings.step_ms)
        return min(due, default=None)

    def received_of(self, response_id: str) -> int:
        """Bytes of this response on the present generation's axis."""
        return self._now.spans.bytes_of(response_id)

    def span_at(self, position: int) -> Span | None:
        """The item that the byte at `position` of the present generation belongs to."""
        return self._now.spans.at(position)

    def receive(
        self, response_id: str, item_id: str, content_index: int, n_bytes: int, now_ms: int
    ) -> list[Command]:
        """Take model audio onto the axis and release what is due."""
        self._now.spans.append(response_id, item_id, content_index, n_bytes)
        return [KeepAudio(self._now.number, n_bytes), *self.release(now_ms)]

    def finish(self, now_ms: int) -> list[Command]:
        """The answer is complete: fill the last frame and mark its end."""
        g = self._now
        if g.closed == g.spans.end:
            return []
        commands: list[Command] = []
        rest = -g.spans.end % FRAME_BYTES
        if rest:
            g.spans.pad(rest)
            commands.append(KeepSilence(g.number, rest))
        g.closed = g.spans.end
        g.ends.append(g.closed)
        return commands + self.release(now_ms)

    def release(self, now_ms: int) -> list[Command]:
        """Release audio up to the lead, with the marks that belong to it."""
        g, s = self._now, self.settings
        commands: list[Command] = []
        if g.sent + FRAME_BYTES <= g.spans.end and self._lead_is_low(now_ms):
            if self._play_end_ms <= now_ms:
                g.run_start, g.run_start_ms = g.sent, now_ms
                self._play_end_ms = now_ms
                commands.append(self._mark("start", now_ms))
            wanted = (now_ms + s.lead_ms - self._play_end_ms) * BYTES_PER_MS
            target = min(g.spans.end, g.sent + wanted)
            while g.sent + FRAME_BYTES <= target:
                commands += self._send_until(target, now_ms)
        if g.ends and g.ends[0] == g.sent:
            commands.append(self._mark("end", now_ms))
        return commands

    def _lead_is_low(self, now_ms: int) -> bool:
        return self._play_end_ms - now_ms <= self.settings.lead_ms - self.settings.step_ms

    def _send_until(self, target: int, now_ms: int) -> list[Command]:
        """Send whole frames up to `target` or to the end of an answer, whichever comes first."""
        g = self._now
        if g.ends:
            target = min(target, g.ends[0])
        n_bytes = (target - g.sent) // FRAME_BYTES * FRAME_BYTES
        commands: list[Command] = [SendAudio(g.number, g.sent, g.sent + n_bytes)]
        g.sent += n_bytes
        self._play_end_ms += n_bytes // BYTES_PER_MS
        if g.ends and g.ends[0] == g.sent:
            commands.append(self._mark("end", now_ms))
        elif g.sent - g.marked >= self.settings.mark_every_ms * BYTES_PER_MS:
            commands.append(self._mark("progress", now_ms))
        return commands

    def cut(self, now_ms: int) -> tuple[list[Command], Settled | None]:
        """Stop. Returns the commands, and the verdict at once when nothing had been sent."""
        old = self._now
        self._now = Generation(old.number + 1)
        self._play_end_ms = now_ms
        if old.sent == old.clock.position:
            return [], self._settled(old, "unsent", old.sent)
        old.state, old.cut_ms = TRANSITIONS[old.state, "cut"], now_ms
        fence = f"f{old.number}"
        self._fenced[fence] = old
        return [SendMark(fence), SendClear()], None

    def echoed(self, name: str, lo_ms: int, hi_ms: int) -> Played | Settled | None:
        """A mark came back between two carrier times; None if that says nothing about playback."""
        if name in self._fenced:
            return self._settle_by_fence(self._fenced.pop(name), lo_ms, hi_ms)
        if name in self._now.marks:
            return self._played(self._now, self._now.marks.pop(name), lo_ms, hi_ms)
        for g in self._fenced.values():
            if name in g.marks:
                self._echoed_late(g, g.marks.pop(name), lo_ms, hi_ms)
        return None

    def expire(self, now_ms: int) -> list[Settled]:
        """Settle by the clock the generations whose fence did not come back in time."""
        timeout_ms = self.settings.fence_timeout_ms
        late = [name for name, g in self._fenced.items() if now_ms - g.cut_ms >= timeout_ms]
        return [self._settle_by_clock(self._fenced.pop(name)) for name in late]

    def close(self, now_ms: int) -> list[Settled]:
        """The line is gone: settle by the clock whatever is still open."""
        _, settled = self.cut(now_ms)
        verdicts = [self._settle_by_clock(g) for g in self._fenced.values()]
        self._fenced.clear()
        return verdicts if settled is None else [*verdicts, settled]

    def _mark(self, kind: MarkKind, now_ms: int) -> SendMark:
        g = self._now
        g.marked = g.sent
        if kind == "end":
            g.ends.popleft()
        name = f"{kind[0]}{g.number}.{g.sent}"
        g.marks[name] = Mark(g.sent, kind, now_ms)
        return SendMark(name)

    @staticmethod
    def _played(g: Generation, mark: Mark, lo_ms: int, hi_ms: int) -> Played:
        if mark.kind == "start":
            g.clock.restarted(mark.position, lo_ms, hi_ms)
        else:
            g.clock.played(mark.position, lo_ms, hi_ms)
        done = tuple(g.spans.drop_before(mark.position)) if mark.kind == "end" else ()
        return Played(mark.kind, mark.position, (lo_ms + hi_ms) // 2, done)

    @staticmethod
    def _echoed_late(g: Generation, mark: Mark, lo_ms: int, hi_ms: int) -> None:
        """A start mark comes back at once where the buffer was dry, as we believed; where it was
        not, the `clear` flushed it, and the clock has not reached its position yet."""
        begun = not g.clock.known or g.clock.position_at(lo_ms, hi_ms) >= mark.position
        if mark.kind == "start" and begun:
            g.clock.restarted(mark.position, lo_ms, hi_ms)

    def _settle_by_fence(self, g: Generation, lo_ms: int, hi_ms: int) -> Settled:
        return self._settled(g, "fence", g.clock.position_at(lo_ms, hi_ms))

    def _settle_by_clock(self, g: Generation) -> Settled:
        """By our own clock, from the start of the present run to the cut: the network delays the
        audio and the `clear` alike, so only the change of its delay is in error."""
        since_start = (g.cut_ms - g.run_start_ms) * BYTES_PER_MS
        return self._settled(g, "clock", max(g.clock.position, g.run_start + since_start))

    @staticmethod
    def _settled(g: Generation, by: SettledBy, position: int) -> Settled:
        g.state = TRANSITIONS[g.state, by]
        position = max(g.clock.position, min(position, g.sent))
        items = tuple(g.spans.heard_until(position))
        return Settled(g.number, by, position, g.sent, g.spans.end, items)
