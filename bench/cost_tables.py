"""The tables of docs/cost.md, made from the simulation."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bench.cost_model import (
    MINUTES,
    PREVIEW_DECEMBER,
    PUBLISHED_USD,
    REALTIME,
    REALTIME_21_MINI,
    SHARE,
    SHARES,
    TERMS,
)
from bench.cost_policy import BUDGET, BY_TIME, NOTHING, PRUNED, RECOMMENDED, Policy, truncations
from bench.cost_study import (
    BILLS,
    HERE,
    PACES,
    PESSIMISTIC,
    World,
    cheapest,
    fit,
    mean,
    recall,
    sessions,
    usd,
)

TRANSCRIPT_KEEPS = 0.97
"""[assumed] For the remark about transcripts that are not right."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def is_of_figures(self, column: int) -> bool:
        """Its cells are to stand to the right."""
        return all(re.fullmatch(r"[-$%\d.,]+|none", row[column]) for row in self.rows)


def _grid(title: str, head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Grid:
    return Grid(title, head, tuple(rows))


def _usd(dollars: float) -> str:
    return f"${dollars:.2f}"


def _saved(part: float, whole: float) -> str:
    return f"{1 - part / whole:.0%}"


def lengths() -> Grid:
    """The curve, with and without rollover."""

    def rows() -> Iterator[tuple[str, ...]]:
        for m in MINUTES:
            costs = [usd(p, m, SHARE) for p in COLUMNS]
            published = _usd(PUBLISHED_USD[m]) if m in PUBLISHED_USD else "-"
            saved = (_saved(costs[-1], costs[0]), _saved(costs[-1], costs[1]))
            yield (f"{m} min", published, *map(_usd, costs), *saved)

    saved = ("saved of one session", "of each 15 min")
    head = ("length", "published", *(_short(policy) for policy in COLUMNS), *saved)
    return _grid(f"Cost by length, {SHARE:.0%} of the prefix cached", head, rows())


def settings() -> Grid:
    """What the settings do to an hour."""
    by_minutes = [replace(RECOMMENDED, minutes=minutes) for minutes in (5, 10, 15, 30)]
    by_budget = [Policy(minutes=15, context_tokens=b) for b in (6_000, 8_000, 12_000, 16_000)]

    def rows() -> Iterator[tuple[str, ...]]:
        for policy in (BY_TIME, *by_budget, PRUNED, *by_minutes):
            minutes, budget = f"{policy.minutes:g}", f"{policy.context_tokens:,}"
            costs = [_usd(usd(policy, 60, share)) for share in SHARES[1:]]
            known = f"{recall(policy, 60, PESSIMISTIC):.0%}"
            pruned = "yes" if policy.audio_turns else "no"
            yield (
                minutes if policy.minutes else "none",
                budget if policy.context_tokens else "none",
                pruned,
                *costs,
                f"{sessions(policy, 60):.1f}",
                known,
            )

    cached = (f"{share:.0%} cached" for share in SHARES[1:])
    head = ("minutes", "context tokens", "pruned", *cached, "sessions", BAD)
    return _grid("What the settings do to 60 min", head, rows())


BAD = "facts kept by bad summaries"


def shares() -> Grid:
    """What the cache does to each."""

    def rows() -> Iterator[tuple[str, ...]]:
        for m in (5, 15, 60):
            for policy in (*COLUMNS, PRUNED):
                costs = [_usd(usd(policy, m, share)) for share in SHARES]
                known = f"{recall(policy, m, PESSIMISTIC):.0%}"
                yield (f"{m} min", _short(policy), *costs, f"{sessions(policy, m):.1f}", known)

    cached = tuple(f"{share:.0%} cached" for share in SHARES)
    head = ("length", "policy", *cached, "sessions", BAD)
    return _grid("The share that is cached decides", head, rows())


_SHORT = {
    NOTHING: "one session",
    BY_TIME: "each 15 min",
    BUDGET: "or at 12k",
    RECOMMENDED: "and pruned",
    PRUNED: "one session, pruned",
}


def _short(policy: Policy) -> str:
    return _SHORT[policy]


def best() -> Grid:
    """The search."""

    def rows() -> Iterator[tuple[str, ...]]:
        for m in MINUTES:
            for share in SHARES:
                found = [cheapest(m, share, keeps) for keeps in (1.0, PESSIMISTIC)]
                cells = [f"{_usd(usd(policy, m, share))}: {policy.name}" for policy in found]
                ours = _usd(usd(RECOMMENDED, m, share))
                yield (f"{m} min", f"{share:.0%}", _usd(usd(NOTHING, m, share)), ours, *cells)

    head = (
        "length",
        "cached",
        _short(NOTHING),
        _short(RECOMMENDED),
        "cheapest if summaries keep all facts",
        "cheapest if each loses a tenth",
    )
    return _grid("The cheapest policy at equal recall", head, rows())


def pruning() -> Grid:
    """When deleting saves more than the broken prefix costs: 60 minutes in one session."""
    variants = [NOTHING]
    variants += [Policy(tools=when) for when in ("at once", "in batches")]
    for turns in (2, 8):
        variants += [Policy(audio_turns=turns, batch_tokens=b) for b in (0, 1_000, 4_000)]
    variants += [replace(PRUNED, tools="at once"), PRUNED]
    return _grid(
        "Pruning in one session of 60 min",
        ("policy", *(f"{share:.0%} cached" for share in SHARES)),
        ((p.name, *(_usd(usd(p, 60, share)) for share in SHARES)) for p in variants),
    )


def dropped() -> Grid:
    """The vendor's truncation: what it saves and what it forgets, 60 minutes."""

    def rows() -> Iterator[tuple[str, ...]]:
        for policy in truncations():
            costs = [_usd(usd(policy, 60, share)) for share in SHARES]
            yield (policy.name, *costs, f"{recall(policy, 60, 1.0):.0%}")

    head = ("policy", *(f"{share:.0%} cached" for share in SHARES), "facts kept")
    return _grid("The vendor's own truncation, 60 min", head, rows())


def assumptions() -> Grid:
    """The same, elsewhere: 60 minutes."""

    def rows() -> Iterator[tuple[str, ...]]:
        for name, world in WORLDS.items():
            yield _elsewhere(name, world, COLUMNS)
        by_text_model = [replace(policy, summary_by="text model") for policy in COLUMNS[1:]]
        yield _elsewhere("a text model writes the summaries", HERE, (NOTHING, *by_text_model))

    head = ("60 min", *(_short(policy) for policy in COLUMNS), "saved of each 15 min")
    return _grid(f"With other assumptions, {SHARE:.0%} cached", head, rows())


COLUMNS = (NOTHING, BY_TIME, BUDGET, RECOMMENDED)
WORLDS = {
    "as assumed": HERE,
    "gpt-realtime-2.1-mini": replace(HERE, prices=REALTIME_21_MINI),
    "long turns": replace(HERE, talk=PACES["long turns"]),
    "short turns": replace(HERE, talk=PACES["short turns"]),
    "instructions of 5,000 tokens": replace(HERE, terms=replace(TERMS, instructions_tokens=5_000)),
    "new sessions find their instructions cached": replace(
        HERE, terms=replace(TERMS, warm_start=True)
    ),
    "the request for a summary breaks the prefix": replace(
        HERE, terms=replace(TERMS, summary_keeps_prefix=False)
    ),
}


def _elsewhere(name: str, world: World, policies: Sequence[Policy]) -> tuple[str, ...]:
    costs = [usd(policy, 60, SHARE, world) for policy in policies]
    return (name, *map(_usd, costs), _saved(costs[-1], costs[1]))


def calibration() -> Grid:
    """Which share explains the published curve."""

    def rows() -> Iterator[tuple[str, ...]]:
        for name, prices in (
            ("gpt-4o-realtime-preview-2024-12-17", PREVIEW_DECEMBER),
            ("gpt-realtime", REALTIME),
        ):
            for pace, talk in PACES.items():
                found = fit(talk, prices)
                costs = (_usd(found.usd[m]) for m in PUBLISHED_USD)
                yield (name, pace, f"{found.share:.0%}", *costs, f"{found.worst:.0%}")

    published = (f"{m} min ({_usd(p)})" for m, p in PUBLISHED_USD.items())
    head = ("prices", "talk", "cached", *published, "largest error")
    return _grid("Which share of the prefix must be cached", head, rows())


def bills() -> Grid:
    """Published bills beside the simulation, 15 minutes."""

    def rows() -> Iterator[tuple[str, ...]]:
        for bill in BILLS:
            yield (
                bill.model,
                f"{bill.read_tokens:,.0f}",
                f"{bill.spoken_tokens:,.0f}",
                f"{bill.share:.0%}",
            )
        read = mean(NOTHING, 15, lambda t: t.audio_in)
        most = mean(NOTHING, 15, lambda t: t.same_audio / t.audio_in)
        spoken = mean(NOTHING, 15, lambda t: t.audio_out)
        yield ("simulated, one session", f"{read:,.0f}", f"{spoken:,.0f}", f"at most {most:.0%}")

    head = ("15 minutes", "audio tokens read", "audio tokens spoken", "read from the cache")
    return _grid("Two published bills", head, rows())


TABLES: dict[str, Callable[[], Grid]] = {
    "lengths": lengths,
    "settings": settings,
    "shares": shares,
    "best": best,
    "pruning": pruning,
    "truncation": dropped,
    "assumptions": assumptions,
    "calibration": calibration,
    "bills": bills,
}


def remarks() -> list[str]:
    """What the tables do not say by themselves."""
    wrong = 1 - recall(RECOMMENDED, 60, 1.0, TRANSCRIPT_KEEPS)
    alone = 1 - recall(BY_TIME, 60, 1.0, TRANSCRIPT_KEEPS)
    return [
        f"If transcripts get {1 - TRANSCRIPT_KEEPS:.0%} of the facts wrong, the recommended policy "
        f"has {wrong:.1%} of those that are needed in 60 minutes wrong; new sessions each 15 "
        f"minutes, without pruning, {alone:.1%}."
    ]
