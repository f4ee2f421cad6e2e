"""What a caller may say, written once: as a grammar for the ear and as a matcher for transcripts.

The language is a small part of JSGF: words, `( a | b )` for a choice, `[ a ]` for what may be left
out, and `<slot>` for one of a slot's values. `book a table [for <party>] (now | later)`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

_TOKEN = re.compile(r"\s*(<[a-z_]+>|[()\[\]|]|[a-z][a-z'.]*)")
_SPOKEN = re.compile(r"[a-z0-9'][a-z0-9'.]*")


class PhraseError(ValueError):
    """A phrase is not in the language; the message says where."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    parts: "tuple[Phrase, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    options: "tuple[Phrase, ...]"


Phrase: TypeAlias = Word | Slot | Row | Choice
NOTHING = Row(())

Values: TypeAlias = Mapping[str, Mapping[str, object]]
"""For each slot: what is said for it, and the value that this means."""


@dataclass(frozen=True, slots=True)
class Match:
    n_words: int
    slots: Mapping[str, object]


def parse_phrase(text: str) -> Phrase:
    """Raises PhraseError."""
    reader = _Reader(text)
    phrase = reader.choice()
    if reader.next is not None:
        raise PhraseError(f"expected the end, got {reader.next!r} in {text!r}")
    return phrase


def slots_of(phrase: Phrase) -> frozenset[str]:
    match phrase:
        case Slot(name):
            return frozenset((name,))
        case Row(parts) | Choice(parts):
            return frozenset().union(*(slots_of(part) for part in parts))
        case _:
            return frozenset()


def sure_slots_of(phrase: Phrase) -> frozenset[str]:
    """The slots that every match fills."""
    match phrase:
        case Choice(options):
            return frozenset.intersection(*(sure_slots_of(option) for option in options))
        case Row(parts):
            return frozenset().union(*(sure_slots_of(part) for part in parts))
        case _:
            return slots_of(phrase)


def to_jsgf(phrase: Phrase, values: Values) -> str:
    """A JSGF right-hand side that stands alone: slots are written out."""
    match phrase:
        case Word(text):
            return text
        case Slot(name):
            return "(" + " | ".join(values[name]) + ")"
        case Row(parts):
            return " ".join(to_jsgf(part, values) for part in parts)
        case Choice(options):
            said = [to_jsgf(option, values) for option in options if option != NOTHING]
            left, right = "[]" if NOTHING in options else "()"
            return left + " | ".join(said) + right


def words_of(transcript: str) -> list[str]:
    """Lower-case words without punctuation, as phrases are written."""
    return [word.rstrip(".") for word in _SPOKEN.findall(transcript.lower())]


def find(phrase: Phrase, words: Sequence[str], values: Values) -> Match | None:
    """The longest stretch of `words` that the phrase matches; None when there is none."""
    best: Match | None = None
    for start in range(len(words)):
        for end, slots in _ends(phrase, words, start, {}, values):
            if end > start and (best is None or end - start > best.n_words):
                best = Match(end - start, slots)
    return best


_Slots: TypeAlias = Mapping[str, object]


def _ends(
    phrase: Phrase, words: Sequence[str], at: int, slots: _Slots, values: Values
) -> Iterator[tuple[int, _Slots]]:
    """Everywhere a match from `at` on may end, with the slots that it fills."""
    match phrase:
        case Word(text):
            if at < len(words) and words[at] == text:
                yield at + 1, slots
        case Slot(name):
            for said, value in values[name].items():
                end = at + len(said.split())
                if list(words[at:end]) == said.split():
                    yield end, {**slots, name: value}
        case Row(()):
            yield at, slots
        case Row(parts):
            for middle, filled in _ends(parts[0], words, at, slots, values):
                yield from _ends(Row(parts[1:]), words, middle, filled, values)
        case Choice(options):
            for option in options:
                yield from _ends(option, words, at, slots, values)


class _Reader:
    """Recursive descent over one phrase."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.next: str | None = None
        self._advance()

    def choice(self) -> Phrase:
        options = [self._row()]
        while self.next == "|":
            self._advance()
            options.append(self._row())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _row(self) -> Phrase:
        parts: list[Phrase] = []
        while self.next is not None and self.next not in ")]|":
            parts.append(self._part(self.next))
        if not parts:
            raise PhraseError(f"expected a word, got {self.next or 'the end'!r} in {self._text!r}")
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _part(self, token: str) -> Phrase:
        self._advance()
        if token == "(":
            return self._closed_by(")", self.choice())
        if token == "[":
            inside = self._closed_by("]", self.choice())
            options = inside.options if isinstance(inside, Choice) else (inside,)
            return Choice((*options, NOTHING))
        return Slot(token[1:-1]) if token.startswith("<") else Word(token)

    def _closed_by(self, bracket: str, inside: Phrase) -> Phrase:
        if self.next != bracket:
            raise PhraseError(
                f"expected {bracket!r}, got {self.next or 'the end'!r} in {self._text!r}"
            )
        self._advance()
        return inside

    def _advance(self) -> None:
        if not self._text[self._at :].strip():
            self.next = None
            return
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            raise PhraseError(
                "expected lower-case words, <slot>, ( | ) or [ ], "
                f"got {self._text[self._at :].strip()[:12]!r} in {self._text!r}"
            )
        self.next, self._at = token[1], token.end()
