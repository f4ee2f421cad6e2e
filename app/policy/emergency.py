"""Callers in danger, by their words: "I need an ambulance". Others decide what follows.

The phrases are our own, from what people say. Conservative: what is needed now, in the speaker's
own words. Who tells of an emergency that was, that is not, or that is insured, says something else;
a number alone answers a question. In doubt nothing is found: the model hears the caller too.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.call.word_lists import Phrases, Words, plain_words
from app.policy.emergency_words import BLOCKED_AFTER, BLOCKED_BEFORE, DIALS, PHRASES
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


def emergency_number(digits: str) -> bool:
    """Whether keys that a caller pressed are a number for help, anywhere."""
    return digits.isascii() and digits.isdigit() and is_emergency(digits)


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
