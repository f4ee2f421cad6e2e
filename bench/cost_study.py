"""Means over the made-up calls, the cheapest policy, and the fit to what is known of bills."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from app.call.prices import Prices
from bench.cost_call import Tally, tallies
from bench.cost_model import (
    MINUTES,
    PREVIEW_DECEMBER,
    PUBLISHED_USD,
    REALTIME_21,
    SEEDS,
    TALK,
    TERMS,
    Talk,
    Terms,
)
from bench.cost_policy import NOTHING, Policy, policies
from bench.cost_talk import Turn, talk_turns

EQUAL = 1e-9
LEAST_SESSION_MINUTES = 5.0
"""[assumed] A change of session is no toy: the search takes no policy that makes more of them."""
PESSIMISTIC = 0.9
"""[assumed] What a summary keeps of the facts, when it is a bad one."""


@dataclass(frozen=True, slots=True)
class World:
    """Where the calls take place."""

    talk: Talk = TALK
    terms: Terms = TERMS
    prices: Prices = REALTIME_21
    transcription: bool = True


HERE = World()


@cache
def _calls(talk: Talk) -> tuple[tuple[Turn, ...], ...]:
    return tuple(talk_turns(talk, seed) for seed in SEEDS)


@cache
def runs(
    policy: Policy, talk: Talk, terms: Terms, minutes: tuple[int, ...] = MINUTES
) -> tuple[dict[int, Tally], ...]:
    """Every made-up call under this policy."""
    return tuple(tallies(turns, policy, talk, terms, minutes) for turns in _calls(talk))


def mean(
    policy: Policy,
    minutes: int,
    figure: Callable[[Tally], float],
    world: World = HERE,
    marks: tuple[int, ...] = MINUTES,
) -> float:
    """The mean of a figure of the tally after so many minutes."""
    found = runs(policy, world.talk, world.terms, marks)
    return math.fsum(figure(call[minutes]) for call in found) / len(found)


def usd(
    policy: Policy,
    minutes: int,
    share: float,
    world: World = HERE,
    marks: tuple[int, ...] = MINUTES,
) -> float:
    """What a call of so many minutes costs, when this share of what may be cached was."""
    return mean(
        policy,
        minutes,
        lambda t: t.usd(world.prices, share, transcription=world.transcription),
        world,
        marks,
    )


def recall(
    policy: Policy, minutes: int, summary_keeps: float, transcript_keeps: float = 1
) -> float:
    return mean(policy, minutes, lambda t: t.recall(summary_keeps, transcript_keeps))


def sessions(policy: Policy, minutes: int) -> float:
    return mean(policy, minutes, lambda t: t.sessions)


def cheapest(minutes: int, share: float, summary_keeps: float) -> Policy:
    """Of those that recall as much as when nothing is done, and do not change session too often."""
    most = max(1.0, minutes / LEAST_SESSION_MINUTES)
    least = recall(NOTHING, minutes, summary_keeps) - EQUAL
    able = [
        policy
        for policy in policies()
        if sessions(policy, minutes) <= most and recall(policy, minutes, summary_keeps) >= least
    ]
    return min(able, key=lambda policy: usd(policy, minutes, share))


# What is known of real bills


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a share of the cache explains the published curve."""

    share: float
    usd: dict[int, float]

    @property
    def worst(self) -> float:
        """The largest error, relative to the published figure."""
        return max(abs(self.usd[m] / published - 1) for m, published in PUBLISHED_USD.items())


PACES = {
    "short turns": replace(TALK, caller_words=8.0, agent_words=14.0, pause_s=2.0),
    "middle": TALK,
    "long turns": replace(TALK, caller_words=20.0, agent_words=40.0, pause_s=4.0),
}


def fit(talk: Talk, prices: Prices) -> Fit:
    """The share, to a hundredth, with the least sum of squared relative errors."""
    world = World(replace(talk, minutes=max(PUBLISHED_USD) + 1), TERMS, prices, False)
    marks = tuple(PUBLISHED_USD)

    def at(share: float) -> Fit:
        return Fit(share, {m: usd(NOTHING, m, share, world, marks) for m in marks})

    def error(found: Fit) -> float:
        return math.fsum((found.usd[m] / p - 1) ** 2 for m, p in PUBLISHED_USD.items())

    return min((at(hundredth / 100) for hundredth in range(101)), key=error)


@dataclass(frozen=True, slots=True)
class Bill:
    """Audio lines of a published bill for 15 minutes, in dollars."""

    model: str
    audio_in: float
    audio_cached: float
    audio_out: float
    prices: Prices

    @property
    def read_tokens(self) -> float:
        return 1e6 * self.audio_in / self.prices.audio_in + self._cached_tokens

    @property
    def _cached_tokens(self) -> float:
        return 1e6 * self.audio_cached / self.prices.audio_cached_in

    @property
    def share(self) -> float:
        return self._cached_tokens / self.read_tokens

    @property
    def spoken_tokens(self) -> float:
        return 1e6 * self.audio_out / self.prices.audio_out


BILLS: Sequence[Bill] = (
    Bill("gpt-4o-realtime-preview-2024-12-17", 5.28, 0.57, 0.65, PREVIEW_DECEMBER),
    Bill("gpt-4o-realtime-preview-2025-06-03", 0.33, 0.80, 0.80, PREVIEW_DECEMBER),
)
"""Both from thread 1285295 of the vendor's forum: one user, two models, the same use."""
