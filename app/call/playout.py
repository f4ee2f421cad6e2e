"""The playout ledger: releases bot audio at the pace of speech and knows what the caller heard.

A generation of audio is in one of three states (generation.py):

- playing: audio is released a short lead ahead of the carrier, with a start mark whenever the
  carrier's buffer is believed dry, a progress mark about every `mark_every_ms`, and an end mark
  when the answer is complete.
- fenced: a mark named as a fence went out, then `clear`, which sends the fence back at the instant
  at which the silence began. (A fence behind the `clear` would be late by whatever came between the
  two.) Marks of this generation that come back now count as flushed, not played, but for start
  marks: these return at once by their nature, unless the clock says that they cannot have.
- settled: the fence is back (or did not come in time) and what was heard of each item is decided.

A cut opens the next generation at once, so several older ones may be fenced at the same time.
A *hold* is a cut that may be taken back: what the caller did not hear waits on the old generation's
axis, with what the model says meanwhile, until it is resumed (the next generation replays it from
the heard byte on, a frame or two earlier and fading in) or given up (then it is a cut).
A *sound* (while a slow tool runs) is a generation without an end and without items. It counts as
nothing: it is not unplayed, and no verdict is told of it. Whatever is to be said cuts it.
Mark names: `s<generation>.<position>` start, `p…` progress, `e…` end, `f<generation>` fence.
Facts relied on: marks and caller media share one ordered socket; `clear` returns all pending marks;
a mark with nothing queued before it returns at once (Twilio docs: websocket messages).
"""

from app.call.axis import BYTES_PER_MS, FRAME_BYTES, ItemHeard, Span
from app.call.commands import (
    Command,
    KeepAudio,
    KeepSilence,
    ReplayAudio,
    SendAudio,
    SendClear,
    SendMark,
    SendSound,
)
from app.call.earliest import earliest
from app.call.generation import (
    TRANSITIONS,
    Generation,
    GenerationState,
    Mark,
    MarkKind,
    Played,
    Settled,
)
from app.call.playout_settings import PlayoutSettings

FADE_BYTES = FRAME_BYTES
"""How long what is resumed takes to come back to full level."""

__all__ = ["Played", "Playout", "Settled"]


