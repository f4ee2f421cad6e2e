"""How well the words that a caller heard are told from the position at which the answer was cut.

    python -m bench.words [--rounds N]

Speech whose words' times are known (bench/words_spoken.json: flite and espeak-ng, five languages)
is sent as a realtime model sends it: audio in pieces of 100 to 400 ms, and the words ahead of it.
At a random place the caller interrupts. `even` spreads the text evenly over the audio that came;
`track` is app.call.word_track. A word counts as heard once it was said to its end.
"""

import argparse
import random
import statistics
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.call.axis import BYTES_PER_MS
from app.call.transcript import split_at_word
from app.call.word_track import Pace, WordTrack
from bench.words_spoken import Spoken, spoken

PIECE_MS = (100, 400)
AHEAD_MS = 2_500
"""Of an unfinished item, up to so much more than what was heard had come."""
JITTER_MS = 150.0

Delivery: TypeAlias = Literal["lead", "jitter", "letters", "once", "after", "faster"]
"""How the words come: a time ahead of their audio, more or less so, by the share of letters (as the
lab's model sends them), all before or all after the audio, or ever further ahead."""
Fate: TypeAlias = Literal["whole", "unfinished", "first"]
"""What had come of the item: all; a part; a part, and it is the first that this voice says."""


@dataclass(frozen=True, slots=True)
class Condition:
    fate: Fate
    delivery: Delivery = "lead"
    lead_ms: int = 300
    natural: bool = True
    """Uneven: each phrase at its own pace, longer and shorter pauses. Else as synthesised."""


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
class Said:
    """A text as it is said this time: when each word begins and ends."""

    spoken: Spoken
    began_ms: tuple[float, ...]
    ended_ms: tuple[float, ...]
    total_ms: float


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
    cuts = [_cut(text, condition, dice) for _ in range(rounds) for text in _texts()]
    even, track = zip(*(cut for cut in cuts if cut is not None), strict=True)
    return _errors(even), _errors(track)


@cache
def _texts() -> tuple[Spoken, ...]:
    return tuple(spoken())


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
        pace = _learned(text.voice, slowness, condition, dice)
        slowness *= dice.uniform(0.95, 1.05)
    said = _say(text, slowness, condition, dice)
    heard_ms = dice.uniform(0, said.total_ms)
    limit_ms = said.total_ms
    if condition.fate != "whole":
        limit_ms = heard_ms + dice.uniform(0, AHEAD_MS)
    track = WordTrack(pace)
    words, received = _send(track, said, condition, dice, limit_ms)
    if condition.fate == "whole":
        track.done()
    elif received >= _bytes(said.total_ms):
        return None
    heard = min(_bytes(heard_ms), received)
    by_even, _ = split_at_word(words.strip(), heard, received)
    by_track, _ = track.heard(heard, received)
    return _error(said, heard, by_even), _error(said, heard, by_track)


def _learned(voice: str, slowness: float, condition: Condition, dice: random.Random) -> Pace:
    """What an answer before this one taught of the voice."""
    texts = [text for text in _texts() if text.voice == voice and len(text.words) > 8]
    said = _say(dice.choice(texts), slowness, condition, dice)
    track = WordTrack()
    _send(track, said, condition, dice, said.total_ms)
    track.done()
    return track.pace


def _say(text: Spoken, slowness: float, condition: Condition, dice: random.Random) -> Said:
    began_ms, ended_ms = [], []
    phrase = 1.0
    at_ms = dice.uniform(30, 300) if condition.natural else slowness * text.words[0].began_ms
    for index, word in enumerate(text.words):
        before = text.words[index - 1] if index else None
        pause_ms = word.began_ms - before.ended_ms if before else 0
        if before and pause_ms > 30 and condition.natural:
            phrase = dice.uniform(0.85, 1.15)
            ends = text.text[before.end - 1] in ".?!。？！"
            at_ms += dice.uniform(250, 700) if ends else dice.uniform(50, 350)
        else:
            at_ms += slowness * pause_ms
        began_ms.append(at_ms)
        uneven = phrase * dice.uniform(0.85, 1.15) if condition.natural else 1.0
        at_ms += slowness * uneven * (word.ended_ms - word.began_ms)
        ended_ms.append(at_ms)
    tail_ms = slowness * (text.total_ms - text.words[-1].ended_ms)
    total_ms = at_ms + (dice.uniform(20, 300) if condition.natural else tail_ms)
    return Said(text, tuple(began_ms), tuple(ended_ms), total_ms)


def _send(
    track: WordTrack, said: Said, condition: Condition, dice: random.Random, limit_ms: float
) -> tuple[str, int]:
    """Send until so much audio has come. Returns the text and the bytes that were sent."""
    sent_ms, words = 0.0, ""
    for text, until_ms in _pieces(said, condition, dice):
        if sent_ms >= limit_ms and until_ms > sent_ms:
            break
        if text:
            track.text(text)
            words += text
        if until_ms > sent_ms:
            track.audio(_bytes(until_ms) - _bytes(sent_ms))
        sent_ms = until_ms
    return words, _bytes(sent_ms)


def _pieces(said: Said, condition: Condition, dice: random.Random) -> Iterator[tuple[str, float]]:
    """Pieces of text, each with how far the audio is after the piece that follows it."""
    text, shown, at_ms = said.spoken.text, 0, 0.0
    edges = [0, *(word.end for word in said.spoken.words[:-1]), len(text)]
    while at_ms < said.total_ms:
        at_ms = min(said.total_ms, at_ms + dice.uniform(*PIECE_MS))
        ready = max(shown, _ready(said, condition, at_ms, dice))
        yield text[edges[shown] : edges[ready]], at_ms
        shown = ready
    yield text[edges[shown] :], at_ms


def _ready(said: Said, condition: Condition, at_ms: float, dice: random.Random) -> int:
    """How many words are sent before the audio reaches `at_ms`."""
    began_ms: Sequence[float] = said.began_ms
    match condition.delivery:
        case "lead":
            at_ms += condition.lead_ms
        case "jitter":
            at_ms += max(0.0, condition.lead_ms + dice.gauss(0, JITTER_MS))
        case "faster":
            at_ms += at_ms + condition.lead_ms
        case "letters":
            at_ms += condition.lead_ms
            letters = len(said.spoken.text)
            began_ms = [said.total_ms * word.start / letters for word in said.spoken.words]
        case "once":
            return len(began_ms)
        case "after":
            return 0
    return bisect_left(began_ms, at_ms)


def _bytes(ms: float) -> int:
    return round(ms * BYTES_PER_MS)


def _error(said: Said, heard_bytes: int, heard: str) -> Error:
    true = sum(_bytes(ended_ms) <= heard_bytes for ended_ms in said.ended_ms)
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
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench.words", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="cuts of each text, %(default)s")
    given = parser.parse_args(argv)
    Console(width=110).print(table(given.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
