"""The heard words in a call's record beside what the telephone played."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.relay_takes import Piece, Take, takes_of
from bench.relay_talk import Plan, stream_of
from bench.relay_words import Place, found_in, from_ms

NEAR_MS: Final = 20
"""A frame may be lost where an item begins."""


def word_errors(
    plan: Plan, transcript: Sequence[Mapping[str, Any]], pieces: Sequence[Piece]
) -> list[int]:
    """For each line of the agent's that was cut: how many words too many were taken for heard;
    below 0, too few. `pieces`: of the whole call, in order."""
    by_stream: dict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        by_stream[piece.stream].append(piece)
    takes = {stream: takes_of(plan, stream, found) for stream, found in by_stream.items()}
    lines = [line for line in transcript if line["speaker"] == "agent"]
    told = [found_in(line["text"]) for line in lines]
    said = [words + found_in(line["unheard"]) for words, line in zip(told, lines, strict=True)]
    first = [words[0] if words else None for words in said]
    errors: list[int] = []
    for at, place in enumerate(first):
        if place is not None:
            left = 0 if told[at] else first[at + 1 :].count(place)
            heard = _taken(plan, place, takes, left)
            if lines[at]["interrupted"]:
                errors.append(len(told[at]) - heard)
    return errors


def _taken(plan: Plan, first: Place, takes: dict[int, list[Take]], left: int) -> int:
    """How many words were heard of an item that begins with this one. Its take is taken out: the
    next item that begins so is another one. `left`: so many takes are those of later items."""
    stream = stream_of(first.letter, first.number)
    start_ms = from_ms(plan.words(first.letter, first.number), first.index)
    begun = [t for t in takes.get(stream, ()) if abs(t.start_ms - start_ms) < NEAR_MS]
    if len(begun) <= left:
        return 0
    takes[stream] = takes[stream][takes[stream].index(begun[0]) + 1 :]
    return len(begun[0].words)
