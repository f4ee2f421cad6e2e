"""Token counts as the vendor bills them: audio 1 token per 100 ms in and per 50 ms out.

(OpenAI docs: managing Realtime costs.) Text is counted as one token for each four characters.
What stands unchanged at the beginning of a context that was read before is cached: other
instructions, which come first, cost the whole of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeAlias

from app.lab.realtime.config import Json
from app.lab.realtime.conversation import Item

IN_MS_PER_TOKEN = 100
OUT_MS_PER_TOKEN = 50


@dataclass(frozen=True, slots=True)
class Tokens:
    text: int = 0
    audio: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.text + other.text, self.audio + other.audio)

    def json(self) -> Json:
        return {"text_tokens": self.text, "audio_tokens": self.audio}


def text_tokens(text: str) -> int:
    return -(-len(text) // 4)


def item_tokens(item: Item) -> Tokens:
    """What an item costs when the model reads or speaks it."""
    tokens = Tokens(text_tokens(item.payload))
    for part in item.parts:
        per_token_ms = OUT_MS_PER_TOKEN if part.kind == "output_audio" else IN_MS_PER_TOKEN
        transcript = 0 if part.kind == "input_audio" else text_tokens(part.text or "")
        tokens += Tokens(transcript, -(-part.audio_ms // per_token_ms))
    return tokens


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of what a response reads. Equal segments hold the same."""

    key: str
    tokens: Tokens


Context: TypeAlias = tuple[Segment, ...]


def context_of(items: Iterable[Item], instructions: str, tool_text: str) -> Context:
    """What a response reads, in the order in which it reads it."""
    tokens = Tokens(text_tokens(instructions) + text_tokens(tool_text))
    head = Segment(f"{instructions}\0{tool_text}", tokens)
    return (head, *(Segment(item.id, item_tokens(item)) for item in items))


def tokens_of(context: Context) -> Tokens:
    return sum((segment.tokens for segment in context), Tokens())


def cached_tokens(context: Context, before: Iterable[Context]) -> Tokens:
    """The longest beginning that it shares with one of the contexts read before."""
    shared = (_shared_head(context, other) for other in before)
    return tokens_of(max(shared, key=len, default=()))


def _shared_head(context: Context, other: Context) -> Context:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(context, other, strict=False))
    return tuple(mine for mine, _ in pairs)


def usage(read: Tokens, cached: Tokens, written: Tokens) -> Json:
    """The `usage` object; `cached` is the part of `read` that was read before."""
    return {
        "total_tokens": read.total + written.total,
        "input_tokens": read.total,
        "output_tokens": written.total,
        "input_token_details": {
            **read.json(),
            "image_tokens": 0,
            "cached_tokens": cached.total,
            "cached_tokens_details": {**cached.json(), "image_tokens": 0},
        },
        "output_token_details": written.json(),
    }
