"""Who is speaking, and what the bot does about it when the caller's voice is heard.

    free --voice--> claimed --lasted, words--> taken --stopped--> free
                    claimed --dismissed--> free
    free --taken (nobody is interrupted, or the agent yields at once)--> taken

The witnesses: our own voice detection on every caller frame, the share of echo in what it heard,
the words once they are known, and the model's own speech events. What is done about a claim is up
to the strategy of the situation in which it was made (barge_in.py); each occasion is answered by
one of *hold*, *yield*, *resume*, *nothing*.
Without a voice detection of our own the model's word is taken: the agent yields at once.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from app.call.barge_in import (
    BargeIn,
    Claim,
    Decision,
    Situation,
    Words,
    strategy_for,
)
from app.call.floor_settings import FloorSettings

__all__ = ["TRANSITIONS", "Decision", "Floor", "FloorSettings", "FloorState", "Situation"]

LATE_WORDS_MS = 4_000
"""Words of a claim that was dismissed take the floor when they come within this time."""


class FloorState(StrEnum):
    FREE = "free"
    CLAIMED = "claimed"
    TAKEN = "taken"


TRANSITIONS: dict[tuple[FloorState, str], FloorState] = {
    (FloorState.FREE, "voice"): FloorState.CLAIMED,
    (FloorState.FREE, "taken"): FloorState.TAKEN,
    (FloorState.CLAIMED, "taken"): FloorState.TAKEN,
    (FloorState.CLAIMED, "dismissed"): FloorState.FREE,
    (FloorState.TAKEN, "stopped"): FloorState.FREE,
}
"""The agent's side of it: `taken` while the agent speaks is an interruption."""


@dataclass(slots=True)
class Floor:
    """One per call. Times are call-clock milliseconds."""

    settings: FloorSettings = field(default_factory=FloorSettings)
    state: FloorState = FloorState.FREE
    caller_speaking: bool = False
    """The caller has the floor: a turn of theirs has begun and not ended."""
    voice: bool = False
    """Our own voice detection hears the caller right now."""
    claim: Claim | None = None
    """What is being decided, or was decided last."""
    _strategy: BargeIn | None = None
    _dismissed_ms: deque[int] = field(default_factory=deque)
    """When claims were dismissed, the newest ones."""
    _hint_due: bool = False

    # The model's word

    def caller_started(self, *, agent_has_floor: bool) -> Decision:
        """The model heard the caller. `agent_has_floor`: the agent is heard, is about to be heard,
        or is thinking."""
        self.caller_speaking = True
        if self.settings.by == "voice":
            return Decision.NOTHING
        return Decision.YIELD if agent_has_floor else Decision.NOTHING

    def caller_stopped(self) -> None:
        """The caller's turn is over."""
        self.caller_speaking = False
        if self.state is FloorState.TAKEN:
            self._move("stopped")

    # Our own ears

    def voice_started(self, situation: Situation, began_ms: int, now_ms: int) -> Decision:
        """The caller is heard; `began_ms` is when the voice began."""
        self.voice = True
        if self.state is FloorState.TAKEN:
            return Decision.NOTHING
        if self.state is FloorState.CLAIMED and self.claim is not None:
            self.claim.voice_again(began_ms)
            return self._decide(now_ms)
        if situation is Situation.WAITING:
            self._move("taken")
            return Decision.NOTHING
        self.claim = Claim(situation, began_ms, now_ms, began_ms)
        self._strategy = strategy_for(situation, self.settings, wary=self.noisy(now_ms))
        self._move("voice")
        return self._follow(self._strategy.started(self.claim), now_ms)

    def voice_stopped(self, voiced_ms: int, now_ms: int) -> Decision:
        """`voiced_ms`: how much voice there was since it began."""
        self.voice = False
        if self.state is FloorState.CLAIMED and self.claim is not None:
            self.claim.voice_ended(voiced_ms, now_ms)
            return self._decide(now_ms)
        return Decision.NOTHING

    def words(self, words: Words, now_ms: int) -> Decision:
        """What the caller said is known. It may come when all is decided already."""
        claim = self.claim
        if claim is None:
            return Decision.NOTHING
        claim.words = words
        if self.state is FloorState.CLAIMED:
            return self._decide(now_ms)
        late = claim.dismissed_ms is not None and now_ms - claim.dismissed_ms <= LATE_WORDS_MS
        if self.state is FloorState.FREE and late and words is Words.SPEECH:
            claim.dismissed_ms = None
            self._move("taken")
            return Decision.YIELD
        return Decision.NOTHING

    def overheard(self, situation: Situation, now_ms: int) -> None:
        """The model heard something that we did not: it counts only if words come of it."""
        self.claim = Claim(situation, now_ms, now_ms, None, dismissed_ms=now_ms)

    @property
    def due_ms(self) -> int | None:
        """When `expire` has something to decide."""
        if self.state is not FloorState.CLAIMED or self.claim is None or self._strategy is None:
            return None
        return self._strategy.due_ms(self.claim)

    def expire(self, now_ms: int) -> Decision:
        if self.state is not FloorState.CLAIMED:
            return Decision.NOTHING
        return self._decide(now_ms)

    def nothing_to_interrupt(self) -> None:
        """The agent has come to its end while a claim stood: the floor is the caller's."""
        if self.state is FloorState.CLAIMED:
            self._move("taken")

    def passage_over(self, situation: Situation, now_ms: int) -> Decision:
        """What could not be interrupted is over; a voice that goes on claims the floor now."""
        claim = self.claim
        if self.state is not FloorState.CLAIMED or claim is None:
            return Decision.NOTHING
        self._move("dismissed")
        claim.dismissed_ms = now_ms
        return self.voice_started(situation, now_ms, now_ms) if self.voice else Decision.NOTHING

    # Noise

    def noisy(self, now_ms: int) -> bool:
        """Claims were dismissed again and again: a voice must last before anything is done."""
        s = self.settings
        while self._dismissed_ms and now_ms - self._dismissed_ms[0] > s.noisy_within_ms:
            self._dismissed_ms.popleft()
        return len(self._dismissed_ms) >= s.noisy_after

    def take_hint(self) -> bool:
        """True once when the caller should be told of the noise on the line."""
        due, self._hint_due = self._hint_due, False
        return due

    def _decide(self, now_ms: int) -> Decision:
        if self.claim is None or self._strategy is None:
            return Decision.NOTHING
        return self._follow(self._strategy.decide(self.claim, now_ms), now_ms)

    def _follow(self, decision: Decision, now_ms: int) -> Decision:
        if decision is Decision.YIELD:
            self._move("taken")
        elif decision is Decision.RESUME:
            self._dismiss(now_ms)
        return decision

    def _dismiss(self, now_ms: int) -> None:
        assert self.claim is not None
        self._move("dismissed")
        self.claim.dismissed_ms = now_ms
        was_noisy = self.noisy(now_ms)
        self._dismissed_ms.append(now_ms)
        self._hint_due = self._hint_due or (self.noisy(now_ms) and not was_noisy)

    def _move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
