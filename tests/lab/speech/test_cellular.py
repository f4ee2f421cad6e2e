"""Invariant: a clip keeps its length through a phone's codec, and without sox it says what to do.

The programs here stand in for sox: what they were asked is checked, not how a codec sounds.
"""

import os
from pathlib import Path

import pytest

from app.lab.speech.cellular import CellularCodec, through_codec
from app.lab.speech.faults import MissingPartError, SpeechError

CLIP = bytes(range(256)) * 5


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sox = folder / "sox"
    sox.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    sox.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("codec", "asked"),
    [
        (
            "gsm",
            "-t ul -r 8000 -c 1 - -t gsm -r 8000 -c 1 -\n"
            "-t gsm -r 8000 -c 1 - -t ul -r 8000 -c 1 -\n",
        ),
        (
            "amr-nb",
            "-t ul -r 8000 -c 1 - -C 0 -t amr-nb -\n-t amr-nb - -t ul -r 8000 -c 1 -\n",
        ),
    ],
)
def test_a_clip_is_coded_and_decoded_and_keeps_its_length(
    codec: CellularCodec, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Codecs work in blocks: more comes back than went in.
    stand_in(tmp_path, f'echo "$*" >> {tmp_path}/asked; cat; printf block', monkeypatch)
    assert through_codec(CLIP, codec) == CLIP
    assert (tmp_path / "asked").read_text(encoding="utf-8") == asked


def test_what_comes_back_short_is_filled_with_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, "head -c 100", monkeypatch)
    assert through_codec(CLIP, "gsm") == CLIP[:100] + b"\xff" * (len(CLIP) - 100)


def test_a_sox_without_the_codec_is_told_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, "cat > /dev/null; echo 'no handler for gsm' >&2; exit 2", monkeypatch)
    with pytest.raises(SpeechError, match=r"exit 2.*no handler for gsm"):
        through_codec(CLIP, "gsm")


def test_without_sox_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPartError, match="libsox-fmt-base"):
        through_codec(CLIP, "gsm")


def test_another_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="one of gsm, amr-nb, got 'mp3'"):
        through_codec(CLIP, "mp3")  # type: ignore[arg-type]
