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
    voice: bool = True
    """It is heard right now."""
    ended_ms: int | None = None
    """When its end was noticed, if it is not heard."""
    voiced_ms: int = 0
    """Voice in its stretches that are over."""
    words: Words | None = None
    """None while they are not known."""
    dismissed_ms: int | None = None
    """When it was found to be no interruption."""

    def voice_again(self, now_ms: int) -> None:
        self.voice, self.ended_ms, self.words = True, None, None

    def voice_ended(self, voiced_ms: int, now_ms: int) -> None:
        self.voice, self.ended_ms = False, now_ms
        self.voiced_ms += voiced_ms


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
        if now_ms < self.due_ms(claim) and claim.words is None:
            return Decision.NOTHING
        if claim.voice:
            lasted = now_ms - claim.began_ms >= self._s.yield_after_ms
            return Decision.YIELD if lasted else Decision.NOTHING
        if claim.words is not None:
            return Decision.YIELD if claim.words is Words.SPEECH else Decision.RESUME
        return Decision.RESUME if claim.voiced_ms < self._s.brief_ms else Decision.YIELD

    def due_ms(self, claim: Claim) -> int:
        s = self._s
        longest_ms = claim.noticed_ms + s.longest_hold_ms
        if claim.voice or claim.ended_ms is None:
            return min(longest_ms, claim.began_ms + s.yield_after_ms)
        return min(longest_ms, claim.ended_ms + s.words_wait_ms)


class Wary(Soft):
    """On a noisy line: nothing is done before a voice has lasted."""

    def started(self, claim: Claim) -> Decision:
        return Decision.NOTHING

    def decide(self, claim: Claim, now_ms: int) -> Decision:
        if claim.voice and now_ms - claim.began_ms >= self._s.wary_ms:
            return Decision.YIELD
        return super().decide(claim, now_ms)

    def due_ms(self, claim: Claim) -> int:
        if claim.voice:
            return claim.began_ms + self._s.wary_ms
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
