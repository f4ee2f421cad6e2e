"""Callers' voices as telephone audio, ready to play: no synthesiser is needed to use them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from app.lab.speech.faults import UnknownClipError
from app.lab.speech.span import audible_span

VOICES_DIR = Path(__file__).parent / "voices"
INDEX = "index.toml"

ClipKind: TypeAlias = Literal[
    "phrase",
    "other",
    "noise",
    "interruption",
    "backchannel",
    "cough",
    "breath",
    "hold",
    "part",
    "digit",
]
"""`phrase`: the restaurant dialog understands it; `other`: speech that it does not; `noise`: for
its ear's tests. The rest is for difficult callers: words that take the floor, sounds that do not,
"hold on", parts of a halting sentence, and the ten digits."""


class IndexEntry(msgspec.Struct, frozen=True):
    name: str
    text: str
    voice: str
    duration_ms: int
    kind: ClipKind


@dataclass(frozen=True, slots=True)
class Clip:
    ulaw: bytes
    """8 kHz, at -20 dBFS, with 80 ms of silence at both ends."""
    text: str
    voice: str
    """The flite voice, or "synthetic"."""
    duration_ms: int
    kind: ClipKind
    onset_ms: float
    """Where its first sample above -45 dBFS begins."""
    end_ms: float
    """Where its last sample above -45 dBFS ends."""


def clip_names(kind: ClipKind | None = None) -> list[str]:
    """Names of all clips, or of one kind; a name ends with its voice."""
    return [name for name, entry in _index().items() if kind in (None, entry.kind)]


@cache
def voice_clip(name: str) -> Clip:
    """Raises UnknownClipError."""
    entry = _index().get(name)
    if entry is None:
        raise UnknownClipError(f"no voice clip '{name}'; the clips are: {', '.join(_index())}")
    ulaw = (VOICES_DIR / f"{name}.ulaw").read_bytes()
    onset_ms, end_ms = audible_span(ulaw) or (0.0, 0.0)
    return Clip(ulaw, entry.text, entry.voice, entry.duration_ms, entry.kind, onset_ms, end_ms)


@cache
def _index() -> dict[str, IndexEntry]:
    index = tomllib.loads((VOICES_DIR / INDEX).read_text(encoding="utf-8"))
    return {
        name: msgspec.convert({"name": name, **entry}, IndexEntry) for name, entry in index.items()
    }
