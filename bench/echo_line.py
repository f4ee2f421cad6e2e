"""A line that returns the bot's voice, and callers who speak on it: the cases of bench/echo.py.

The echo is late by 40 to 800 ms, weaker by 6 to 40 dB, smeared by a hybrid (a decaying random
response of up to 30 ms, telephone band) and coded as μ-law again; noise and a caller are added
before that. Voices are the lab's. Everything follows from the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from app.lab.speech.voices import clip_names, voice_clip
from app.speech.echo import NEWEST_MS, EchoJudge
from telecodecs import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ, pcm_to_ulaw, ulaw_to_pcm

Samples: TypeAlias = npt.NDArray[np.float64]
Random: TypeAlias = np.random.Generator

VOICES = ("slt", "rms", "awb")
DELAY_MS = (40.0, 800.0)
HYBRID_SAMPLES = 240
HYBRID_DECAY_SAMPLES = (8.0, 48.0)
"""1 to 6 ms until the response has fallen by 8.7 dB."""
CALLER_DBFS = (-35.0, -15.0)
TALK_MS = 3_000
TALK_ENDS_MS = 200
"""The bot's sending runs ahead of the playback by so much."""
CLIP_EDGE_BYTES = 480
"""Nearly all of the silence at both ends of the lab's clips."""
NOTICED = 0.2
"""A voice detector notices a voice whose newest part has at least this share of its mean power."""
BEGINS_MS = 10_000
"""Where on the call clock the bot's talk begins."""


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    attenuation_db: tuple[float, float] | None = (6.0, 30.0)
    """Of the echo. None: there is none."""
    noise_db: float | None = None
    """White noise, so far below the rest."""
    caller_db: float | None = None
    """The caller's level against the echo's, over the time that the caller speaks. Without an echo
    any number stands for a level of its own."""
    caller_spoke_ms: int | None = None
    """None: during the whole window."""
    who: Literal["another", "same", "noises"] = "another"
    """Whose voice the caller has, beside the bot's."""
    bot_spoke_ms: int | None = None
    """How long the bot has been heard at the window's end. None: all the time."""
    cut_ms: int | None = None
    """How long before the window's end the bot's voice, as it comes back, was cut."""
    crushed: bool = False
    """The echo was clipped at twice its mean level and coded once more on its way."""


@dataclass(frozen=True, slots=True)
class Case:
    sent: bytes
    """What the bot plays from `BEGINS_MS` on."""
    spoke_from_ms: int
    """Before this time it sent nothing."""
    cut_at_ms: int | None
    caller: bytes
    """The window."""
    at_ms: int

    def judge(self) -> EchoJudge:
        """A new judge who knows what was played."""
        judge = EchoJudge()
        for start in range(0, len(self.sent), FRAME_BYTES):
            at_ms = BEGINS_MS + start // FRAME_BYTES * FRAME_MS
            if at_ms >= self.spoke_from_ms:
                judge.played(self.sent[start : start + FRAME_BYTES], at_ms)
        if self.cut_at_ms is not None:
            judge.cleared(self.cut_at_ms)
        return judge


def cases(condition: Condition, window_ms: int, n: int, seed: int) -> Iterator[Case]:
    """`n` cases in which a voice detector would have noticed a voice."""
    rng = np.random.default_rng((seed, window_ms))
    while n:
        made = _case(rng, condition, window_ms)
        if made is not None:
            n -= 1
            yield made


