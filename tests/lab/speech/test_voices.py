"""Invariant: a clip is what the index says, so nobody needs a synthesiser to play a caller."""

import numpy as np
import pytest

from app.lab.speech.faults import UnknownClipError
from app.lab.speech.voices import VOICES_DIR, Clip, clip_names, voice_clip
from telecodecs import ulaw_to_pcm


@pytest.mark.parametrize("name", clip_names())
def test_a_clip_has_its_length_level_and_silent_edges(name: str) -> None:
    clip = voice_clip(name)
    assert clip.duration_ms * 8 == len(clip.ulaw)
    samples = np.frombuffer(ulaw_to_pcm(clip.ulaw), dtype="<i2").astype(float)
    edge = 80 * 8
    assert not samples[:edge].any()
    assert np.abs(samples[-edge + 16 :]).max() == 0
    rms = float(np.sqrt((samples[edge:-edge] ** 2).mean()))
    assert -26 < 20 * np.log10(rms / 32768) < -19


def test_all_files_together_stay_small_and_have_an_entry() -> None:
    files = list(VOICES_DIR.glob("*.ulaw"))
    assert sum(file.stat().st_size for file in files) < 1_500_000
    assert {file.stem for file in files} == set(clip_names())


def test_every_phrase_has_two_voices_and_all_kinds_are_there() -> None:
    voices: dict[str, set[str]] = {}
    for clip in map(voice_clip, clip_names("phrase")):
        voices.setdefault(clip.text, set()).add(clip.voice)
    assert all(len(of_one) >= 2 for of_one in voices.values())
    assert {"yes", "goodbye", "sorry can i book a table"} <= set(voices)
    assert len(clip_names("other")) >= 10
    assert "mm_hm" in clip_names("noise")
    kinds = clip_names("phrase") + clip_names("other") + clip_names("noise")
    assert sorted(kinds) == sorted(clip_names())


def test_the_terms_of_the_voices_lie_beside_them() -> None:
    terms = (VOICES_DIR / "LICENSE").read_text(encoding="utf-8")
    assert "Carnegie Mellon University" in terms
    assert "render_voices.py" in terms


def test_a_clip_is_read_once_and_named_by_its_text() -> None:
    clip = voice_clip("sorry_book_slt")
    assert clip is voice_clip("sorry_book_slt")
    assert isinstance(clip, Clip)
    assert (clip.text, clip.voice, clip.kind) == ("sorry can i book a table", "slt", "phrase")


def test_an_unknown_clip_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(UnknownClipError, match=r"^no voice clip 'nobody'; the clips are: opening"):
        voice_clip("nobody")
