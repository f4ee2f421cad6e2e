"""The worker process of `OfflineMouth`: text in, telephone audio out."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.lab.speech.engines import Engine
from app.lab.speech.faults import TextError
from app.lab.speech.mouth import Speech
from app.lab.speech.worker import Handler, serve
from telecodecs import Resampler, pcm_to_ulaw, read_wav

_PROGRAM_TIMEOUT_S = 60


def telephone(rate_hz: int, pcm: bytes) -> bytes:
    """μ-law at 8 kHz from 16-bit mono PCM of any rate."""
    resampler = Resampler(rate_hz, 8_000)
    return pcm_to_ulaw(resampler.push(pcm) + resampler.flush())


def _program(engine: Engine) -> Callable[[str, str], bytes]:
    def speak(text: str, voice: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="earshot-mouth-") as folder:
            written, spoken = Path(folder, "text"), Path(folder, "speech.wav")
            written.write_text(text, encoding="utf-8")
            if engine.kind == "espeak-binary":
                command = ["-v", voice, "-b", "1", "-f", str(written), "-w", str(spoken)]
            else:
                command = ["-voice", voice, "-f", str(written), "-o", str(spoken)]
            _run([engine.path, *command])
            rate_hz, _channels, pcm = read_wav(spoken)
        return telephone(rate_hz, pcm)

    return speak


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PROGRAM_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise TextError(f"{Path(command[0]).name} ended with status {done.returncode}: {said}")


def _library() -> Callable[[str, str], bytes]:
    # Imported here only: with a binary the library may be absent.
    from app.lab.speech.espeak_library import EspeakLibrary  # noqa: PLC0415

    library = EspeakLibrary()
    return lambda text, voice: telephone(library.rate_hz, library.speak(text, voice))


def _handler(engine: Engine) -> Handler:
    speak = _library() if engine.kind == "espeak-library" else _program(engine)

    def answer(question: bytes) -> bytes:
        speech = msgspec.msgpack.decode(question, type=Speech)
        return speak(speech.text, engine.voice(speech.voice))

    return answer


if __name__ == "__main__":
    chosen = msgspec.json.decode(sys.argv[1], type=Engine)
    sys.exit(serve(lambda: _handler(chosen)))
