"""Invariant: a clip is what the index says, so nobody needs a synthesiser to play a caller."""

from typing import get_args

import numpy as np
import pytest

from app.lab.speech.faults import UnknownClipError
from app.lab.speech.render_voices import EDGE_MS
from app.lab.speech.voices import VOICES_DIR, Clip, ClipKind, clip_names, voice_clip
from telecodecs import ulaw_to_pcm

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


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
    assert sum(file.stat().st_size for file in files) < 2_400_000
    assert {file.stem for file in files} == set(clip_names())


def test_every_phrase_has_two_voices_and_all_kinds_are_there() -> None:
    voices: dict[str, set[str]] = {}
    for clip in map(voice_clip, clip_names("phrase")):
        voices.setdefault(clip.text, set()).add(clip.voice)
    assert all(len(of_one) >= 2 for of_one in voices.values())
    assert {"yes", "goodbye", "sorry can i book a table"} <= set(voices)
    assert len(clip_names("other")) >= 10
    assert "mm_hm" in clip_names("noise")
    kinds = [name for kind in get_args(ClipKind) for name in clip_names(kind)]
    assert sorted(kinds) == sorted(clip_names())


def test_difficult_callers_have_enough_to_choose_from() -> None:
    words = {voice_clip(name).text for name in clip_names("interruption")}
    assert len(words) >= 12
    assert {voice_clip(name).text for name in clip_names("backchannel")} >= {
        *("mm hm", "uh huh", "yeah", "okay"),
    }
    assert {voice_clip(name).text for name in clip_names("digit")} == set(DIGITS)
    assert "hold on a moment" in {voice_clip(name).text for name in clip_names("hold")}
    assert min(len(clip_names("cough")), len(clip_names("breath")) + 2) >= 6


@pytest.mark.parametrize(
    ("kind", "least_ms", "most_ms"),
    [("interruption", 300, 2_500), ("cough", 180, 700), ("backchannel", 150, 900)],
)
def test_a_kinds_clips_are_as_long_as_people_make_them(
    kind: ClipKind, least_ms: int, most_ms: int
) -> None:
    for clip in map(voice_clip, clip_names(kind)):
        assert least_ms <= clip.end_ms - clip.onset_ms <= most_ms, clip.text


@pytest.mark.parametrize("name", clip_names())
def test_a_clip_knows_where_its_sound_begins_and_ends(name: str) -> None:
    clip = voice_clip(name)
    assert EDGE_MS <= clip.onset_ms < clip.end_ms <= clip.duration_ms - EDGE_MS
    pcm = np.frombuffer(ulaw_to_pcm(clip.ulaw), dtype="<i2").astype(float)
    loud = np.flatnonzero(np.abs(pcm) >= 32768 * 10 ** (-45 / 20))
    assert (clip.onset_ms * 8, clip.end_ms * 8) == (loud[0], loud[-1] + 1)


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