def _case(rng: Random, condition: Condition, window_ms: int) -> Case | None:
    bot = VOICES[rng.integers(len(VOICES))]
    names, talk = talk_of(rng, bot, TALK_MS)
    sent = to_ulaw(talk)
    end = _at(rng.uniform(2_200, TALK_MS - TALK_ENDS_MS))
    delay = int(rng.uniform(*DELAY_MS) * 8)
    spoke_from_ms, cut_at_ms = BEGINS_MS, None
    played = to_samples(sent)
    if condition.bot_spoke_ms is not None:
        heard = delay if condition.attenuation_db else 0
        first = _frame(end - heard - _at(condition.bot_spoke_ms))
        played[:first] = 0.0
        spoke_from_ms += first // 8
    if condition.cut_ms is not None:
        last = _frame(end - delay - _at(condition.cut_ms))
        played[last:] = 0.0
        cut_at_ms = BEGINS_MS + last // 8
    window = np.zeros(_at(window_ms))
    if condition.attenuation_db is not None:
        echo = echo_of(rng, played, condition, delay)
        window += echo[end - len(window) : end]
        if not noticed(window, mean_power(echo), NEWEST_MS if cut_at_ms is None else window_ms):
            return None
    if condition.caller_db is not None:
        caller = _caller(rng, condition, bot, names, len(window))
        if caller is None:
            return None
        window += caller * _loudness(rng, caller, window, condition.caller_db)
    if condition.noise_db is not None:
        rms = np.sqrt(mean_power(window)) * 10 ** (-condition.noise_db / 20)
        window += rng.standard_normal(len(window)) * rms
    return Case(sent, spoke_from_ms, cut_at_ms, to_ulaw(window), BEGINS_MS + end // 8)


def echo_of(rng: Random, played: Samples, condition: Condition, delay: int) -> Samples:
    """The whole talk as it comes back."""
    assert condition.attenuation_db is not None
    smeared = np.convolve(played, _hybrid(rng))[: len(played)]
    loss_db = rng.uniform(*condition.attenuation_db)
    smeared *= np.sqrt(mean_power(played) / mean_power(smeared)) * 10 ** (-loss_db / 20)
    if condition.crushed:
        most = 2 * np.sqrt(mean_power(smeared))
        smeared = to_samples(to_ulaw(np.clip(smeared, -most, most)))
    return np.concatenate((np.zeros(delay), smeared))[: len(played)]


def _hybrid(rng: Random) -> Samples:
    decay = rng.uniform(*HYBRID_DECAY_SAMPLES)
    response = rng.standard_normal(HYBRID_SAMPLES) * np.exp(-np.arange(HYBRID_SAMPLES) / decay)
    response[: rng.integers(12)] = 0.0
    return np.convolve(response, _telephone_band())


@cache
def _telephone_band() -> Samples:
    """300 to 3400 Hz, a windowed sinc."""
    at = np.arange(65) - 32

    def below(hz: float) -> Samples:
        share = 2 * hz / SAMPLE_RATE_HZ
        return np.asarray(share * np.sinc(share * at))

    return np.asarray((below(3_400) - below(300)) * np.hamming(65))


def _caller(rng: Random, condition: Condition, bot: str, avoid: set[str], n: int) -> Samples | None:
    """A window of somebody's speech; None if nothing is said at its end."""
    if condition.who == "noises":
        name = clip_names("noise")[rng.integers(3)]
        speech = np.concatenate((np.zeros(n), to_samples(voice_clip(name).ulaw)[CLIP_EDGE_BYTES:]))
    else:
        others = [voice for voice in VOICES if voice != bot]
        voice = bot if condition.who == "same" else others[rng.integers(len(others))]
        _, speech = talk_of(rng, voice, 2_000, avoid)
    first = rng.integers(len(speech) - n)
    part = speech[first : first + n].copy()
    if not noticed(part, mean_power(speech)):
        return None
    if condition.caller_spoke_ms is not None:
        part[: -_at(condition.caller_spoke_ms)] = 0.0
    return part


def _loudness(rng: Random, caller: Samples, echo: Samples, caller_db: float) -> float:
    """What to multiply the caller by."""
    speaks = caller != 0.0
    power = mean_power(caller[speaks])
    if not echo.any():
        return float(10 ** (rng.uniform(*CALLER_DBFS) / 20) / np.sqrt(power))
    return float(np.sqrt(mean_power(echo[speaks]) / power) * 10 ** (caller_db / 20))


def talk_of(
    rng: Random, voice: str, at_least_ms: int, avoid: set[str] | None = None
) -> tuple[set[str], Samples]:
    """Sentences of a voice one after the other, none of them in `avoid`, and their names."""
    names: set[str] = set()
    parts: list[Samples] = []
    while sum(map(len, parts)) < _at(at_least_ms):
        clip = _clips(voice)[rng.integers(len(_clips(voice)))]
        sentence = clip.rsplit("_", 1)[0]
        if sentence not in (avoid or ()):
            names.add(sentence)
            parts.append(to_samples(voice_clip(clip).ulaw[CLIP_EDGE_BYTES:-CLIP_EDGE_BYTES]))
    return names, np.concatenate(parts)[: _at(at_least_ms)]


@cache
def _clips(voice: str) -> list[str]:
    names = (*clip_names("phrase"), *clip_names("other"))
    return [name for name in names if voice_clip(name).voice == voice]


def noticed(window: Samples, usual_power: float, newest_ms: int = NEWEST_MS) -> bool:
    """Whether there is enough voice in its newest part."""
    return mean_power(window[-_at(newest_ms) :]) > NOTICED * usual_power


def mean_power(sound: Samples) -> float:
    """1 is a square wave of full scale."""
    return float(np.mean(sound * sound))


def _at(ms: float) -> int:
    return int(ms * SAMPLE_RATE_HZ / 1000)


def _frame(position: int) -> int:
    """The frame's begin that is nearest below."""
    return max(0, position // FRAME_BYTES * FRAME_BYTES)


def to_samples(ulaw: bytes) -> Samples:
    """Between -1 and 1."""
    return np.frombuffer(ulaw_to_pcm(ulaw), "<i2") / 32_768


def to_ulaw(sound: Samples) -> bytes:
    """As the telephone network codes it; too loud is clipped."""
    pcm = np.clip(np.round(sound * 32_768), -32_768, 32_767).astype("<i2")
    return pcm_to_ulaw(pcm.tobytes())
