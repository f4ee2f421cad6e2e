"""Invariant: the best synthesiser of the machine is taken, or the ways to get one are named."""

import importlib.util
from pathlib import Path

import pytest

from app.lab.speech.engines import Engine, find_engine
from app.lab.speech.faults import MissingPartError


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the library and with this folder as its only PATH."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, program: str) -> str:
    path = folder / program
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_library_is_preferred() -> None:
    assert find_engine() == Engine("espeak-library")


def test_without_the_library_a_program_is_taken_espeak_first(bare_path: Path) -> None:
    flite = install(bare_path, "flite")
    assert find_engine() == Engine("flite-binary", flite)
    espeak = install(bare_path, "espeak-ng")
    assert find_engine() == Engine("espeak-binary", espeak)


@pytest.mark.usefixtures("bare_path")
def test_without_any_the_three_remedies_are_named() -> None:
    with pytest.raises(MissingPartError) as missing:
        find_engine()
    for remedy in ("pip install 'earshot[lab]'", "package espeak-ng", "package flite"):
        assert remedy in str(missing.value)


def test_a_models_voice_has_a_voice_of_the_engine_and_strangers_get_the_default() -> None:
    espeak, flite = Engine("espeak-library"), Engine("flite-binary", "flite")
    assert espeak.voice("cedar") == "en-us+m7"
    assert espeak.voice("nobody") == espeak.voice("marin") == "en-us+f3"
    assert flite.voice("verse") == "awb"
    assert flite.voice("--help") == "slt"
