"""espeak-ng's C library through ctypes. Load it only inside a process of its own: it is GPL."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import espeakng_loader

from app.lab.speech.faults import MissingPartError, TextError

_OUTPUT_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: to the callback, inside the call
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_CHARS_UTF8 = 1
_OK = 0
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class EspeakLibrary:
    """One speaker; `rate_hz` is what `speak` returns. Not for more than one thread."""

    def __init__(self) -> None:
        """Raises MissingPartError when the library does not load or finds no voice data."""
        try:
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = str(Path(espeakng_loader.get_data_path()))
        except (OSError, RuntimeError) as error:
            raise MissingPartError(f"the espeak-ng library does not load: {error}") from None
        self.rate_hz = int(
            self._library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        )
        if self.rate_hz <= 0:
            raise MissingPartError("the espeak-ng library found no voice data; install it again")
        self._samples = bytearray()
        # The library keeps only a pointer: the callback has to live as long as the library.
        self._callback = _Callback(self._collector())
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str) -> bytes:
        """16-bit samples. Raises TextError for a voice that it does not have."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise TextError(f"espeak-ng has no voice '{voice}'")
        self._samples.clear()
        utf8 = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            utf8, ctypes.c_size_t(len(utf8)), 0, 0, 0, _CHARS_UTF8, None, None
        )
        if status != _OK:
            raise TextError(f"espeak-ng could not speak {len(text)} characters: status {status}")
        return bytes(self._samples)

    def _collector(self) -> Callable[[Any, int, int | None], int]:
        def collect(samples: Any, n_samples: int, _events: int | None) -> int:
            if n_samples > 0 and samples:
                self._samples += ctypes.string_at(samples, 2 * n_samples)
            return 0

        return collect
