"""Invariant: the library speaks again and again, and refuses a voice that it does not have.

Each test runs it in a process of its own, as the lab does: the library is GPL.
"""

import subprocess
import sys

_SAY = """
import sys
from app.lab.speech.espeak_library import EspeakLibrary
library = EspeakLibrary()
for text in sys.argv[2:]:
    print(library.rate_hz, len(library.speak(text, sys.argv[1])))
"""


def say(voice: str, *texts: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SAY, voice, *texts], capture_output=True, text=True, check=False
    )


def test_it_speaks_again_and_again() -> None:
    done = say("en-us+f3", "Hello.", "Hello, how are you today?", "Hello.")
    lines = [[int(number) for number in line.split()] for line in done.stdout.splitlines()]
    rates, sizes = zip(*lines, strict=True)
    assert set(rates) == {22_050}
    assert sizes[0] == sizes[2] < sizes[1]


def test_an_unknown_voice_is_refused() -> None:
    done = say("xx-nowhere", "Hello.")
    assert "espeak-ng has no voice 'xx-nowhere'" in done.stderr
    assert done.returncode != 0
