"""How long a call's model sessions live, and how long the call waits for the next one."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Times in ms of the call clock."""

    models: int = 1
    """How many models the agent names; the first is preferred."""
    session_ms: int = 15 * 60_000
    expiry_margin_ms: int = 60_000
    """How long before the vendor ends a session the next one is prepared."""
    context_tokens: int = 0
    """The next leg is prepared when an answer has read so many tokens. 0: never."""
    spend_usd: float = 0.0
    """The next leg is prepared when a leg has cost so much. 0: never."""
    summary_by: Literal["session", "text_model"] = "session"
    summary_timeout_ms: int = 6_000
    quiet_wait_ms: int = 10_000
    """Longest wait for a moment in which nobody speaks, thinks or runs a tool."""
    force_wait_ms: int = 120_000
    """After this wait even an answer in progress does not hold up the switch; no answer is so
    long. Before a session's end it is not waited for either."""
    attempt_ms: int = 1_500
    """Longest time for one attempt to open a session."""
    give_up_ms: int = 2_700
    """Longest time that a call may be without a model."""
    backoff_ms: int = 100
    """Once all models were tried, an attempt waits up to so long, the next one up to twice as long,
    and so on."""
    backoff_most_ms: int = 1_000
    rejoin_ms: int = 5_000
    """A planned change that could not be made is tried again after so long."""
    summary_every: int = 40
    """So many entries beyond the newest summary call for another: what a dropped call can tell
    its next leg word for word is bounded."""
    filler_after_ms: int = 1_500
    filler: str = "One moment, please."
    """Said when the call is without a model for `filler_after_ms`; "": nothing."""
    fruitless: int = 3
    """So many legs lost in a row that answered nothing: the call is given up. One that fell silent
    counts twice, because the caller waited for it longest."""
    keep_entries: int = 8
    """How much of what a summary covers is told to the next leg word for word as well."""
    most_entries: int = 60
    prune_tokens: int = 0
    """So many tokens of old audio are replaced by their words at once. 0: never."""
    prune_keep_turns: int = 2
    """The caller's newest turns, and what was answered to them, stay as they sounded."""
    overlap_ms: int = 1_000
    """How much quiet before a switch the next leg hears again, so that no onset is lost."""
