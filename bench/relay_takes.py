"""What a bot said, as the telephone played it: unbroken pieces, and what was said in one go.

`at_ms` is the playout's own clock: milliseconds since the stream's first tick.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.lab.speech.coded import decode_coded
from bench.relay_talk import Plan, said_in
from bench.relay_words import heard_words

FRAME_MS: Final = 20
SEAM_MS: Final = 2
"""A cut inside a coded millisecond loses that one."""
AGAIN_WORDS: Final = 3
"""An answer that goes on may repeat so many: the last one that its speaker is told of, and two more
where he is told too few, which is so on purpose: none may be left out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An unbroken stretch of the bot's sound, as the telephone played it."""

    stream: int
    start_ms: int
    end_ms: int
    """Of the coded stream."""
    at_ms: float
    """When it began, on the playout's clock."""

    @property
    def until_ms(self) -> float:
        return self.at_ms + self.end_ms - self.start_ms


def pieces_of(audio: bytes, offset_ms: float = 0.0) -> list[Piece]:
    """`audio`: as it sounded, silence included."""
    return [
        Piece(run.stream_id, run.start_ms, run.end_ms, offset_ms + run.offset_bytes / 8)
        for run in decode_coded(audio)
    ]


@dataclass(frozen=True, slots=True)
class Take:
    """What was said of one answer in one go."""

    start_ms: int
    """Of the coded stream."""
    words: range
    """Those that were heard from their beginning to their end."""


def takes_of(plan: Plan, stream: int, pieces: Iterable[Piece]) -> list[Take]:
    """`pieces`: of this coded stream, in order. Where a frame came late one take goes on."""
    parts: list[tuple[int, int]] = []
    for piece in pieces:
        if parts and abs(piece.start_ms - parts[-1][1]) <= SEAM_MS:
            parts[-1] = parts[-1][0], piece.end_ms
        else:
            parts.append((piece.start_ms, piece.end_ms))
    words = plan.words(*said_in(stream))
    return [Take(start, heard_words(words, start, end)) for start, end in parts]


def heard_in(takes: Iterable[Take]) -> set[int]:
    return {index for take in takes for index in take.words}


def beginnings(takes: Sequence[Take]) -> int:
    """How often it was begun; once more after hardly anything is no second time."""
    count = 0
    for number, take in enumerate(takes):
        if take.start_ms < FRAME_MS:
            count += not count or len(heard_in(takes[:number])) > AGAIN_WORDS
    return count


def again(takes: Sequence[Take]) -> list[int]:
    """For each take but the first, how many of its words had been heard before."""
    return [
        len(heard_in(takes[:number]) & set(take.words))
        for number, take in enumerate(takes)
        if number
    ]
