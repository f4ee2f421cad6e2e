"""Reading WAV files of any common kind.

Source: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF WAVE) and its
extensible format. Writing is in `wav_writer`; both are re-exported by `telecodecs`.
"""

import struct
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from telecodecs.g711 import SAMPLE_RATE_HZ, alaw_to_pcm, pcm_to_ulaw, ulaw_to_pcm
from telecodecs.resample import MAX_RATE_HZ, MIN_RATE_HZ, Resampler

WavPath: TypeAlias = str | PathLike[str]

TAG_PCM: Final = 1
TAG_ALAW: Final = 6
TAG_ULAW: Final = 7
_TAG_EXTENSIBLE: Final = 0xFFFE
_LENGTH_UNKNOWN: Final = 0xFFFFFFFF
"""Data size that programs write when they stream a WAV into a pipe: read to the end."""
_MEND: Final = (
    "Convert it to 16-bit PCM WAV, for example with: ffmpeg -i in.wav -c:a pcm_s16le out.wav"
)


class WavError(ValueError):
    """The file is at fault: not a WAV, damaged, empty, or of a kind that is not read here."""


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate_hz: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_wav(path: WavPath) -> tuple[int, int, bytes]:
    """Read a WAV file: its rate in Hz, its channels, and its audio as interleaved 16-bit PCM.

    Takes 8, 16, 24 and 32-bit integer PCM, μ-law and A-law. Raises WavError if the file is not a
    WAV, is cut short, holds no audio or is of another kind; OSError if it cannot be read.
    """
    fmt, data = _parse(Path(path).read_bytes(), Path(path).name)
    return fmt.rate_hz, fmt.channels, _to_pcm16(fmt, data)


def load_as_ulaw(path: WavPath) -> bytes:
    """Read a mono or stereo WAV file of any usual rate as telephone audio: μ-law, 8 kHz, mono.

    Stereo is averaged to one channel. Raises what `read_wav` raises, and WavError for more than two
    channels or a rate outside 4,000 to 192,000 Hz.
    """
    rate_hz, channels, pcm = read_wav(path)
    name = Path(path).name
    if channels > 2:
        raise WavError(f"{name}: expected mono or stereo; it has {channels} channels. {_MEND}")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise WavError(
            f"{name}: expected a rate from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz; it has {rate_hz} Hz."
        )
    mono = _mixed_down(pcm) if channels == 2 else pcm
    resampler = Resampler(rate_hz, SAMPLE_RATE_HZ)
    return pcm_to_ulaw(resampler.push(mono) + resampler.flush())


def _parse(content: bytes, name: str) -> tuple[_Format, bytes]:
    """Walk the chunks; return the format and the bytes of the audio, checked against each other."""
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        found = f"begins with {content[:12]!r}" if content else "is empty"
        raise WavError(f"{name}: expected a RIFF WAVE file; it {found}. {_MEND}")
    fmt: _Format | None = None
    at = 12
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + size]
        if kind == b"data":
            return _checked(fmt, body, size, name)
        if kind == b"fmt ":
            fmt = _parse_format(body, name)
        at += 8 + size + size % 2
    raise WavError(f"{name}: the file ends before its audio (no data chunk). Fetch it again.")


def _parse_format(body: bytes, name: str) -> _Format:
    if len(body) < 16:
        raise WavError(f"{name}: expected at least 16 bytes of format; got {len(body)}. {_MEND}")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _TAG_EXTENSIBLE and len(body) >= 26:
        (tag,) = struct.unpack_from("<H", body, 24)
    allowed_bits = {TAG_PCM: (8, 16, 24, 32), TAG_ULAW: (8,), TAG_ALAW: (8,)}
    if bits not in allowed_bits.get(tag, ()):
        raise WavError(
            f"{name}: expected 8, 16, 24 or 32-bit integer PCM, μ-law or A-law; "
            f"it has format {tag} with {bits} bits. {_MEND}"
        )
    if not channels or not rate_hz:
        raise WavError(f"{name}: expected audio; it has {channels} channels at {rate_hz} Hz.")
    return _Format(tag, channels, rate_hz, bits)


def _checked(fmt: _Format | None, body: bytes, size: int, name: str) -> tuple[_Format, bytes]:
    if fmt is None:
        raise WavError(f"{name}: the audio comes before its format (no fmt chunk). {_MEND}")
    if size == _LENGTH_UNKNOWN:
        size = len(body) // fmt.frame_bytes * fmt.frame_bytes
        body = body[:size]
    if len(body) < size or size % fmt.frame_bytes:
        raise WavError(
            f"{name}: the file is cut short: its header promises {size} bytes of audio in frames "
            f"of {fmt.frame_bytes}; it has {len(body)}. Fetch or record it again."
        )
    if not body:
        raise WavError(f"{name}: the file holds no audio.")
    return fmt, body


def _to_pcm16(fmt: _Format, data: bytes) -> bytes:
    if fmt.tag == TAG_ULAW:
        return ulaw_to_pcm(data)
    if fmt.tag == TAG_ALAW:
        return alaw_to_pcm(data)
    if fmt.bits == 16:
        return data
    raw = np.frombuffer(data, np.uint8).reshape(-1, fmt.bits // 8)
    if fmt.bits == 8:  # the one width that WAV stores unsigned
        return ((raw[:, 0].astype("<i2") - 128) * 256).astype("<i2").tobytes()
    return raw[:, -2:].tobytes()  # little-endian: the last two bytes are the upper 16 bits


def _mixed_down(stereo: bytes) -> bytes:
    pairs = np.frombuffer(stereo, "<i2").reshape(-1, 2).astype(np.int32)
    mono: bytes = (pairs.sum(axis=1) // 2).astype("<i2").tobytes()
    return mono
