"""What stands in for sound that was lost: the last of it again, softer each time, then silence."""

from typing import Final

import numpy as np

from telecodecs import FRAME_BYTES, ULAW_SILENCE, pcm_to_ulaw, ulaw_to_pcm

SILENT_FRAME: Final = ULAW_SILENCE * FRAME_BYTES
STEPS_DB: Final = (-6.0, -12.0)
"""The level of each repeat; after them comes silence. A longer repeat is heard as a buzz."""


def _softer(level_db: float) -> bytes:
    """A translation of μ-law codes that lowers their level."""
    pcm = np.frombuffer(ulaw_to_pcm(bytes(range(256))), np.int16)
    return pcm_to_ulaw((pcm * 10 ** (level_db / 20)).astype(np.int16).tobytes())


_SOFTER: Final = tuple(_softer(level_db) for level_db in STEPS_DB)


def concealed(last: bytes, repeats: int) -> bytes:
    """The stand-in for the frame that is `repeats` (from 0 on) frames into a gap after `last`."""
    if repeats < len(_SOFTER) and len(last) == FRAME_BYTES:
        return last.translate(_SOFTER[repeats])
    return SILENT_FRAME
