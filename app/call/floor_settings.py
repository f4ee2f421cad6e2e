"""How the bot lets itself be interrupted."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Strategy: TypeAlias = Literal["yield", "hold", "deaf"]
"""`yield`: the agent stops for good as soon as a voice is heard. `hold`: it stops at once and goes
on if that was no interruption. `deaf`: it speaks to its end."""


@dataclass(frozen=True, slots=True)
class FloorSettings:
    """Raises `ValueError` for values that contradict each other."""

    by: Literal["model", "voice"] = "model"
    """Who says that the caller speaks: the model's voice detection, or our own."""
    greeting: Strategy = "hold"
    speaking: Strategy = "hold"
    thinking: Strategy = "hold"
    yield_after_ms: int = 1_150
    """A voice that lasts so long is an interruption, whatever it says. The moment that our voice
    detection takes to notice an end is part of it."""
    brief_ms: int = 700
    """A voice that was shorter than this, of which no words are known, was none."""
    words_wait_ms: int = 1_600
    """How long the words of a short voice are waited for, from its end on. 0: there will be
    none."""
    deaf_wait_ms: int = 150
    """How long the model may take, from the end of a short voice on, to hear it as well. Where it
    does not, there will be no words."""
    longest_hold_ms: int = 2_500
    echo_share: float = 0.8
    """A voice of which so much, 0 to 1, is the bot's own coming back is not the caller's."""
    wary_ms: int = 600
    """On a noisy line: how long a voice must last before the agent stops."""
    noisy_after: int = 3
    """A line is noisy after so many false alarms ..."""
    noisy_within_ms: int = 20_000
    """... within this time."""
    noisy_hint: str = ""
    """Instructions by which the caller is told of the noise. "": nothing is said."""
    keys: bool = False
    """A key that is pressed interrupts the agent."""

    def __post_init__(self) -> None:
        if not 0 < self.brief_ms <= self.yield_after_ms <= self.longest_hold_ms:
            raise ValueError(
                "expected 0 < brief_ms <= yield_after_ms <= longest_hold_ms, got "
                f"{self.brief_ms}, {self.yield_after_ms} and {self.longest_hold_ms}"
            )
        if self.noisy_after < 1 or min(self.words_wait_ms, self.deaf_wait_ms, self.wary_ms) < 0:
            raise ValueError(
                "expected noisy_after >= 1 and words_wait_ms, deaf_wait_ms, wary_ms >= 0, got "
                f"{self.noisy_after}, {self.words_wait_ms}, {self.deaf_wait_ms}, {self.wary_ms}"
            )
