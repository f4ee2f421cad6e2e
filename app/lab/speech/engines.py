"""Which synthesiser this machine has, and what its voices are called."""

import importlib.util
import shutil
from collections.abc import Mapping
from typing import Literal

import msgspec

from app.lab.speech.faults import MissingPartError

EngineKind = Literal["espeak-library", "espeak-binary", "flite-binary"]

_ESPEAK_VOICES: Mapping[str, str] = {
    "": "en-us+f3",
    "alloy": "en-us+f2",
    "ash": "en-us+m3",
    "ballad": "en-gb+m7",
    "cedar": "en-us+m7",
    "coral": "en-us+f4",
    "echo": "en-us+m1",
    "marin": "en-us+f3",
    "sage": "en-gb+f2",
    "shimmer": "en-us+f5",
    "verse": "en-gb+m3",
}
_FLITE_VOICES: Mapping[str, str] = {
    "": "slt",
    "ash": "rms",
    "ballad": "awb",
    "cedar": "rms",
    "echo": "rms",
    "verse": "awb",
}


class Engine(msgspec.Struct, frozen=True):
    kind: EngineKind
    path: str = ""
    """Of the binary."""

    def voice(self, name: str) -> str:
        """The engine's voice for a realtime model's voice name; any other name gets the default."""
        voices = _FLITE_VOICES if self.kind == "flite-binary" else _ESPEAK_VOICES
        return voices.get(name, voices[""])


def find_engine() -> Engine:
    """The best synthesiser here: the library, else one of the programs.

    Raises MissingPartError when there is none.
    """
    if importlib.util.find_spec("espeakng_loader") is not None:
        return Engine("espeak-library")
    if path := shutil.which("espeak-ng"):
        return Engine("espeak-binary", path)
    if path := shutil.which("flite"):
        return Engine("flite-binary", path)
    raise MissingPartError(
        "the lab's voice needs a speech synthesiser and found none; mend it with one of: "
        "pip install 'earshot[lab]' (brings an espeak-ng library), "
        "or the system package espeak-ng, or the system package flite"
    )
