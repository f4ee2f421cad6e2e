"""Keys that an agent presses for the caller, as sound: they reach the other side of the line, which
no message of the media stream does."""

from itertools import groupby
from typing import Final

from telecodecs import ULAW_SILENCE, dtmf_tone
from telecodecs.g711 import BYTES_PER_MS

WAIT: Final = "w"
WAIT_MS: Final = 500


def key_sound(keys: str) -> bytes:
    """μ-law; "w" is half a second of silence. Raises ValueError for what is no key."""
    parts = []
    for waits, group in groupby(keys, lambda key: key == WAIT):
        part = "".join(group)
        parts.append(_silence(len(part) * WAIT_MS) if waits else dtmf_tone(part))
    return b"".join(parts)


def _silence(ms: int) -> bytes:
    return ULAW_SILENCE * (ms * BYTES_PER_MS)
