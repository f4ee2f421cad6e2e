"""What can be done about a call's length: new sessions, text for old audio, fewer tool results."""

from dataclasses import dataclass
from typing import Literal

ToolDrop = Literal["never", "at once", "in batches"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Nothing is done unless a field says so."""

    minutes: float = 0.0
    """A new session after so long."""
    context_tokens: int = 0
    """A new session when an answer has read so many tokens."""
    summary_by: Literal["session", "text model"] = "session"
    audio_turns: int = 0
    """Turns whose audio stays; older audio is replaced by its words. 0: all of it stays."""
    batch_tokens: int = 0
    """Audio is replaced when so many tokens of it are old, then all of it at once."""
    tools: ToolDrop = "never"
    """When irrelevant results are deleted; a new session never gets them."""
    limit_tokens: int = 0
    """The vendor's truncation: of items, behind the instructions. 0: the model's own window."""
    retention: float = 1.0
    """How much of the limit is left when the vendor has truncated."""

    @property
    def name(self) -> str:
        parts = [
            f"new session after {self.minutes:g} min" if self.minutes else "",
            f"new session at {_k(self.context_tokens)}" if self.context_tokens else "",
            "summary by a text model" if self.summary_by == "text model" else "",
            self._pruning if self.audio_turns else "",
            f"old tool results out {self.tools}" if self.tools != "never" else "",
            f"vendor cuts {_k(self.limit_tokens)} to {self.retention:.0%}"
            if self.limit_tokens
            else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing"

    @property
    def _pruning(self) -> str:
        when = f"by {_k(self.batch_tokens)}" if self.batch_tokens else "each turn"
        return f"text for audio {when}, but the last {self.audio_turns} turns"


def _k(tokens: int) -> str:
    return f"{tokens / 1_000:g}k"


NOTHING = Policy()
BY_TIME = Policy(minutes=15)
"""`EARSHOT_SESSION_MINUTES` as it is when nobody sets it."""
BUDGET = Policy(minutes=15, context_tokens=12_000)
"""The same with a context budget: settings only, no pruning."""
PRUNED = Policy(audio_turns=2, batch_tokens=1_000, tools="in batches")
"""Pruning alone, in one session."""
RECOMMENDED = Policy(
    minutes=15, context_tokens=12_000, audio_turns=2, batch_tokens=1_000, tools="in batches"
)
"""All three. With pruning the budget is a guard that is seldom reached."""
BUDGETS = (2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000, 24_000, 32_000)
BATCHES = (0, 500, 1_000, 2_000, 4_000)
WRITERS: tuple[Literal["session", "text model"], ...] = ("session", "text model")
KEEPS: tuple[ToolDrop, ...] = ("never", "in batches")


def policies() -> tuple[Policy, ...]:
    """All that are compared, without those that lose facts by themselves."""
    by_time = [Policy(minutes=m) for m in (5, 10, 15, 30)]
    by_context = [Policy(context_tokens=b, summary_by=w) for b in BUDGETS for w in WRITERS]
    pruned = [
        Policy(audio_turns=turns, batch_tokens=batch, tools=tools)
        for turns in (2, 4, 8)
        for batch in BATCHES
        for tools in KEEPS
    ]
    both = [
        Policy(context_tokens=budget, audio_turns=2, batch_tokens=batch, summary_by=by, tools=tools)
        for budget in BUDGETS[2:]
        for batch in BATCHES
        for by in WRITERS
        for tools in KEEPS
    ]
    at_once = [Policy(tools="at once"), Policy(tools="in batches")]
    return (NOTHING, *by_time, *by_context, *pruned, *both, *at_once)


def truncations() -> tuple[Policy, ...]:
    """The vendor's own: the oldest items go, and what they said with them."""
    limits = (4_000, 8_000, 16_000, 26_500)
    return tuple(Policy(limit_tokens=t, retention=r) for t in limits for r in (0.5, 0.8, 1.0))
