"""Is it the caller who speaks, or the bot's own voice that comes back on the caller's line?

A telephone network may return what is played to it: late by an unknown time, weaker, filtered.
The judge is asked only when a voice was noticed while the bot plays, which is rare, and compares
the newest caller audio with what was played up to then. Someone who speaks at the same time is
heard as energy that the bot's voice does not explain. Pure: no I/O, no clock.

How to use it: while the bot plays, or has within the last `LONGEST_DELAY_MS`, judge the newest
`WINDOW_MS` of caller audio when a voice begins. At `ECHO_SHARE` or above ignore that beginning and
judge again every `AGAIN_MS` while the voice lasts: once the share falls, the caller speaks too.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from app.speech.echo_fit import LEAD_TAPS, TAPS, likely_lags, predicted
from app.speech.echo_reference import Played, Samples, samples
from telecodecs import BYTES_PER_MS, SILENCE_DBFS

ECHO_SHARE = 0.8
"""From this share on it is an echo. Measured by bench/echo.py."""
WINDOW_MS = 300
"""How much caller audio to judge."""
AGAIN_MS = 60
"""How often to judge again while a voice lasts."""
LONGEST_DELAY_MS = 900
"""An echo that comes later than this is not found."""
EARLIEST_MS = -40
"""Playback is dated by an estimate, so an echo may seem to come before its cause."""
SHORTEST_WINDOW_MS = 100
LONGEST_WINDOW_MS = 400
"""Of a longer window, only the newest part is judged."""
NEWEST_MS = 120
"""About as long as a voice detector needs to notice a voice. This part is looked at by itself, or
the echo before it would outweigh a caller who has just begun."""
LEVEL_KEPT_MS = 1_000
"""For how long after an echo its level counts. Short, because networks learn to cancel echoes, and
a caller who is quieter than the echo was must not be held against it for long."""
QUIETEST_MS = 40
NOISE_SHARE = 0.85
"""Noise goes on and a voice does not: so much of the quietest `QUIETEST_MS` of what is not
explained counts as the line's noise and as nobody's energy. All of it would hide steady vowels."""
KEPT_FOUND = 20
"""Echoes remembered: enough for `LEVEL_KEPT_MS` at one judgement every `AGAIN_MS`."""
LAGS_TRIED = 3
"""Voices repeat themselves, so the likeliest delay is not always the right one."""


@dataclass(frozen=True, slots=True)
class EchoVerdict:
    share: float
    """How much is explained by what was played, 0 to 1: of the caller's energy, or, in the
    `LEVEL_KEPT_MS` after an echo was found, of that echo's energy if this is more. The line's
    steady noise is left out."""
    lag_ms: int
    """How long after its playback it came. Means nothing where the share is low."""
    residual_dbfs: float
    """The level of what is not explained, over the window."""
    caller_dbfs: float
    """The level of the caller's audio, over the window."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The last echo that was one without the memory of another."""

    lag_ms: int
    power: float
    at_ms: int


