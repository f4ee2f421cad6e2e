"""Invariant: the model's ear in the turn-taking bench knows what its caller says also under noise,
and takes nothing else for it; else the bench would blame the bot for words that nobody said."""

import asyncio

import numpy as np
import pytest

from app.lab.speech.beds import BedKind, bed
from app.lab.speech.coded import coded_audio
from app.lab.speech.voices import clip_names, voice_clip
from bench.turns_ear import CLEAN, Known, MatchingEar
from telecodecs import pcm_to_ulaw, ulaw_to_pcm

CLIP = voice_clip("wait_slt")
EAR = MatchingEar([Known(CLIP.ulaw, CLIP.text)])


def heard(ear: MatchingEar, sound: bytes) -> str | None:
    return asyncio.run(ear.hear(sound, ()))


def in_noise(ulaw: bytes, kind: BedKind, snr_db: float) -> bytes:
    pcm = np.frombuffer(ulaw_to_pcm(ulaw), "<i2").astype(np.float32)
    noise = bed(kind)[: len(pcm)] * np.float32(32_768 * 10 ** ((-20 - snr_db) / 20))
    return pcm_to_ulaw(np.clip(pcm + noise, -32_000, 32_000).astype("<i2").tobytes())


@pytest.mark.parametrize("kind", ["white", "pink", "street", "music"])
def test_words_are_known_in_noise(kind: BedKind) -> None:
    assert heard(EAR, in_noise(b"\xff" * 2_400 + CLIP.ulaw + b"\xff" * 1_600, kind, 5)) == "wait"


def test_what_was_not_said_is_not_heard() -> None:
    in_another_voice = [name for name in clip_names() if voice_clip(name).voice != CLIP.voice]
    assert len(in_another_voice) > 100
    for name in in_another_voice:
        assert heard(EAR, voice_clip(name).ulaw) == "", name
    assert heard(EAR, coded_audio(1, 0, 2_000, quiet=False)) == ""
    assert heard(EAR, b"\xff" * 8_000) == ""
    assert heard(EAR, b"") == ""


def test_parts_are_told_in_their_order_and_only_those_that_were_said() -> None:
    parts = [voice_clip(f"part_{name}_rms") for name in ("can_i", "uh", "book_a_table")]
    ear = MatchingEar([Known(part.ulaw, part.text, CLEAN) for part in parts])
    assert heard(ear, parts[0].ulaw + b"\xff" * 4_000 + parts[2].ulaw) == (
        f"{parts[0].text} {parts[2].text}"
    )
