"""Answers that break off with their session: which words the next one says again or leaves out.

The track tells which words have come to sound as good as certainly; whoever goes on says the last
of these again (bench/relay_brain.py does). What is left out then was taken for said and was not.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.call.word_track import Pace, WordTrack
from bench.words_sent import Condition, Said, in_bytes, learned_pace, say, send, texts

CONDITIONS = tuple(
    Condition(fate, delivery)
    for fate in ("unfinished", "first")
    for delivery in ("lead", "jitter", "letters")
)


@dataclass(frozen=True, slots=True)
class Seams:
    """Of many answers that went on."""

    count: int
    left_out: float
    """Share of them in which a word was left out."""
    p95_again: int
    """Words said again."""


def measure(condition: Condition, rounds: int) -> Seams:
    dice = random.Random(repr(condition))
    told = [_broken(condition, dice, index) for _ in range(rounds) for index in range(len(texts()))]
    return seams([error for error in told if error is not None])


def seams(errors: Sequence[int]) -> Seams:
    """`errors`: how many words too many were told; below 0, too few."""
    again = sorted(max(0, 1 - error) for error in errors)
    left_out = sum(error > 1 for error in errors) / len(errors)
    return Seams(len(errors), left_out, again[int(0.95 * len(again))])


def _broken(condition: Condition, dice: random.Random, index: int) -> int | None:
    """None where nothing of the answer was missing."""
    text, slowness, pace = texts()[index], dice.uniform(0.8, 1.2), Pace()
    if condition.fate != "first":
        pace = learned_pace(text.voice, slowness, condition, dice)
        slowness *= dice.uniform(0.95, 1.05)
    said = say(text, slowness, condition, dice)
    track = WordTrack(pace)
    _, received = send(track, said, condition, dice, dice.uniform(0, said.total_ms))
    return None if received >= in_bytes(said.total_ms) else _error(said, received, track)


def _error(said: Said, received: int, track: WordTrack) -> int:
    surely, _ = track.came()
    true = sum(in_bytes(ended_ms) <= received for ended_ms in said.ended_ms)
    return sum(word.end <= len(surely) for word in said.spoken.words) - true


def table(rounds: int) -> Table:
    made = Table(
        title="Answers that broke off and went on with the last word told",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("item", "text"):
        made.add_column(name)
    for name in ("answers", "a word left out", "p95 words again"):
        made.add_column(name, justify="right")
    for condition in CONDITIONS:
        found = measure(condition, rounds)
        cells = str(found.count), f"{found.left_out:.1%}", str(found.p95_again)
        made.add_row(condition.fate, condition.delivery, *cells)
    return made
