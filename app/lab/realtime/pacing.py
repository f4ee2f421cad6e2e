"""When which piece of an utterance is sent: bursts faster than real time, words a little ahead."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.lab.realtime.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Step:
    """One piece: bytes `start` to `end` of the utterance, preceded by `text`."""

    due_ms: float
    """Since the item's first piece."""
    text: str
    start: int
    end: int


def audio_steps(
    text: str,
    n_bytes: int,
    bytes_per_ms: int,
    behaviour: Behaviour,
    dice: random.Random,
    stall: tuple[int, int] | None = None,
) -> Iterator[Step]:
    """`stall`: (after this many ms of the item's audio, wait this many ms)."""
    total_ms = -(-n_bytes // bytes_per_ms)
    if not total_ms and text:
        yield Step(0, text, 0, 0)
    words = _words(text)
    shown = 0
    at_ms = waited_ms = 0
    while at_ms < total_ms:
        if stall is not None and at_ms >= stall[0]:
            waited_ms, stall = stall[1], None
        end_ms = at_ms + dice.randint(behaviour.delta_min_ms, behaviour.delta_max_ms)
        if stall is not None and at_ms < stall[0]:
            end_ms = min(end_ms, stall[0])
        end_ms = min(end_ms, total_ms)
        ready = _words_by(words, (end_ms + behaviour.transcript_lead_ms) / total_ms)
        end = min(end_ms * bytes_per_ms, n_bytes)
        due_ms = at_ms / behaviour.speed + waited_ms
        yield Step(due_ms, "".join(words[shown:ready]), at_ms * bytes_per_ms, end)
        at_ms, shown = end_ms, max(shown, ready)


def text_steps(text: str, step_ms: int) -> Iterator[Step]:
    for index, word in enumerate(_words(text)):
        yield Step(index * step_ms, word, 0, 0)


def _words(text: str) -> list[str]:
    """Words with their white space: joined they are the text."""
    return re.findall(r"\s*\S+\s*$|\s*\S+", text)


def _words_by(words: list[str], share: float) -> int:
    """How many words have begun when this share of the utterance was said."""
    total = sum(map(len, words))
    begun = position = 0
    for word in words:
        if position >= share * total:
            break
        position += len(word)
        begun += 1
    return begun