class EchoJudge:
    """One per call. Times are milliseconds on the call clock."""

    __slots__ = ("_found", "_played")

    def __init__(self) -> None:
        self._played = Played()
        self._found: deque[_Found] = deque(maxlen=KEPT_FOUND)

    def played(self, ulaw: bytes, at_ms: int) -> None:
        """The carrier begins to play these bytes at `at_ms`, or as soon as it has played what it
        was given before. Costs next to nothing: nothing is decoded before `judge`."""
        self._played.add(ulaw, at_ms)

    def cleared(self, at_ms: int) -> None:
        """The carrier fell silent at `at_ms`. What it had played till then may still come back."""
        self._played.cut(at_ms)

    def judge(self, caller_ulaw: bytes, at_ms: int) -> EchoVerdict:
        """Judge caller audio whose last byte arrived at `at_ms`.

        Audio shorter than `SHORTEST_WINDOW_MS` is too little to tell, so nobody's echo: share 0.
        """
        window = samples(caller_ulaw[-LONGEST_WINDOW_MS * BYTES_PER_MS :])
        if len(window) < SHORTEST_WINDOW_MS * BYTES_PER_MS or not window.any():
            return EchoVerdict(0.0, 0, _dbfs(window), _dbfs(window))
        fit = self._best(window, at_ms)
        share = self._beside_the_last(fit, window, at_ms)
        if fit.share >= ECHO_SHARE:
            self._found.append(_Found(fit.lag_ms, _power(window), at_ms))
        return EchoVerdict(share, fit.lag_ms, _dbfs(fit.remainder), _dbfs(window))

    def _best(self, window: Samples, at_ms: int) -> "_Fit":
        """The delay that explains most. The one that was right before is tried first."""
        reference = self._reference(len(window), at_ms)
        best = _Fit(0.0, 0, window)
        if not reference.any():
            return best
        if self._found:
            best = _tried(reference, window, _offset(self._found[-1].lag_ms))
        if best.share < ECHO_SHARE:
            for offset in likely_lags(reference[TAPS:-TAPS], window, LAGS_TRIED):
                best = max(best, _tried(reference, window, offset), key=lambda fit: fit.share)
                if best.share >= ECHO_SHARE:
                    break
        return best

    def _reference(self, n_samples: int, at_ms: int) -> Samples:
        """All that may be heard in a window that ends now, and `TAPS` more at both ends."""
        end = at_ms * BYTES_PER_MS
        first = end - n_samples - LONGEST_DELAY_MS * BYTES_PER_MS - TAPS
        return self._played.stretch(first, end - EARLIEST_MS * BYTES_PER_MS + TAPS)

    def _beside_the_last(self, fit: "_Fit", window: Samples, at_ms: int) -> float:
        """The share, with what is not explained held against the last echo's level: between the
        bot's words the line's noise is all there is, and nobody has begun to speak."""
        level = max(
            (last.power for last in self._found if at_ms - last.at_ms <= LEVEL_KEPT_MS), default=0.0
        )
        return _share(window, fit.remainder, level)


@dataclass(frozen=True, slots=True)
class _Fit:
    share: float
    lag_ms: int
    remainder: Samples


def _tried(reference: Samples, window: Samples, offset: int) -> _Fit:
    """The fit when the window comes from this offset."""
    first = offset + LEAD_TAPS + 1
    heard = reference[first : first + len(window) + TAPS - 1]
    explained = predicted(heard, window)
    if _power(explained) > _power(heard):
        # Louder than what was played: a chance likeness, no echo.
        return _Fit(0.0, 0, window)
    remainder = window - explained
    lag_ms = LONGEST_DELAY_MS - offset // BYTES_PER_MS
    return _Fit(_share(window, remainder), lag_ms, remainder)


def _offset(lag_ms: int) -> int:
    return (LONGEST_DELAY_MS - lag_ms) * BYTES_PER_MS


def _share(window: Samples, remainder: Samples, level: float = 0.0) -> float:
    """How much is explained, of the whole or of its newest part, whichever is less, the noise of
    the line aside. `level`: the least power that the remainder is compared with."""
    newest = slice(-NEWEST_MS * BYTES_PER_MS, None)
    noise = NOISE_SHARE * _quietest(remainder)
    whole = max(level, _power(window))
    of_whole = (_power(remainder) - noise) / (whole - noise)
    of_newest = (_power(remainder[newest]) - noise) / (max(whole, _power(window[newest])) - noise)
    return min(1.0, max(0.0, 1.0 - max(of_whole, of_newest)))


def _quietest(sound: Samples) -> float:
    """The power of the quietest of its parts."""
    part = QUIETEST_MS * BYTES_PER_MS
    whole_parts = sound[-(len(sound) // part * part) :].reshape(-1, part)
    return float((whole_parts * whole_parts).mean(axis=1).min())


def _power(sound: Samples) -> float:
    return float(np.mean(sound * sound))


def _dbfs(sound: Samples) -> float:
    power = _power(sound) if len(sound) else 0.0
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power else SILENCE_DBFS
