"""Whole echoes, judged every 60 ms as a call would: how often is one of them taken for a caller,
and how soon is a caller noticed who begins to speak into one?"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.speech.echo import AGAIN_MS, ECHO_SHARE, NEWEST_MS, WINDOW_MS, EchoJudge
from bench.echo_line import (
    BEGINS_MS,
    DELAY_MS,
    VOICES,
    Condition,
    Random,
    Samples,
    echo_of,
    mean_power,
    noticed,
    talk_of,
    to_samples,
    to_ulaw,
)
from telecodecs import BYTES_PER_MS, FRAME_BYTES

TALK_MS = 4_000
LEAD_MS = 200
"""How far ahead of its playback the bot's voice is handed over."""
JUDGED_MS = (1_400, TALK_MS - 2 * LEAD_MS)
CALLER_BEGINS_MS = 2_200
CALLER_SPEAKS_MS = 1_200
NEVER_MS = 10_000


@dataclass(frozen=True, slots=True)
class Passage:
    judgements: int
    caller_ms: int
    """When the first share below `ECHO_SHARE` came, since the judging or the caller began."""
    twice_ms: int
    """When the second one in a row came."""


@dataclass(frozen=True, slots=True)
class _Sound:
    sent: bytes
    line: bytes
    usual_power: float
    """Of the echo."""


def passages(condition: Condition, n: int, seed: int) -> Iterator[Passage]:
    """`n` passages under one condition."""
    rng = np.random.default_rng((seed, TALK_MS))
    for _ in range(n):
        sound = _sound(rng, condition)
        yield _judged(sound, JUDGED_MS[0] if condition.caller_db is None else CALLER_BEGINS_MS)


def _judged(sound: _Sound, from_ms: int) -> Passage:
    """A judgement every `AGAIN_MS` while there is a voice on the line."""
    judge = EchoJudge()
    handed, row, judgements = 0, 0, 0
    first_ms, twice_ms = NEVER_MS, NEVER_MS
    for at_ms in range(from_ms, JUDGED_MS[1], AGAIN_MS):
        handed = _hand_over(judge, sound.sent, handed, (at_ms + LEAD_MS) * BYTES_PER_MS)
        heard = sound.line[(at_ms - WINDOW_MS) * BYTES_PER_MS : at_ms * BYTES_PER_MS]
        newest = to_samples(heard[-NEWEST_MS * BYTES_PER_MS :])
        if not noticed(newest, sound.usual_power):
            continue
        judgements += 1
        row = row + 1 if judge.judge(heard, BEGINS_MS + at_ms).share < ECHO_SHARE else 0
        if row >= 1:
            first_ms = min(first_ms, at_ms - from_ms)
        if row >= 2:
            twice_ms = min(twice_ms, at_ms - from_ms)
    return Passage(judgements, first_ms, twice_ms)


def _hand_over(judge: EchoJudge, sent: bytes, start: int, until: int) -> int:
    for first in range(start, until, FRAME_BYTES):
        frame = sent[first : first + FRAME_BYTES]
        judge.played(frame, BEGINS_MS + first // BYTES_PER_MS)
    return max(start, -(-until // FRAME_BYTES) * FRAME_BYTES)


def _sound(rng: Random, condition: Condition) -> _Sound:
    bot = int(rng.integers(len(VOICES)))
    names, talk = talk_of(rng, VOICES[bot], TALK_MS)
    sent = to_ulaw(talk)
    delay = int(rng.uniform(*DELAY_MS) * BYTES_PER_MS)
    line = echo_of(rng, to_samples(sent), condition, delay)
    echo_power = mean_power(line[delay:])
    if condition.caller_db is not None:
        other = VOICES[(bot + int(rng.integers(1, len(VOICES)))) % len(VOICES)]
        _, caller = talk_of(rng, other, CALLER_SPEAKS_MS, names)
        _add(line, caller * np.sqrt(echo_power / mean_power(caller)), condition.caller_db)
    if condition.noise_db is not None:
        rms = np.sqrt(echo_power) * 10 ** (-condition.noise_db / 20)
        line = line + rng.standard_normal(len(line)) * rms
    return _Sound(sent, to_ulaw(line), echo_power)


def _add(line: Samples, caller: Samples, caller_db: float) -> None:
    first = CALLER_BEGINS_MS * BYTES_PER_MS
    line[first : first + len(caller)] += caller * 10 ** (caller_db / 20)
