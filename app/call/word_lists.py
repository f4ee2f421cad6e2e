"""Short utterances as they are written down, and lists of phrases to compare them with.

A list is written in the language's own spelling: `(a | b)` for a choice, `[a | b]` for what may be
left out. `wait [for] [just] a (moment | second)`. Case, accents, punctuation and drawn-out letters
("hmmmm") make no difference.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "'": "", "’": "", "‘": "", "`": ""})
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[()\[\]|]|[^\s()\[\]|]+")
_CLOSED_BY = {"(": ")", "[": "]"}


class WordListError(ValueError):
    """A list of ours is not in the notation; the message says where."""


def plain_words(text: str) -> Words:
    """The words without case, accents and punctuation. What a hyphen joins are two words, what an
    apostrophe joins is one; three equal letters or more are one."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return tuple(_WORD.findall(_DRAWN_OUT.sub(r"\1", bare.translate(_LETTERS))))


def spoken_words(text: str) -> int:
    """How many words it has, where what a hyphen joins is one."""
    return sum(1 for piece in text.split() if plain_words(piece))


@dataclass(frozen=True, slots=True)
class Literal:
    words: Words


@dataclass(frozen=True, slots=True)
class Row:
    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    options: "tuple[Node, ...]"


Node: TypeAlias = Literal | Row | Choice
_NOTHING = Row(())


class Phrases:
    """The phrases of some patterns. Raises `WordListError`."""

    __slots__ = ("node",)

    def __init__(self, *patterns: str) -> None:
        self.node = Choice(tuple(parse(pattern) for pattern in patterns))

    def once(self, words: Words, starts: Iterable[int]) -> set[int]:
        """Where one phrase ends that begins at one of these places."""
        return _ends(self.node, words, set(starts))

    def repeated(self, words: Words, starts: Iterable[int]) -> set[int]:
        """Where any number of phrases end, also none, that begin at one of these places."""
        seen: set[int] = set()
        new = set(starts)
        while new:
            seen |= new
            new = self.once(words, new) - seen
        return seen


def parse(pattern: str) -> Node:
    """Raises `WordListError`."""
    tokens = _TOKEN.findall(pattern)
    node = _choice(tokens, pattern)
    if tokens:
        raise WordListError(f"expected no {tokens[0]!r} that closes nothing in {pattern!r}")
    if _ends(node, (), {0}):
        raise WordListError(f"expected something that may not be left out in {pattern!r}")
    return node


def _choice(tokens: list[str], pattern: str) -> Node:
    """Takes what it reads from `tokens`, as the next two do."""
    options = [_row(tokens, pattern)]
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        options.append(_row(tokens, pattern))
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _row(tokens: list[str], pattern: str) -> Node:
    parts: list[Node] = []
    while tokens and tokens[0] not in "|)]":
        parts.append(_part(tokens, pattern))
    if not parts:
        raise WordListError(f"expected words between brackets and bars in {pattern!r}")
    return parts[0] if len(parts) == 1 else Row(tuple(parts))


def _part(tokens: list[str], pattern: str) -> Node:
    token = tokens.pop(0)
    if token not in _CLOSED_BY:
        return _literal(token, pattern)
    inner = _choice(tokens, pattern)
    if not tokens or tokens.pop(0) != _CLOSED_BY[token]:
        raise WordListError(f"expected {token!r} to be closed in {pattern!r}")
    return Choice((inner, _NOTHING)) if token == "[" else inner


def _literal(token: str, pattern: str) -> Literal:
    words = plain_words(token)
    if not words:
        raise WordListError(f"expected a word, got {token!r} in {pattern!r}")
    return Literal(words)


def _ends(node: Node, words: Words, starts: set[int]) -> set[int]:
    """All places at once, so the time it takes does not grow with the ways to read the words."""
    match node:
        case Literal(said):
            return {at + len(said) for at in starts if words[at : at + len(said)] == said}
        case Row(parts):
            for part in parts:
                if not starts:
                    break
                starts = _ends(part, words, starts)
            return starts
        case Choice(options):
            return set().union(*(_ends(option, words, starts) for option in options))
