"""Invariant: the model says what the vendor's file that we measured says, each stream has its own
memory in whatever company it is heard, and it hears telephone speech at 8 kHz and not noise."""

import hashlib

import numpy as np
import onnxruntime
import pytest

from app.lab.speech.voices import voice_clip
from app.speech.vad.silero import (
    CONTEXT_BYTES,
    VENDOR_FILE,
    VENDOR_SHA256,
    WINDOW_BYTES,
    SileroScorer,
)
from telecodecs import pcm_to_ulaw, ulaw_to_pcm

SPEECH = voice_clip("opening_hours_slt").ulaw


def white_noise(n: int) -> bytes:
    samples = np.random.default_rng(2).normal(0.0, 1000.0, n)
    return pcm_to_ulaw(np.rint(samples).astype("<i2").tobytes())


def windows_of(ulaw: bytes) -> list[bytes]:
    audio = b"\xff" * CONTEXT_BYTES + ulaw
    step = CONTEXT_BYTES + WINDOW_BYTES
    return [audio[at : at + step] for at in range(0, len(audio) - step + 1, WINDOW_BYTES)]


def scores_alone(ulaw: bytes) -> list[float]:
    scorer = SileroScorer()
    slot = scorer.open()
    return [scorer.score([slot], [window])[0] for window in windows_of(ulaw)]


def vendor_scores(ulaw: bytes) -> list[float]:
    """As the vendor's own wrapper calls the vendor's file."""
    session = onnxruntime.InferenceSession(str(VENDOR_FILE), providers=["CPUExecutionProvider"])
    rate_hz, state = np.array(8000, np.int64), np.zeros((2, 1, 128), np.float32)
    found = []
    for window in windows_of(ulaw):
        samples = np.frombuffer(ulaw_to_pcm(window), "<i2").astype(np.float32) / 32_768
        output, state = session.run(None, {"input": samples[None], "state": state, "sr": rate_hz})
        found.append(float(output[0, 0]))
    return found


def test_the_vendors_file_is_the_one_that_hears_8_khz() -> None:
    assert hashlib.sha256(VENDOR_FILE.read_bytes()).hexdigest() == VENDOR_SHA256
    assert VENDOR_FILE.name == "silero_vad.onnx"


@pytest.mark.parametrize(
    "ulaw",
    [SPEECH, white_noise(len(SPEECH)), b"\xff" * 4096, b"\x00\x80" * 4096],
    ids=["speech", "noise", "silence", "full scale"],
)
def test_what_runs_says_the_same_as_the_vendors_file(ulaw: bytes) -> None:
    assert scores_alone(ulaw) == pytest.approx(vendor_scores(ulaw), abs=2e-5)


def test_its_licence_lies_beside_it() -> None:
    licence = (VENDOR_FILE.parent / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert "Silero Team" in licence


def test_it_hears_speech_and_not_noise_or_silence() -> None:
    assert max(scores_alone(white_noise(len(SPEECH)))) < 0.2
    assert max(scores_alone(b"\xff" * len(SPEECH))) < 0.2
    assert sum(score > 0.5 for score in scores_alone(SPEECH)) > 0.6 * len(SPEECH) / WINDOW_BYTES


def test_a_stream_scores_the_same_alone_and_among_others_that_come_and_go() -> None:
    scorer = SileroScorer()
    others = [scorer.open() for _ in range(40)]  # more than the pool begins with
    slot = scorer.open()
    found: list[float] = []
    noise = windows_of(white_noise(len(SPEECH)))
    for number, window in enumerate(windows_of(SPEECH)):
        company = others[number % 7 :: 3]
        scores = scorer.score([*company, slot], [*[noise[number]] * len(company), window])
        found.append(scores[-1])
        if number == 10:
            scorer.close(others.pop())
            others += [scorer.open(), scorer.open()]
    assert found == pytest.approx(scores_alone(SPEECH), abs=1e-3)


@pytest.mark.parametrize("anew", ["reset", "reopen"])
def test_a_slot_that_begins_anew_remembers_nothing(anew: str) -> None:
    scorer = SileroScorer()
    slot = scorer.open()
    for window in windows_of(SPEECH):
        scorer.score([slot], [window])
    if anew == "reset":
        scorer.reset(slot)
    else:
        scorer.close(slot)
        assert scorer.open() == slot
    found = [scorer.score([slot], [window])[0] for window in windows_of(SPEECH)]
    assert found == pytest.approx(scores_alone(SPEECH), abs=1e-5)
