"""One model session as the vendor bills it: what stands in it, and how much of that is unchanged.

Each response reads the instructions, the tools and all items in order. What stands before the first
change since the response before it can be billed as cached; what comes after it is not, once.
"""

from dataclasses import dataclass, field
from typing import Literal

from bench.cost_model import Terms


@dataclass(slots=True)
class Item:
    """An item of the conversation, with the tokens that it has in the session now."""

    kind: Literal["caller", "agent", "tool"]
    turn: int
    text_tokens: int
    audio_tokens: int
    line_tokens: int
    """What it has as text."""
    is_text: bool = False
    """Its words are a transcript of ours, not the audio."""
    fact: bool = False

    @property
    def tokens(self) -> int:
        return self.text_tokens + self.audio_tokens


@dataclass(frozen=True, slots=True)
class Reading:
    """The input of one response."""

    text_tokens: int
    audio_tokens: int
    same_text_tokens: int
    """A part of `text_tokens`: read before at the same place, so perhaps cached."""
    same_audio_tokens: int

    @property
    def tokens(self) -> int:
        return self.text_tokens + self.audio_tokens


@dataclass(slots=True)
class Session:
    """`head_tokens`: instructions, tools and the summary, which stand before all items."""

    terms: Terms
    head_tokens: int
    began_s: float
    items: list[Item] = field(default_factory=list)
    read_tokens: int = 0
    """Of the last response."""
    _text_tokens: int = 0
    _audio_tokens: int = 0
    _same: tuple[int, int] = (0, 0)
    """Text and audio tokens at the beginning that are as the last response read them."""
    _read_at_s: float = 0.0

    def __post_init__(self) -> None:
        self._read_at_s = self.began_s
        if self.terms.warm_start:
            self._same = (self.terms.instructions_tokens + self.terms.tools_tokens, 0)

    @property
    def item_tokens(self) -> int:
        return self._text_tokens + self._audio_tokens

    @property
    def audio_tokens(self) -> int:
        return self._audio_tokens

    def add(self, item: Item) -> None:
        self.items.append(item)
        self._text_tokens += item.text_tokens
        self._audio_tokens += item.audio_tokens

    def read(self, at_s: float, extra_tokens: int = 0) -> Reading:
        """A response reads everything, and `extra_tokens` of text behind it."""
        text, audio = self._reusable(at_s)
        reading = Reading(
            self.head_tokens + self._text_tokens + extra_tokens, self._audio_tokens, text, audio
        )
        self._same = (self.head_tokens + self._text_tokens, self._audio_tokens)
        self._read_at_s, self.read_tokens = at_s, reading.tokens
        return reading

    def _reusable(self, at_s: float) -> tuple[int, int]:
        text, audio = self._same
        terms = self.terms
        if text + audio < terms.cache_least_tokens or at_s - self._read_at_s > terms.cache_ttl_s:
            return 0, 0
        beyond = (text + audio) % terms.cache_step_tokens
        of_audio = min(beyond, audio)
        return text - (beyond - of_audio), audio - of_audio

    def to_text(self, numbers: list[int]) -> None:
        """Replace these items, given by their place in order, by their words."""
        if not numbers:
            return
        self._changed_at(numbers[0])
        for number in numbers:
            item = self.items[number]
            self._text_tokens += item.line_tokens - item.text_tokens
            self._audio_tokens -= item.audio_tokens
            item.text_tokens, item.audio_tokens, item.is_text = item.line_tokens, 0, True

    def delete(self, numbers: list[int]) -> None:
        """Delete these items, given by their place in order."""
        if not numbers:
            return
        self._changed_at(numbers[0])
        gone = set(numbers)
        for number in numbers:
            self._text_tokens -= self.items[number].text_tokens
            self._audio_tokens -= self.items[number].audio_tokens
        self.items = [item for number, item in enumerate(self.items) if number not in gone]

    def _changed_at(self, number: int) -> None:
        """Nothing from this item on is as it was read."""
        before = self.items[:number]
        text = self.head_tokens + sum(item.text_tokens for item in before)
        audio = sum(item.audio_tokens for item in before)
        if text + audio < sum(self._same):
            self._same = (text, audio)
