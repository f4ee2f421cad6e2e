"""What the bench of private digits looks for it finds, however it is written or sounds, and nothing
where there is nothing."""

import numpy as np
import pytest

from app.lab.speech.beds import bed
from app.lab.speech.coded import coded_audio
from bench.digits_calls import HAPPENINGS, LEAKS, acts
from bench.digits_scan import in_sound, in_text
from telecodecs import ULAW_SILENCE, dtmf_tone, pcm_to_ulaw

PAN = "4000056655665556"


@pytest.mark.parametrize(
    "text",
    [
        PAN,
        f"card={PAN[3:12]}!",
        "4000 0566 5566 5556",
        '{"event":"KeyPressed","with":{"digit":"4"}}',
        '\\"digits\\": \\"4711',
        "The caller pressed these keys: 4 0 0",
        "five five six six five",
        "pin 90736.",
    ],
)
def test_digits_are_found(text: str) -> None:
    assert in_text(text, (PAN, "90736"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CA1c49587cb074ffb32e9950954a9a6c1f 2026-11-21T22:13:13.000Z 1763763193",
        '{"digit":"•"} "min_digits": 16, "count": 16',
        "one moment, for two people at nine",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert in_text(text, (PAN, "90736")) == []


@pytest.mark.parametrize("tone_ms", [20, 50, 120])
def test_tones_are_found(tone_ms: int) -> None:
    assert in_sound(dtmf_tone(PAN, tone_ms, 60, -20.0)) == PAN


def test_the_beginning_of_the_softest_key_is_found() -> None:
    softest_dbfs = min(leak.level_dbfs for leak in LEAKS if leak is not None)
    for key in PAN:
        assert in_sound(ULAW_SILENCE * 400 + dtmf_tone(key, 15, 60, softest_dbfs)) == key


def test_the_noise_of_a_street_that_is_broken_off_is_no_key() -> None:
    noises = [act.line.noise for act in acts(40, 1) if act.line.noise is not None]
    rms = 32_768 * 10 ** ((noises[0].speech_dbfs - noises[0].snr_db) / 20)
    street = pcm_to_ulaw(np.rint(bed(noises[0].kind) * rms).astype("<i2").tobytes())
    cut_off = (street[end - 400 : end] + ULAW_SILENCE * 480 for end in range(400, len(street), 7))
    assert in_sound(b"".join(cut_off)) == ""


def test_other_sounds_are_left_alone() -> None:
    assert in_sound(coded_audio(3, 0, 3_000, quiet=False)) == ""
    assert in_sound(ULAW_SILENCE * 8_000) == in_sound(b"") == ""


def test_every_happening_meets_every_line() -> None:
    planned = acts(len(HAPPENINGS) * len(LEAKS), 1)
    assert len({(act.happening, act.line.key_leak) for act in planned}) == len(planned)
    assert all(act.masked for act in planned)
    assert not any(act.masked for act in acts(4, 1, masked=False))
