"""What a caller's few words ask of the agent: to wait for a moment, or nothing at all.

Both are told from the whole utterance, never from a part of it, by lists of words in seven
languages. Not known is "no": then the utterance is speech like any other.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from app.call.backchannel_words import BACKCHANNELS, EVERYWHERE
from app.call.hold_words import HOLD_WORDS
from app.call.word_lists import Phrases, Words, plain_words, spoken_words

MOST_WORDS: Final = 20
"""Nobody asks for a moment in more words."""
MOST_BACKCHANNEL_WORDS: Final = 3
FALLBACK: Final = "en"
"""Taken for a language that has no lists: its sounds are understood, and some of its words."""


def wants_to_hold(words: str, language: str) -> bool:
    """True when the caller asks for a moment, whatever they do meanwhile, and says nothing else.

    `language`: ISO 639-1, with or without a region ("en", "pt-BR"); "": any.
    """
    said = plain_words(words)
    if not 0 < len(said) <= MOST_WORDS:
        return False
    return any(_holds(code).fits(said) for code in _codes(language))


def is_backchannel(words: str, language: str) -> bool:
    """True when the whole utterance only says that the caller listens, in up to three words.

    `language` as for `wants_to_hold`. It says nothing about what the agent had just asked: after
    a question "yes" is an answer.
    """
    if not 0 < spoken_words(words) <= MOST_BACKCHANNEL_WORDS:
        return False
    said = plain_words(words)
    return any(len(said) in _backchannels(code).repeated(said, {0}) for code in _codes(language))


@dataclass(frozen=True, slots=True)
class _Holds:
    leads: Phrases
    wishes: Phrases
    tails: Phrases
    reasons: Phrases
    openers: Phrases
    frames: tuple[tuple[Phrases, Phrases], ...]
    you: frozenset[str]

    def fits(self, said: Words) -> bool:
        wished = self.wishes.once(said, self.leads.repeated(said, {0}))
        ends = self.tails.repeated(said, wished)
        return len(said) in ends or any(self._reason(said[end:]) for end in ends)

    def _reason(self, rest: Words) -> bool:
        if self.you & set(rest):
            return False
        if len(rest) in self.tails.repeated(rest, self.reasons.once(rest, {0})):
            return True
        if self.openers.once(rest, {0}):
            return True
        return any(self._framed(rest, opener, closer) for opener, closer in self.frames)

    @staticmethod
    def _framed(rest: Words, opener: Phrases, closer: Phrases) -> bool:
        return any(
            len(rest) in closer.once(rest, range(end, len(rest))) for end in opener.once(rest, {0})
        )


def _codes(language: str) -> tuple[str, ...]:
    if not language:
        return tuple(HOLD_WORDS)
    code = language.casefold().replace("_", "-").partition("-")[0]
    return (code if code in HOLD_WORDS else FALLBACK,)


@cache
def _holds(code: str) -> _Holds:
    table = HOLD_WORDS[code]
    return _Holds(
        leads=Phrases(*table.leads),
        wishes=Phrases(*table.wishes),
        tails=Phrases(*table.tails),
        reasons=Phrases(*table.reasons),
        openers=Phrases(*table.openers),
        frames=tuple((Phrases(opener), Phrases(closer)) for opener, closer in table.frames),
        you=frozenset(table.you.split()),
    )


@cache
def _backchannels(code: str) -> Phrases:
    return Phrases(*EVERYWHERE, *BACKCHANNELS[code])
