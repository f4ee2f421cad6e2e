"""The three audio formats of the API, and their way to and from the lab's own: μ-law, 8 kHz."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.lab.realtime.vad import FRAME_MS
from telecodecs.g711 import alaw_to_ulaw, pcm_to_ulaw, ulaw_to_alaw, ulaw_to_pcm
from telecodecs.levels import pcm_dbfs, ulaw_dbfs
from telecodecs.resample import Resampler

_PCM_HZ: Final = 24000
_G711_HZ: Final = 8000


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One wire format. `level_dbfs` is the RMS level of a frame."""

    name: str
    bytes_per_ms: int
    level_dbfs: Callable[[bytes], float]
    to_ulaw: Callable[[bytes], bytes]
    """Of a whole utterance."""
    from_ulaw: Callable[[bytes], bytes]
    """Of a whole utterance."""

    @property
    def json(self) -> dict[str, object]:
        """The format object as the API shows it."""
        return {"type": self.name} | ({"rate": _PCM_HZ} if self.bytes_per_ms > 8 else {})

    @property
    def frame_bytes(self) -> int:
        return self.bytes_per_ms * FRAME_MS


def _same(audio: bytes) -> bytes:
    return audio


def _alaw_dbfs(frame: bytes) -> float:
    return ulaw_dbfs(alaw_to_ulaw(frame))


def _pcm_to_ulaw(pcm: bytes) -> bytes:
    return pcm_to_ulaw(_resampled(pcm, _PCM_HZ, _G711_HZ))


def _ulaw_to_pcm(ulaw: bytes) -> bytes:
    return _resampled(ulaw_to_pcm(ulaw), _G711_HZ, _PCM_HZ)


def _resampled(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    resampler = Resampler(from_hz, to_hz)
    return resampler.push(pcm) + resampler.flush()


_FORMATS: Final = {
    known.name: known
    for known in (
        AudioFormat("audio/pcmu", 8, ulaw_dbfs, _same, _same),
        AudioFormat("audio/pcma", 8, _alaw_dbfs, alaw_to_ulaw, ulaw_to_alaw),
        AudioFormat("audio/pcm", 48, pcm_dbfs, _pcm_to_ulaw, _ulaw_to_pcm),
    )
}


def format_named(name: str) -> AudioFormat:
    """Raises KeyError for a name that the session's checks would not have let through."""
    return _FORMATS[name]
