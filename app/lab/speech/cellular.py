"""A clip as it comes out of a cellular phone's codec, by sox where that is installed.

Nothing of the lab needs it: `app.lab.phone.Band` gives the band alone. Debian: the packages sox and
libsox-fmt-base.
"""

import shutil
import subprocess
from typing import Literal, TypeAlias, get_args

from app.lab.speech.faults import MissingPartError, SpeechError
from telecodecs.g711 import ULAW_SILENCE

CellularCodec: TypeAlias = Literal["gsm", "amr-nb"]
"""`gsm`: full rate, 13 kbit/s; `amr-nb`: at 4.75 kbit/s, the worst that a phone falls back to."""

_ULAW = ("-t", "ul", "-r", "8000", "-c", "1")
_RAW: dict[CellularCodec, tuple[str, ...]] = {
    "gsm": ("-t", "gsm", "-r", "8000", "-c", "1"),
    "amr-nb": ("-t", "amr-nb"),
}
_LIMIT_S = 30


def through_codec(ulaw: bytes, codec: CellularCodec) -> bytes:
    """μ-law at 8 kHz, coded and decoded again; the same length.

    Raises MissingPartError without sox, SpeechError when sox cannot do it (as Debian's cannot
    without libsox-fmt-base), ValueError for another codec.
    """
    if codec not in _RAW:
        raise ValueError(f"codec is one of {', '.join(get_args(CellularCodec))}, got {codec!r}")
    sox = shutil.which("sox")
    if sox is None:
        raise MissingPartError(
            "cellular codecs need the program sox (Debian packages: sox and libsox-fmt-base); "
            "app.lab.phone.Band needs nothing"
        )
    lowest_rate = ("-C", "0") if codec == "amr-nb" else ()
    coded = _run((sox, *_ULAW, "-", *lowest_rate, *_RAW[codec], "-"), ulaw)
    decoded = _run((sox, *_RAW[codec], "-", *_ULAW, "-"), coded)
    return decoded[: len(ulaw)].ljust(len(ulaw), ULAW_SILENCE)


def _run(command: tuple[str, ...], data: bytes) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=_LIMIT_S)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise SpeechError(f"sox could not code the clip (exit {done.returncode}): {said}")
    return done.stdout
