"""What is done when the caller's voice is heard while the agent has the floor: one small class for
each strategy.

A claim begins with the voice and collects what becomes known of it. A strategy answers each
occasion (it began, it lasted, it ended, its words are known, time passed) with a decision.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.call.floor_settings import FloorSettings


class Decision(StrEnum):
    HOLD = "hold"
    YIELD = "yield"
    RESUME = "resume"
    NOTHING = "nothing"


class Situation(StrEnum):
    """What the agent was doing when the voice began."""

    NOTICE = "notice"
    """It says what must be heard to its end."""
    GREETING = "greeting"
    SPEAKING = "speaking"
    THINKING = "thinking"
    WAITING = "waiting"
    """It is the caller's turn."""


class Words(StrEnum):
    """What the caller's words were."""

    SPEECH = "speech"
    BACKCHANNEL = "backchannel"
    """ "mm-hm", "okay": listening, not speaking."""
    NOTHING = "nothing"
    """There were none: a cough, a noise."""


@dataclass(slots=True)
class Claim:
    """The caller's voice, from when it was heard until it is decided what it was."""

    situation: Situation
    began_ms: int
    """When the voice began ..."""
    noticed_ms: int
    """... and when it was noticed."""
    voice_since_ms: int | None
    """When the stretch of voice began that is heard now; None: none is."""
    ended_ms: int | None = None
    """When the end of the last stretch was noticed."""
    voiced_ms: int = 0
    """Voice in all stretches that are over."""
    longest_ms: int = 0
    """The longest of them."""
    words_expected: bool = False
    """The model hears it too, so words may come of it."""
    words: Words | None = None
    """None while they are not known."""
    dismissed_ms: int | None = None
    """When it was found to be no interruption."""

    def voice_again(self, began_ms: int) -> None:
        self.voice_since_ms, self.ended_ms, self.words = began_ms, None, None

    def voice_ended(self, voiced_ms: int, now_ms: int) -> None:
        self.voice_since_ms, self.ended_ms = None, now_ms
        self.voiced_ms += voiced_ms
        self.longest_ms = max(self.longest_ms, voiced_ms)


class BargeIn(Protocol):
    """One strategy. It keeps nothing: all that it knows is in the claim."""

    def started(self, claim: Claim) -> Decision: ...

    def decide(self, claim: Claim, now_ms: int) -> Decision: ...

    def due_ms(self, claim: Claim) -> int | None:
        """When `decide` will say something new though nothing happens."""
        ...


class Hard:
    """The agent stops for good at once."""

    def started(self, claim: Claim) -> Decision:
        return Decision.YIELD

    def decide(self, claim: Claim, now_ms: int) -> Decision:
        return Decision.YIELD

    def due_ms(self, claim: Claim) -> int | None:
        return None


class Deaf:
    """The agent speaks to its end. The claim stands until the passage is over."""

    def started(self, claim: Claim) -> Decision:
        return Decision.NOTHING

    def decide(self, claim: Claim, now_ms: int) -> Decision:
        return Decision.NOTHING

    def due_ms(self, claim: Claim) -> int | None:
        return None


class Soft:
    """The agent stops at once, and goes on if the voice was short and said nothing."""

    def __init__(self, settings: FloorSettings) -> None:
        self._s = settings

    def started(self, claim: Claim) -> Decision:
        return Decision.HOLD

    def decide(self, claim: Claim, now_ms: int) -> Decision:
        if claim.words is None and now_ms < self.due_ms(claim):
            return Decision.NOTHING
        if claim.voice_since_ms is not None:
            return Decision.YIELD if now_ms >= self.due_ms(claim) else Decision.NOTHING
        if claim.words is not None:
            return Decision.YIELD if claim.words is Words.SPEECH else Decision.RESUME
        return Decision.RESUME if claim.longest_ms < self._s.brief_ms else Decision.YIELD

    def due_ms(self, claim: Claim) -> int:
        s = self._s
        longest_ms = claim.noticed_ms + s.longest_hold_ms
        if claim.voice_since_ms is not None:
            return min(longest_ms, claim.voice_since_ms + s.yield_after_ms - claim.voiced_ms)
        wait_ms = s.words_wait_ms if claim.words_expected else s.deaf_wait_ms
        return min(longest_ms, (claim.ended_ms or 0) + wait_ms)


class Wary(Soft):
    """On a noisy line: nothing is done before a voice has lasted."""

    def started(self, claim: Claim) -> Decision:
        return Decision.NOTHING

    def due_ms(self, claim: Claim) -> int:
        if claim.voice_since_ms is not None:
            return claim.voice_since_ms + self._s.wary_ms
        return super().due_ms(claim)


def strategy_for(situation: Situation, settings: FloorSettings, *, wary: bool) -> BargeIn:
    """`wary`: the line is noisy."""
    if situation is Situation.NOTICE:
        return Deaf()
    chosen = {
        Situation.GREETING: settings.greeting,
        Situation.SPEAKING: settings.speaking,
        Situation.THINKING: settings.thinking,
    }.get(situation, "yield")
    if chosen == "deaf":
        return Deaf()
    if chosen == "yield":
        return Hard()
    return Wary(settings) if wary else Soft(settings)
