"""Whether words sound as if the speaker had said all: a simple rule in place of a model.

Semantic turn detection and the lab's text model both judge by it. English only, and coarse: it
looks at the last word, and at numbers that are spelled.
"""

import re
from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BEFORE_A_NOUN: Final = _set("a an the my your our their every very")
_CONJUNCTIONS: Final = _set("and or but because if when while although unless until than since")
_PREPOSITIONS: Final = _set("to for of from with at about into onto between without")
"""Those that hardly end a sentence."""
_BEGINNINGS: Final = _set("i i'm i'd i'll i've we're we'd we'll we've it's let's")
_HESITATIONS: Final = _set("uh uhm um er erm hm hmm")
_OPEN: Final = _BEFORE_A_NOUN | _CONJUNCTIONS | _PREPOSITIONS | _BEGINNINGS | _HESITATIONS
_OPEN_UNLESS_SHORT_ANSWER: Final = _set(
    "is are was were am have has had do does did will would can could shall should may might "
    "must so"
)
_SHORT_ANSWER: Final = re.compile(r"(yes|no|yeah|yep|nope|sure|i (think|hope|guess) so)\b")
_TRAILS_OFF: Final = re.compile(r"(\.\.\.|…|-|–|—|,|:)\s*$")
_SENTENCE: Final = re.compile(r"[^.!?]+")
_WORD: Final = re.compile(r"\d+(?::\d+)?|[a-z']+")
_COUNTS: Final = (
    *("zero", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)
_DIGITS: Final = frozenset(_COUNTS[:-1]) | {"oh", "nought"}

_NUMBERS: Final = (
    (re.compile(r"\b(phone|telephone|mobile|callback) number\b"), 7),
    (re.compile(r"\bcard number\b"), 13),
    (re.compile(r"\b(code|pin|digits|(order|booking|reservation|account) number)\b"), 4),
)
"""What is asked for, and the fewest digits that it has."""
_HOW_MANY: Final = re.compile(r"\b(\d|two|three|four|five|six|seven|eight|nine|ten)[ -]digits?\b")
_SPELLED: Final = 4
"""Fewer digits one by one are hardly a whole number."""


def sounds_finished(text: str, asked: str = "") -> bool:
    """`asked`: what the speaker answers to, such as a question for a phone number."""
    said = text.strip().lower().replace("’", "'")
    words = _WORD.findall(said)
    if not words or _TRAILS_OFF.search(said):
        return False
    if spelled := _spelled_at_the_end(words):
        return sum(map(_digits_of, spelled)) >= _digits_wanted(spelled, asked)
    if words[-1] in _OPEN_UNLESS_SHORT_ANSWER:
        return said.endswith("?") or _SHORT_ANSWER.match(said) is not None
    return words[-1] not in _OPEN or (said.endswith("?") and len(words) > 1)


def _spelled_at_the_end(words: list[str]) -> list[str]:
    first = len(words)
    while first and _digits_of(words[first - 1]):
        first -= 1
    return words[first:]


def _digits_of(word: str) -> int:
    if word in _DIGITS:
        return 1
    return sum(char.isdigit() for char in word)


def _digits_wanted(spelled: list[str], asked: str) -> int:
    sentences = _SENTENCE.findall(asked.lower()) or [""]
    question = sentences[-1]
    if found := _HOW_MANY.search(question):
        return int(found[1]) if found[1].isdigit() else _COUNTS.index(found[1])
    for number, fewest in _NUMBERS:
        if number.search(question):
            return fewest
    return 1 if len(spelled) == 1 else _SPELLED
