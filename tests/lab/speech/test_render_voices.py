"""Invariant: the clips that ship are what the script renders; nothing of a word is cut away."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.lab.speech.faults import MissingPartError
from app.lab.speech.render_voices import EDGE_MS, finished, render, trimmed
from app.lab.speech.voices import clip_names, voice_clip
from telecodecs import ulaw_dbfs, ulaw_to_pcm


def test_rendering_again_gives_the_clips_that_ship(tmp_path: Path) -> None:
    if shutil.which("flite") is None and os.environ.get("CI") != "true":
        pytest.skip("needs the program flite (Debian package: flite)")
    entries = render(tmp_path)
    assert [entry.name for entry in entries] == clip_names()
    for entry in entries:
        clip = voice_clip(entry.name)
        assert (entry.text, entry.voice, entry.kind) == (clip.text, clip.voice, clip.kind)
        # Another build of flite may end a word some milliseconds sooner or later.
        assert abs(entry.duration_ms - clip.duration_ms) <= 50
        assert len((tmp_path / f"{entry.name}.ulaw").read_bytes()) == 8 * entry.duration_ms


def test_without_flite_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingPartError, match="Debian package: flite"):
        render(tmp_path)


def test_trimming_keeps_a_faint_consonant_and_drops_silence() -> None:
    rng = np.random.default_rng(1)
    silence, faint, vowel = np.zeros(1600), rng.normal(0, 0.002, 800), rng.normal(0, 0.2, 1600)
    sound = trimmed(np.concatenate((silence, faint, vowel, silence)))
    assert len(sound) == len(faint) + len(vowel)


@pytest.mark.parametrize("level", [0.001, 0.1, 0.3])
def test_every_clip_ends_up_at_one_level_with_silent_edges(level: float) -> None:
    ulaw = finished(np.random.default_rng(2).normal(0, level, 8003))
    edge = EDGE_MS * 8
    assert len(ulaw) % 8 == 0
    assert set(ulaw[:edge]) == {0xFF}
    assert ulaw_dbfs(ulaw[edge:-edge]) == pytest.approx(-20, abs=0.3)


def test_a_sound_with_a_high_peak_is_made_softer_rather_than_clipped() -> None:
    samples = np.full(8000, 0.02)
    samples[4000] = 1.0
    pcm = np.frombuffer(ulaw_to_pcm(finished(samples)), dtype="<i2")
    assert pcm.max() == pytest.approx(0.95 * 32767, rel=0.05)
    assert pcm[2000] == pytest.approx(0.02 * 0.95 * 32767, rel=0.05)
