"""Token counts as the vendor bills them: audio 1 token per 100 ms in and per 50 ms out.

(OpenAI docs: managing Realtime costs.) Text is counted as one token for each four characters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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

    def overlap(self, other: "Tokens") -> "Tokens":
        return Tokens(min(self.text, other.text), min(self.audio, other.audio))

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


def context_tokens(items: Iterable[Item], instructions: str, tool_text: str) -> Tokens:
    tokens = Tokens(text_tokens(instructions) + text_tokens(tool_text))
    return sum((item_tokens(item) for item in items), tokens)


def usage(read: Tokens, cached: Tokens, written: Tokens) -> Json:
    """The `usage` object; `cached` is the part of `read` that the last response read too."""
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
