"""The words of the answers in `bench.relay`: made up, each one its own, as long as a voice needs.

A word tells by itself whose it is and where it stands, so that any part of an answer is found again
in what a session was told. How long it takes goes by its syllables and by chance, as between
people, and has nothing to do with how the product guesses it.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final, Literal, TypeAlias

Letter: TypeAlias = Literal["a", "p", "g"]
"""An answer, what is said before a tool is run, what belongs to no utterance."""
Words: TypeAlias = tuple["Word", ...]

MOST_WORDS: Final = 24
"""Of one answer."""
ONSET_MS: Final = 120
"""What comes before an item's first word; less than the shortest word, or it would pass for one."""
TAIL_MS: Final = 100
"""What comes behind its last one."""
SYLLABLE_MS: Final = 190
UNEVEN: Final = 0.25
COMMA_MS: Final = (100, 250)
STOP_MS: Final = (250, 500)

_SYLLABLES: Final = ((1, 60), (2, 25), (3, 10), (4, 5))
"""How many of a hundred words have so many."""
_ONSETS: Final = (
    *("", "", "b", "c", "d", "f", "g", "h", "j", "l", "m", "n", "p", "r", "s", "t", "v", "w"),
    *("ch", "cl", "gr", "sh", "st", "tr"),
)
_NUCLEI: Final = ("a", "a", "e", "e", "i", "i", "o", "o", "u", "ai", "ee", "ou")
_CODAS: Final = ("", "", "", "", "d", "l", "m", "n", "n", "r", "s", "t", "ck", "nd", "rt")
_SHARE_OF_COMMAS: Final = 0.10
_SHARE_OF_STOPS: Final = 0.08


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an item, with the punctuation behind it."""

    text: str
    began_ms: int
    ended_ms: int
    """On the coded stream of its answer, when it is said from its beginning."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a word stands."""

    letter: Letter
    number: int
    index: int


@cache
def words_of(letter: Letter, number: int, count: int) -> Words:
    """The first `count` words of an answer. Where its words lie does not hang on how many it has.

    Raises ValueError for more than `MOST_WORDS`.
    """
    if count > MOST_WORDS:
        raise ValueError(f"count: expected {MOST_WORDS} words at most, got {count}")
    dice = random.Random(f"{letter}{number}")
    words: list[Word] = []
    at_ms, begins = ONSET_MS, True
    for index in range(count):
        spelt, syllables = _word(Place(letter, number, index))
        uneven = dice.uniform(1 - UNEVEN, 1 + UNEVEN)
        ended_ms = at_ms + round(syllables * SYLLABLE_MS * uneven)
        mark, pause_ms = _pause(dice)
        text = spelt.capitalize() if begins else spelt
        words.append(Word(text + ("." if index == count - 1 else mark), at_ms, ended_ms))
        at_ms, begins = ended_ms + pause_ms, mark == "."
    return tuple(words)


def _pause(dice: random.Random) -> tuple[str, int]:
    drawn, comma_ms, stop_ms = dice.random(), dice.randint(*COMMA_MS), dice.randint(*STOP_MS)
    if drawn < _SHARE_OF_STOPS:
        return ".", stop_ms
    return (",", comma_ms) if drawn < _SHARE_OF_STOPS + _SHARE_OF_COMMAS else ("", 0)


def whole_ms(words: Words) -> int:
    """How long an answer takes, up to its end."""
    return words[-1].ended_ms + TAIL_MS


def from_ms(words: Words, first: int) -> int:
    """Where on the coded stream an item begins whose first word is this one."""
    return words[first].began_ms - ONSET_MS


def text_of(words: Words, first: int = 0) -> str:
    return " ".join(word.text for word in words[first:])


def heard_words(words: Words, start_ms: float, end_ms: float) -> range:
    """Which words were said from their beginning to their end in this part of the coded stream."""
    heard = [i for i, w in enumerate(words) if w.began_ms >= start_ms and w.ended_ms <= end_ms]
    return range(heard[0], heard[-1] + 1) if heard else range(0)


def found_in(text: str) -> list[Place]:
    """The words of answers in a text, in their order; all else is passed over."""
    known = _places()
    spelt = (match.group().lower() for match in re.finditer(r"[A-Za-z]+", text))
    return [known[word] for word in spelt if word in known]


# Each place its own word

MOST_ANSWERS: Final = 30
"""Numbers of answers, and of what is said before a tool, run from 0 up to this."""
APART: Final = (900, 901, 902)
"""Numbers of what belongs to no utterance."""


def _every_place() -> Iterator[Place]:
    for number in range(MOST_ANSWERS):
        for index in range(MOST_WORDS):
            yield Place("a", number, index)
            yield Place("p", number, index)
    for number in APART:
        yield from (Place("g", number, index) for index in range(MOST_WORDS))


def _word(place: Place) -> tuple[str, int]:
    """How it is spelt, and its syllables."""
    return _lexicon()[place]


@cache
def _lexicon() -> dict[Place, tuple[str, int]]:
    dice = random.Random("a lexicon of its own")
    counts, shares = zip(*_SYLLABLES, strict=True)
    limits = list(accumulate(shares))
    made: dict[Place, tuple[str, int]] = {}
    seen = {"interrupted"}
    for place in _every_place():
        drawn = dice.randrange(limits[-1])
        syllables = next(n for n, limit in zip(counts, limits, strict=True) if drawn < limit)
        spelt = _spelt(dice, syllables)
        while spelt in seen or len(spelt) < 2:
            spelt = _spelt(dice, syllables)
        seen.add(spelt)
        made[place] = spelt, syllables
    return made


def _spelt(dice: random.Random, syllables: int) -> str:
    """Only the last syllable may end in any way: the others run into the next one."""
    word = ""
    for left in reversed(range(syllables)):
        coda = dice.choice(_CODAS) if not left or dice.random() < 0.25 else ""
        word += dice.choice(_ONSETS if not word or coda else _ONSETS[2:])
        word += dice.choice(_NUCLEI) + coda
    return word


@cache
def _places() -> dict[str, Place]:
    return {spelt: place for place, (spelt, _) in _lexicon().items()}
