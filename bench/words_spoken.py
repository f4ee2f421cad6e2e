"""What was said when: sentences whose words' times are known exactly."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

SPOKEN = Path(__file__).with_name("words_spoken.json")
"""Written by `bench.words_speak`."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    start: int
    end: int
    """Where it stands in the text, its punctuation included."""
    began_ms: int
    ended_ms: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text as one voice said it."""

    voice: str
    text: str
    total_ms: int
    words: tuple[SpokenWord, ...]


def units(text: str) -> list[tuple[int, int]]:
    """Where the words of a text stand; a Han character is a word of its own."""
    found = re.finditer(r"[\u4e00-\u9fff][，。？！、]*|[^\s\u4e00-\u9fff]+", text)
    return [match.span() for match in found if re.search(r"\w", match.group())]


def spoken(path: Path = SPOKEN) -> list[Spoken]:
    """Raises OSError where nothing was written."""
    return [
        Spoken(
            said["voice"],
            said["text"],
            said["total_ms"],
            tuple(SpokenWord(*numbers) for numbers in said["words"]),
        )
        for said in json.loads(path.read_text(encoding="utf-8"))
    ]
