"""How fast a campaign may dial, by how many live answers were abandoned. Pure.

    rate below half of the limit      the full pace
    from there to the limit           falls evenly to a tenth of the pace and of the calls at once
    at the limit and above            one call at a time, at a tenth of the pace: it can only be
                                      measured down, and nothing else is in its way
    ... and of the live answers since then two or more were abandoned, at a rate that is not below
    the limit                         nothing, until somebody resumes the campaign (then it may try
                                      again, one call at a time) or old days leave the 30 days

With few answers one that was abandoned is above any limit: below 34 of them (at 3 %) the first
abandoned one leads to one call at a time, two more to the halt. No pace is raised or lowered for
calls that nobody answered: they say nothing.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

NEAR: Final = 0.5
"""The part of the limit from which on the pace falls."""
LEAST_SHARE: Final = 0.1
STRIKES: Final = 2
LATE_MS: Final = 2_000
"""Who hears nothing for longer after the answer was abandoned (47 CFR 64.1200(a)(7) counts from the
end of the greeting; counting from the answer is stricter)."""

Level: TypeAlias = Literal["full", "near", "over", "stopped"]


@dataclass(frozen=True, slots=True)
class Answers:
    """Live answers, the abandoned among them."""

    answered: int = 0
    abandoned: int = 0

    @property
    def rate(self) -> float:
        return self.abandoned / self.answered if self.answered else 0.0


@dataclass(frozen=True, slots=True)
class Throttle:
    """`share` of the pace and of the calls at once; `alone`: one call at a time. `why`: words for
    the operator, "" at the full pace."""

    level: Level
    share: float = 1.0
    alone: bool = False
    why: str = ""


def was_abandoned(
    answered_at_ms: int, first_audio_at_ms: int | None, now_ms: int, *, ended: bool
) -> bool | None:
    """Whether a person who answered was abandoned; None: too early to say. One who hung up before
    any audio was."""
    if first_audio_at_ms is not None:
        return first_audio_at_ms - answered_at_ms > LATE_MS
    return True if ended or now_ms - answered_at_ms > LATE_MS else None


def throttled(answers: Answers, since_over: Answers, limit: float) -> Throttle:
    """`answers`: of 30 days; `since_over`: of the calls that were dialled since the rate went over
    the limit, or since the campaign was set going if that was later. `limit` of 1: none."""
    rate = answers.rate
    if limit >= 1 or not answers.abandoned or rate < limit * NEAR:
        return Throttle("full")
    told = (
        f"{answers.abandoned} of {answers.answered} live answers of 30 days were abandoned "
        f"({rate:.2%}, limit {limit:.2%})"
    )
    if rate < limit:
        share = 1 - (1 - LEAST_SHARE) * (rate - limit * NEAR) / (limit * (1 - NEAR))
        return Throttle("near", share, why=f"{told}: the pace is {share:.0%} of its full height")
    if since_over.abandoned >= STRIKES and since_over.rate >= limit:
        halted = (
            f"{told}, and {since_over.abandoned} of {since_over.answered} since then, one call at "
            "a time: nothing is dialled; find out why answers wait, then resume the campaign"
        )
        return Throttle("stopped", 0.0, True, halted)
    alone = f"{told}: one call at a time until the rate is below the limit"
    return Throttle("over", LEAST_SHARE, True, alone)
