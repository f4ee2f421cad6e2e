"""Audio whose every byte has a place: what was lost, repeated or invented shows when it is read.

A tape is a fixed run of random bytes that goes round. Each voice starts at an origin of its own and
goes on byte by byte, so a reader knows what must come next without any header in the sound, however
it was cut into frames. 0xFF, μ-law silence, never stands on the tape: silence that a bridge added
is told from speech.
"""

import random
from typing import Final

SILENCE: Final = b"\xff"
TAPE_BYTES: Final = 65_521
"""Eight seconds of speech; a prime, so that no framing comes round with it."""
_KEY_BYTES: Final = 16
"""So many bytes tell a place on the tape."""


def _record() -> bytes:
    return random.Random(8000).randbytes(TAPE_BYTES).replace(SILENCE, b"\x7e")


_TAPE: Final = _record()
_TWICE: Final = _TAPE + _TAPE
LONGEST_PIECE_BYTES: Final = TAPE_BYTES


def piece(origin: int, position: int, n_bytes: int) -> bytes:
    """`n_bytes` of the voice that starts at `origin`, from its byte `position` on."""
    if n_bytes > LONGEST_PIECE_BYTES:
        raise ValueError(f"expected at most {LONGEST_PIECE_BYTES} bytes, got {n_bytes}")
    at = (origin + position) % TAPE_BYTES
    return _TWICE[at : at + n_bytes]


def origin_of(number: int) -> int:
    """An origin for voice `number`; different for the first `TAPE_BYTES` voices."""
    return number * 7919 % TAPE_BYTES


def opening(origin: int) -> bytes:
    """The first bytes of the voice that starts at `origin`: they tell it from all others."""
    return piece(origin, 0, _KEY_BYTES)


def opening_of(audio: bytes) -> bytes:
    """What `opening` gives for the voice that begins in `audio`; empty if there is too little."""
    voice = audio.lstrip(SILENCE)
    return voice[:_KEY_BYTES] if len(voice) >= _KEY_BYTES else b""


class TapeReader:
    """Reads one voice, in pieces of any length, and counts what is wrong with it (in bytes)."""

    __slots__ = ("foreign", "lost", "origin", "position", "repeated", "silence")

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self.position = 0
        """Everything before this was read or is counted as lost."""
        self.lost = 0
        self.repeated = 0
        self.foreign = 0
        """Neither silence nor anywhere on the tape."""
        self.silence = 0

    def read(self, audio: bytes) -> None:
        while len(audio) > LONGEST_PIECE_BYTES:
            self.read(audio[:LONGEST_PIECE_BYTES])
            audio = audio[LONGEST_PIECE_BYTES:]
        if audio == piece(self.origin, self.position, len(audio)):
            self.position += len(audio)
            return
        while audio:
            voice = audio.lstrip(SILENCE)
            self.silence += len(audio) - len(voice)
            end = voice.find(SILENCE)
            voice, audio = (voice, b"") if end < 0 else (voice[:end], voice[end:])
            if voice:
                self._read_voice(voice)

    def _read_voice(self, voice: bytes) -> None:
        ahead = self._distance(voice)
        if ahead is None:
            self.foreign += len(voice)
        elif ahead > TAPE_BYTES // 2:
            self._read_again(voice, TAPE_BYTES - ahead)
        else:
            self.lost += ahead
            self.position += ahead + len(voice)

    def _read_again(self, voice: bytes, behind: int) -> None:
        """A piece that begins `behind` bytes before what was due, and may run into what is due."""
        self.repeated += min(behind, len(voice))
        self.position += max(0, len(voice) - behind)

    def _distance(self, voice: bytes) -> int | None:
        """How far ahead of the due byte this piece stands on the tape; None: it is not on it."""
        due = (self.origin + self.position) % TAPE_BYTES
        if _TWICE[due : due + len(voice)] == voice:
            return 0
        if len(voice) < _KEY_BYTES:
            return None
        place = _TWICE.find(voice)
        return None if place < 0 else (place - due) % TAPE_BYTES
