"""What the caller hears while a slow tool runs: two soft notes, then quiet, again and again.

The notes are struck like a bar of wood: they begin gently and die away. Their pitches lie inside
the telephone's band and away from the tones of the network (dial, ringing and busy tones at 350 to
480 and 620 Hz: ITU-T E.180 supplement 2; keys at 697 Hz and above: ITU-T Q.23), so that no
equipment on the way takes them for one.
"""

from functools import cache
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from telecodecs import SAMPLE_RATE_HZ, pcm_to_ulaw

HOLD_TONE_MS: Final = 4_000
"""Length of the loop: whole frames, quiet at both ends."""
HOLD_TONE_DBFS: Final = -30.0
"""Level of the whole loop: below speech, above the noise of the line."""

_FULL_SCALE: Final = 32_768
_NOTES_S_HZ: Final = ((0.1, 659.26), (0.7, 523.25))
"""When each note begins, and its pitch: e'' and c''."""
_NOTE_S: Final = 2.8
_ATTACK_S: Final = 0.03
_RELEASE_S: Final = 0.4
_DECAY_S: Final = 0.6
_OVERTONE: Final = 0.15
"""How strong the octave above each note is."""

_Floats: TypeAlias = npt.NDArray[np.float64]


@cache
def hold_tone() -> bytes:
    """The loop, `HOLD_TONE_MS` of μ-law at 8 kHz, the same bytes each time."""
    loop = np.zeros(HOLD_TONE_MS * SAMPLE_RATE_HZ // 1_000)
    for start_s, pitch_hz in _NOTES_S_HZ:
        note = _note(pitch_hz)
        start = round(start_s * SAMPLE_RATE_HZ)
        loop[start : start + len(note)] += note
    wanted = _FULL_SCALE * 10 ** (HOLD_TONE_DBFS / 20)
    loop *= wanted / np.sqrt(np.mean(loop**2))
    return pcm_to_ulaw(np.round(loop).astype("<i2").tobytes())


def _note(pitch_hz: float) -> _Floats:
    t_s = np.arange(round(_NOTE_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    wave = np.sin(2 * np.pi * pitch_hz * t_s) + _OVERTONE * np.sin(4 * np.pi * pitch_hz * t_s)
    attack = _eased(t_s / _ATTACK_S)
    release = _eased((_NOTE_S - t_s) / _RELEASE_S)
    return wave * attack * release * np.exp(-t_s / _DECAY_S)


def _eased(share: _Floats) -> _Floats:
    """From 0 to 1 without a corner."""
    eased: _Floats = np.sin(np.pi / 2 * np.clip(share, 0, 1)) ** 2
    return eased
