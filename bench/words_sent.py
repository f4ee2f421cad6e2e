"""Speech whose words' times are known, sent as a realtime model sends it: for `bench.words`."""

import random
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from app.call.axis import BYTES_PER_MS
from app.call.word_track import Pace, WordTrack
from bench.words_spoken import Spoken, spoken

PIECE_MS = (100, 400)
JITTER_MS = 150.0

Delivery: TypeAlias = Literal["lead", "jitter", "letters", "once", "after", "faster"]
"""How the words come: a time ahead of their audio, more or less so, by the share of letters (as the
lab's model sends them), all before or all after the audio, or ever further ahead."""
Fate: TypeAlias = Literal["whole", "unfinished", "first"]
"""What had come of the item: all; a part; a part, and it is the first that this voice says."""


@dataclass(frozen=True, slots=True)
class Condition:
    fate: Fate
    delivery: Delivery = "lead"
    lead_ms: int = 300
    natural: bool = True
    """Uneven: each phrase at its own pace, longer and shorter pauses. Else as synthesised."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text as it is said this time: when each word begins and ends."""

    spoken: Spoken
    began_ms: tuple[float, ...]
    ended_ms: tuple[float, ...]
    total_ms: float


@cache
def texts() -> tuple[Spoken, ...]:
    return tuple(spoken())


def learned_pace(voice: str, slowness: float, condition: Condition, dice: random.Random) -> Pace:
    """What an answer before this one taught of the voice."""
    others = [text for text in texts() if text.voice == voice and len(text.words) > 8]
    said = say(dice.choice(others), slowness, condition, dice)
    track = WordTrack()
    send(track, said, condition, dice, said.total_ms)
    track.done()
    return track.pace


def say(text: Spoken, slowness: float, condition: Condition, dice: random.Random) -> Said:
    began_ms, ended_ms = [], []
    phrase = 1.0
    at_ms = dice.uniform(30, 300) if condition.natural else slowness * text.words[0].began_ms
    for index, word in enumerate(text.words):
        before = text.words[index - 1] if index else None
        pause_ms = word.began_ms - before.ended_ms if before else 0
        if before and pause_ms > 30 and condition.natural:
            phrase = dice.uniform(0.85, 1.15)
            ends = text.text[before.end - 1] in ".?!。？！"
            at_ms += dice.uniform(250, 700) if ends else dice.uniform(50, 350)
        else:
            at_ms += slowness * pause_ms
        began_ms.append(at_ms)
        uneven = phrase * dice.uniform(0.85, 1.15) if condition.natural else 1.0
        at_ms += slowness * uneven * (word.ended_ms - word.began_ms)
        ended_ms.append(at_ms)
    tail_ms = slowness * (text.total_ms - text.words[-1].ended_ms)
    total_ms = at_ms + (dice.uniform(20, 300) if condition.natural else tail_ms)
    return Said(text, tuple(began_ms), tuple(ended_ms), total_ms)


def send(
    track: WordTrack, said: Said, condition: Condition, dice: random.Random, limit_ms: float
) -> tuple[str, int]:
    """Send until so much audio has come. Returns the text and the bytes that were sent."""
    sent_ms, words = 0.0, ""
    for text, until_ms in _pieces(said, condition, dice):
        if sent_ms >= limit_ms and until_ms > sent_ms:
            break
        if text:
            track.text(text)
            words += text
        if until_ms > sent_ms:
            track.audio(in_bytes(until_ms) - in_bytes(sent_ms))
        sent_ms = until_ms
    return words, in_bytes(sent_ms)


def _pieces(said: Said, condition: Condition, dice: random.Random) -> Iterator[tuple[str, float]]:
    """Pieces of text, each with how far the audio is after the piece that follows it."""
    text, shown, at_ms = said.spoken.text, 0, 0.0
    edges = [0, *(word.end for word in said.spoken.words[:-1]), len(text)]
    while at_ms < said.total_ms:
        at_ms = min(said.total_ms, at_ms + dice.uniform(*PIECE_MS))
        ready = max(shown, _ready(said, condition, at_ms, dice))
        yield text[edges[shown] : edges[ready]], at_ms
        shown = ready
    yield text[edges[shown] :], at_ms


def _ready(said: Said, condition: Condition, at_ms: float, dice: random.Random) -> int:
    """How many words are sent before the audio reaches `at_ms`."""
    began_ms: Sequence[float] = said.began_ms
    match condition.delivery:
        case "lead":
            at_ms += condition.lead_ms
        case "jitter":
            at_ms += max(0.0, condition.lead_ms + dice.gauss(0, JITTER_MS))
        case "faster":
            at_ms += at_ms + condition.lead_ms
        case "letters":
            at_ms += condition.lead_ms
            letters = len(said.spoken.text)
            began_ms = [said.total_ms * word.start / letters for word in said.spoken.words]
        case "once":
            return len(began_ms)
        case "after":
            return 0
    return bisect_left(began_ms, at_ms)


def in_bytes(ms: float) -> int:
    return round(ms * BYTES_PER_MS)
