"""Render the callers' voices that ship with the lab: `python -m app.lab.speech.render_voices`.

Needs the program `flite` (Debian package flite). Writes the clips and their index into `voices/`,
or into the folder given as argument. What each clip says is in `voices/script.toml`.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from app.lab.speech.faults import MissingPartError
from app.lab.speech.noises import NOISES
from app.lab.speech.voices import INDEX, VOICES_DIR, ClipKind, IndexEntry
from telecodecs import BYTES_PER_MS, Resampler, pcm_to_ulaw, read_wav

RATE_HZ = 8_000
EDGE_MS = 80
"""Silence before and after the speech."""
LEVEL_DBFS = -20.0
_SPEECH_ABOVE_DB = 50.0
"""Speech is what comes this near to the loudest 10 ms; a "th" is 40 dB below a vowel."""
_WINDOW = RATE_HZ // 100
_PEAK = 0.95

_Samples = npt.NDArray[np.float64]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    text: str
    voices: tuple[str, ...]
    kind: ClipKind = "phrase"


def render(folder: Path) -> list[IndexEntry]:
    """All clips and the index. Raises MissingPartError without flite."""
    flite = shutil.which("flite")
    if flite is None:
        raise MissingPartError(
            "rendering the voices needs the program flite (Debian package: flite); "
            "the clips that ship need no rendering"
        )
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for entry, samples in _clips(flite):
        ulaw = finished(samples)
        (folder / f"{entry.name}.ulaw").write_bytes(ulaw)
        entries.append(msgspec.structs.replace(entry, duration_ms=len(ulaw) // BYTES_PER_MS))
    (folder / INDEX).write_text(_index(entries), encoding="utf-8")
    return entries


def finished(samples: _Samples) -> bytes:
    """Cut to the sound with silence at its edges, at the common level, as whole ms of μ-law."""
    sound = trimmed(samples)
    sound = sound * min(
        10 ** (LEVEL_DBFS / 20) / float(np.sqrt((sound**2).mean())),
        _PEAK / float(np.abs(sound).max()),
    )
    edge = np.zeros(EDGE_MS * BYTES_PER_MS)
    whole = np.concatenate((edge, sound, edge))
    whole = whole[: len(whole) // BYTES_PER_MS * BYTES_PER_MS]
    return pcm_to_ulaw(np.rint(whole * 32767).astype("<i2").tobytes())


def trimmed(samples: _Samples) -> _Samples:
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    power = (windows**2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_SPEECH_ABOVE_DB / 10))
    return samples[loud[0] * _WINDOW : (loud[-1] + 1) * _WINDOW]


def _clips(flite: str) -> Iterator[tuple[IndexEntry, _Samples]]:
    script = tomllib.loads((VOICES_DIR / "script.toml").read_text(encoding="utf-8"))
    for line in msgspec.convert(script["lines"], list[Line]):
        for voice in line.voices:
            entry = IndexEntry(f"{line.name}_{voice}", line.text, voice, 0, line.kind)
            yield entry, _spoken(flite, line.text, voice)
    for name, sound in NOISES.items():
        yield IndexEntry(name, sound.text, "synthetic", 0, sound.kind), sound.make(RATE_HZ)


def _spoken(flite: str, text: str, voice: str) -> _Samples:
    with tempfile.TemporaryDirectory(prefix="earshot-voices-") as folder:
        wav = Path(folder, "speech.wav")
        subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(wav)], check=True)
        rate_hz, _channels, pcm = read_wav(wav)
    resampler = Resampler(rate_hz, RATE_HZ)
    line_pcm = resampler.push(pcm) + resampler.flush()
    return np.frombuffer(line_pcm, dtype="<i2").astype(np.float64) / 32768


def _index(entries: list[IndexEntry]) -> str:
    blocks = ["# Written by app/lab/speech/render_voices.py from script.toml. Do not edit."]
    for entry in entries:
        blocks.append(
            f"[{entry.name}]\n"
            f'text = "{entry.text}"\nvoice = "{entry.voice}"\n'
            f'duration_ms = {entry.duration_ms}\nkind = "{entry.kind}"'
        )
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    rendered = render(Path(sys.argv[1]) if len(sys.argv) > 1 else VOICES_DIR)
    print(f"{len(rendered)} clips, {sum(entry.duration_ms for entry in rendered) / 1000:.0f} s")
