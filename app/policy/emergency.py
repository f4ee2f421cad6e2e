"""Callers in danger, by their words, "I need an ambulance", or their keys. Others decide what
follows.

The phrases are our own, from what people say. Conservative: what is needed now, in the speaker's
own words. Who tells of an emergency that was, that is not, or that is insured, says something else;
a number alone answers a question. In doubt nothing is found: the model hears the caller too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.call.word_lists import Phrases, Words, plain_words
from app.policy.emergency_words import BLOCKED_AFTER, BLOCKED_BEFORE, DIALS, PHRASES
from app.policy.numbers import Number, read_number
from app.policy.ranges import is_emergency


class EmergencyKind(StrEnum):
    """What kind of help is needed."""

    MEDICAL = "medical"
    FIRE = "fire"
    POLICE = "police"
    SELF_HARM = "self_harm"
    UNSPECIFIED = "unspecified"
    """Somebody is asked to dial for help, or an emergency is named, without saying what it is."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """`kind`: the gravest that was said. `language`: of the phrase that was recognised."""

    kind: EmergencyKind
    language: str


ANYWHERE: Final = frozenset({"112", "911"})
"""What every telephone takes for an emergency (3GPP TS 22.101)."""
SHORTEST_TYPED: Final = 3
"""France's 15, say, is as likely the answer to a question."""
LOOK_BACK: Final = 4
"""So many words before a phrase can take it back: "I do not need an ambulance"."""


def emergency_in(text: str) -> Emergency | None:
    """What the caller said in one turn, in any of the languages that are known."""
    words = plain_words(text)
    if not words:
        return None
    for kind in EmergencyKind:
        for language, phrases in PHRASES.get(kind.value, {}).items():
            if _stands(phrases, words, language):
                return Emergency(kind, language)
    return _number_said(words)


def emergency_number(keys: str, near: Iterable[str] = ()) -> bool:
    """Whether keys that a caller pressed are a number for help: one that every telephone takes for
    it, or one of the countries of `near` (numbers with + and country code; what is none is
    nowhere). What means help in other countries only may be a count or an extension here."""
    if not (keys.isascii() and keys.isdigit()) or len(keys) < SHORTEST_TYPED:
        return False
    numbers = (read_number(text) for text in near)
    regions = {number.region for number in numbers if isinstance(number, Number)}
    return keys in ANYWHERE or is_emergency(keys, tuple(sorted(regions)))


def _stands(phrases: Phrases, words: Words, language: str) -> bool:
    """A phrase begins somewhere and nothing around it takes it back."""
    for start in range(len(words)):
        if not (ends := phrases.once(words, {start})):
            continue
        before = words[max(0, start - LOOK_BACK) : start]
        after = words[max(ends) : max(ends) + 2]
        if not (BLOCKED_BEFORE[language] & set(before) or BLOCKED_AFTER[language] & set(after)):
            return True
    return False


def _number_said(words: Words) -> Emergency | None:
    for language, phrases in DIALS.items():
        if _stands(phrases, words, language):
            return Emergency(EmergencyKind.UNSPECIFIED, language)
    return None