class Playout:
    """See the module's text. All times are call-clock milliseconds unless named carrier time."""

    served = False
    """The model's side plays, and we only keep account of it (served_playout.py)."""

    def __init__(self, settings: PlayoutSettings | None = None) -> None:
        self.settings = settings or PlayoutSettings()
        self._now = Generation(0)
        self._fenced: dict[str, Generation] = {}
        """By the name of the fence, oldest first."""
        self._held: Generation | None = None
        self._held_at_ms = 0
        self._resume = False
        """What is held is to be resumed as soon as it is known how far it was heard."""
        self._play_end_ms = 0

    @property
    def generation(self) -> int:
        return self._now.number

    @property
    def present(self) -> Generation:
        """The generation that plays. For whoever wants to know later what was heard of it."""
        return self._now

    @property
    def unplayed(self) -> bool:
        """True while audio is waiting, or was sent and has not been confirmed as played."""
        return self.holding or self._now.clock.position < self._now.spans.end

    @property
    def holding(self) -> bool:
        return self._held is not None

    @property
    def held_ms(self) -> int | None:
        """Since when something is held."""
        return None if self._held is None else self._held_at_ms

    @property
    def cuttable(self) -> bool:
        """There is audio that was not heard for certain."""
        return self._filling.clock.position < self._filling.spans.end

    @property
    def cut_generation(self) -> int:
        """The generation that a cut would concern."""
        return self._filling.number

    @property
    def fenced(self) -> bool:
        return bool(self._fenced)

    @property
    def play_end_ms(self) -> int:
        """When everything released so far will have been played, by our own clock."""
        return self._play_end_ms

    def plays_at_ms(self, position: int) -> int:
        """When the released byte at this position of the present generation plays, by our clock."""
        return self._play_end_ms - (self._now.sent - position) // BYTES_PER_MS

    @property
    def unsent_ms(self) -> int:
        """How much audio waits to be released."""
        g = self._filling
        return max(0, g.spans.end - g.sent) // BYTES_PER_MS

    @property
    def due_ms(self) -> int | None:
        """When `release` or `expire` has something to do, on the call clock."""
        s, top_up_ms = self.settings, None
        if self._more_to_send:
            top_up_ms = self._play_end_ms - s.lead_ms + s.step_ms
        if not self._fenced:
            return top_up_ms
        fences_ms = (old.cut_ms + s.fence_timeout_ms for old in self._fenced.values())
        return earliest((top_up_ms, *fences_ms))

    @property
    def in_midstream(self) -> bool:
        """Audio will wait even after the next release; nothing is held, no fence is awaited."""
        settled = not self._fenced and self._held is None
        return settled and self.unsent_ms > self.settings.lead_ms

    def received_of(self, response_id: str) -> int:
        """Bytes of this response on the axis that is being filled."""
        return self._filling.spans.bytes_of(response_id)

    def items_of(self, response_id: str) -> list[str]:
        """The items of this response on the axis that is being filled, in order."""
        return self._filling.spans.items_of(response_id)

    def span_at(self, position: int) -> Span | None:
        """The item that the byte at `position` of the present generation belongs to."""
        return self._now.spans.at(position)

    def receive(
        self, response_id: str, item_id: str, content_index: int, n_bytes: int, now_ms: int
    ) -> list[Command]:
        """Take model audio onto the axis and release what is due."""
        silence = self.end_sound(now_ms)
        g = self._filling
        g.spans.append(response_id, item_id, content_index, n_bytes)
        return [*silence, KeepAudio(g.number, n_bytes), *self.release(now_ms)]

    @property
    def _filling(self) -> Generation:
        """The generation that takes what the model says."""
        return self._held or self._now

    def finish(self, now_ms: int) -> list[Command]:
        """The answer is complete: fill the last frame and mark its end."""
        g = self._filling
        if g.closed == g.spans.end:
            return []
        commands: list[Command] = []
        rest = -g.spans.end % FRAME_BYTES
        if rest:
            g.spans.pad(rest)
            commands.append(KeepSilence(g.number, rest))
        g.closed = g.spans.end
        g.ends.append(g.closed)
        g.end_positions.append(g.closed)
        return commands + self.release(now_ms)

    def release(self, now_ms: int) -> list[Command]:
        """Release audio up to the lead, with the marks that belong to it."""
        g, s = self._now, self.settings
        commands: list[Command] = []
        if self._more_to_send and self._lead_is_low(now_ms):
            if self._play_end_ms <= now_ms:
                g.run_start, g.run_start_ms = g.sent, now_ms
                self._play_end_ms = now_ms
                commands.append(self._mark("start", now_ms))
            wanted = (now_ms + s.lead_ms - self._play_end_ms) * BYTES_PER_MS
            target = g.sent + wanted if g.sound else min(g.spans.end, g.sent + wanted)
            while g.sent + FRAME_BYTES <= target:
                commands += self._send_until(target, now_ms)
        if g.ends and g.ends[0] == g.sent:
            commands.append(self._mark("end", now_ms))
        return commands

    @property
    def _more_to_send(self) -> bool:
        return self._now.sound or self._now.sent + FRAME_BYTES <= self._now.spans.end

    def _lead_is_low(self, now_ms: int) -> bool:
        return self._play_end_ms - now_ms <= self.settings.lead_ms - self.settings.step_ms

    def _send_until(self, target: int, now_ms: int) -> list[Command]:
        """Send whole frames up to `target` or to the end of an answer, whichever comes first."""
        g = self._now
        if g.ends:
            target = min(target, g.ends[0])
        n_bytes = (target - g.sent) // FRAME_BYTES * FRAME_BYTES
        stretch = (g.sent, g.sent + n_bytes)
        sent = SendSound(*stretch) if g.sound else SendAudio(g.number, *stretch)
        commands: list[Command] = [sent]
        g.sent += n_bytes
        self._play_end_ms += n_bytes // BYTES_PER_MS
        if g.ends and g.ends[0] == g.sent:
            commands.append(self._mark("end", now_ms))
        elif g.sent - g.marked >= self.settings.mark_every_ms * BYTES_PER_MS:
            commands.append(self._mark("progress", now_ms))
        return commands

    def cut(self, now_ms: int) -> tuple[list[Command], Settled | None]:
        """Stop. Returns the commands, and the verdict at once when nothing had been sent."""
        if self.holding:
            return [], self.give_up()
        old = self._now
        commands = self._fence(now_ms)
        return commands, None if commands else old.settled

    def _fence(self, now_ms: int) -> list[Command]:
        """Begin the next generation; no commands when nothing of the old one was on its way."""
        old = self._now
        self._now = Generation(old.number + 1)
        self._play_end_ms = now_ms
        if old.sent == old.clock.position:
            old.settle("unsent", old.sent)
            return []
        old.state, old.cut_ms = TRANSITIONS[old.state, "cut"], now_ms
        fence = f"f{old.number}"
        self._fenced[fence] = old
        return [SendMark(fence), SendClear()]

    # A sound

    @property
    def sounding(self) -> bool:
        """A sound plays, and nothing else."""
        return self._now.sound

    def begin_sound(self, now_ms: int) -> list[Command]:
        """Play the sound until `end_sound`, or until there is something to be said. Nothing happens
        while anything else plays or waits."""
        if self.unplayed or self.sounding:
            return []
        commands = self._fence(now_ms)
        self._now.sound = True
        return commands + self.release(now_ms)

    def end_sound(self, now_ms: int) -> list[Command]:
        """Silence, at once."""
        return self._fence(now_ms) if self.sounding else []

    # Holding

    def hold(self, now_ms: int) -> list[Command]:
        """Stop, and keep what was not heard. Nothing changes while something is held already."""
        if self.holding:
            self._resume = False
            return []
        commands = self.end_sound(now_ms)
        held = self._now
        commands += self._fence(now_ms)
        self._held, self._held_at_ms, self._resume = held, now_ms, False
        return commands

    def give_up(self) -> Settled | None:
        """What is held will not be played: it was cut when it was held. None: the verdict is still
        to come, as after a cut."""
        held, self._held, self._resume = self._held, None, False
        if held is None or held.state is not GenerationState.SETTLED:
            return None
        return held.settled

    def resume(self, now_ms: int) -> tuple[list[Command], tuple[ItemHeard, ...]]:
        """Go on with what is held, now or as soon as it is known how far it was heard: then
        `resume_due` says to ask again. Returns the items that were heard to their end as well."""
        held = self._held
        if held is None:
            return [], ()
        self._resume = True
        if not self.resume_due:
            return [], ()
        self._held, self._resume = None, False
        done = held.answers_heard()
        if held.heard_to_its_end:
            return [], done
        start = max(0, held.heard - FADE_BYTES) // FRAME_BYTES * FRAME_BYTES
        g, end = self._now, held.spans.end
        g.go_on_from(held, start)
        replay = ReplayAudio(g.number, held.number, start, end, FADE_BYTES if held.sent else 0)
        return [replay, *self.release(now_ms)], done

    @property
    def resume_due(self) -> bool:
        held = self._held
        return self._resume and held is not None and held.state is GenerationState.SETTLED

    # Echoes

    def echoed(self, name: str, lo_ms: int, hi_ms: int) -> Played | Settled | None:
        """A mark came back between two carrier times; None if that says nothing about playback, or
        if it was the fence of what is held."""
        if name in self._fenced:
            g = self._fenced.pop(name)
            g.settle("fence", g.clock.position_at(lo_ms, hi_ms))
            return None if g is self._held or g.sound else g.settled
        if name in self._now.marks:
            return self._now.played(name, lo_ms, hi_ms)
        for g in self._fenced.values():
            if name in g.marks:
                g.echoed_late(name, lo_ms, hi_ms)
        return None

    def expire(self, now_ms: int) -> list[Settled]:
        """Settle by the clock the generations whose fence did not come back in time."""
        if not self._fenced:
            return []
        timeout_ms = self.settings.fence_timeout_ms
        late = [name for name, g in self._fenced.items() if now_ms - g.cut_ms >= timeout_ms]
        settled = [self._fenced.pop(name) for name in late]
        for g in settled:
            g.settle_by_clock()
        return [g.settled for g in settled if g is not self._held and not g.sound]

    def close(self, now_ms: int) -> list[Settled]:
        """The line is gone: settle by the clock whatever is still open."""
        held = self.give_up()
        _, settled = self.cut(now_ms)
        for g in self._fenced.values():
            g.settle_by_clock()
        verdicts = [g.settled for g in self._fenced.values() if not g.sound]
        self._fenced.clear()
        return [*verdicts, *(verdict for verdict in (held, settled) if verdict is not None)]

    def _mark(self, kind: MarkKind, now_ms: int) -> SendMark:
        g = self._now
        g.marked = g.sent
        if kind == "end":
            g.ends.popleft()
        name = f"{kind[0]}{g.number}.{g.sent}"
        g.marks[name] = Mark(g.sent, kind, now_ms)
        return SendMark(name)
