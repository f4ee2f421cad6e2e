"""How well the words that a caller heard are told from the position at which the answer was cut.

    python -m bench.words [--rounds N]

Speech whose words' times are known (bench/words_spoken.json: flite and espeak-ng, five languages)
is sent as a realtime model sends it: audio in pieces of 100 to 400 ms, and the words ahead of it.
At a random place the caller interrupts. `even` spreads the text evenly over the audio that came;
`track` is app.call.word_track. A word counts as heard once it was said to its end. A second table
is about answers that break off: words_broken.py.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.call.word_track import Pace, WordTrack
from bench import words_broken
from bench.words_evenly import split_at_word
from bench.words_sent import Condition, Said, in_bytes, learned_pace, say, send, texts
from bench.words_spoken import Spoken

AHEAD_MS = 2_500
"""Of an unfinished item, up to so much more than what was heard had come."""
CONDITIONS = (
    *(
        Condition(fate, "lead", lead_ms, natural)
        for natural in (False, True)
        for fate in ("whole", "unfinished", "first")
        for lead_ms in (0, 300, 800)
    ),
    Condition("whole", "jitter"),
    Condition("unfinished", "jitter"),
    Condition("whole", "letters"),
    Condition("unfinished", "letters"),
    Condition("whole", "once", 0),
    Condition("unfinished", "once", 0),
    Condition("whole", "after", 0),
    Condition("whole", "faster"),
    Condition("unfinished", "faster"),
)


@dataclass(frozen=True, slots=True)
class Error:
    """Of one cut."""

    words: int
    """More than zero: words that were not heard are taken for heard."""
    ms: float
    """From the end of the last word really heard to that of the last one taken for heard."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Of many cuts: without their signs."""

    mean_words: float
    p95_words: int
    beyond_one: float
    """Share of cuts that are wrong by more than one word."""
    mean_ms: float


def measure(condition: Condition, rounds: int) -> tuple[Errors, Errors]:
    """The errors of an even spread and of the track, over the same cuts."""
    dice = random.Random(repr(condition))
    cuts = [_cut(text, condition, dice) for _ in range(rounds) for text in texts()]
    even, track = zip(*(cut for cut in cuts if cut is not None), strict=True)
    return _errors(even), _errors(track)


def _errors(errors: Sequence[Error]) -> Errors:
    words = sorted(abs(error.words) for error in errors)
    return Errors(
        statistics.mean(words),
        words[int(0.95 * len(words))],
        sum(n > 1 for n in words) / len(words),
        statistics.mean(abs(error.ms) for error in errors),
    )


def _cut(text: Spoken, condition: Condition, dice: random.Random) -> tuple[Error, Error] | None:
    """None where an item that was to be unfinished was all there."""
    slowness = dice.uniform(0.8, 1.2)
    pace = Pace()
    if condition.fate != "first":
        pace = learned_pace(text.voice, slowness, condition, dice)
        slowness *= dice.uniform(0.95, 1.05)
    said = say(text, slowness, condition, dice)
    heard_ms = dice.uniform(0, said.total_ms)
    limit_ms = said.total_ms
    if condition.fate != "whole":
        limit_ms = heard_ms + dice.uniform(0, AHEAD_MS)
    track = WordTrack(pace)
    words, received = send(track, said, condition, dice, limit_ms)
    if condition.fate == "whole":
        track.done()
    elif received >= in_bytes(said.total_ms):
        return None
    heard = min(in_bytes(heard_ms), received)
    by_even, _ = split_at_word(words.strip(), heard, received)
    by_track, _ = track.heard(heard, received)
    return _error(said, heard, by_even), _error(said, heard, by_track)


def _error(said: Said, heard_bytes: int, heard: str) -> Error:
    true = sum(in_bytes(ended_ms) <= heard_bytes for ended_ms in said.ended_ms)
    told = sum(word.end <= len(heard) for word in said.spoken.words)
    ends_ms = (0.0, *said.ended_ms)
    return Error(told - true, ends_ms[told] - ends_ms[true])


def table(rounds: int) -> Table:
    made = Table(
        title="Heard words: error at random cuts (even spread / track)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("speech", "item", "text", "lead ms"):
        made.add_column(name, justify="right" if name == "lead ms" else "left")
    for name in ("mean words", "p95 words", "beyond one", "mean ms"):
        made.add_column(name, justify="right")
    for condition in CONDITIONS:
        even, track = measure(condition, rounds)
        made.add_row(
            "uneven" if condition.natural else "synthetic",
            condition.fate,
            condition.delivery,
            str(condition.lead_ms),
            f"{even.mean_words:.2f} / {track.mean_words:.2f}",
            f"{even.p95_words} / {track.p95_words}",
            f"{even.beyond_one:.1%} / {track.beyond_one:.1%}",
            f"{even.mean_ms:.0f} / {track.mean_ms:.0f}",
        )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="bench.words", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="cuts of each text, %(default)s")
    given = parser.parse_args(argv)
    console = Console(width=110)
    console.print(table(given.rounds))
    console.print(words_broken.table(given.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
