"""Invariant: the truth of a line says where its sounds are, and its noise has the SNR asked for."""

from functools import cache

import numpy as np
import pytest

from bench.vad_lines import Line, sounds_line, speech_line, talking_line
from telecodecs import ulaw_dbfs


@cache
def plain() -> Line:
    return speech_line("clean", 7)


def test_sounds_stand_where_the_truth_says_and_nothing_else_does() -> None:
    line = plain()
    for sound in line.sounds:
        onset, end = int(sound.onset_ms * 8), int(sound.end_ms * 8)
        assert ulaw_dbfs(line.ulaw[onset : onset + 80]) > -48
        assert ulaw_dbfs(line.ulaw[onset - 160 : onset - 40]) < -45
        assert ulaw_dbfs(line.ulaw[end + 40 : end + 400]) < -45
    assert line.other_ms > 0.3 * line.duration_ms


@pytest.mark.parametrize("snr_db", [20, 5])
def test_the_noise_is_as_far_below_the_speech_as_was_asked(snr_db: int) -> None:
    line = speech_line("white", 7, noise="white", snr_db=snr_db)
    before = line.ulaw[: int(line.sounds[0].onset_ms * 8) - 800]
    assert ulaw_dbfs(before) == pytest.approx(-20 - snr_db, abs=0.5)


def test_a_seed_makes_one_line() -> None:
    assert speech_line("a", 7).ulaw == plain().ulaw
    assert speech_line("a", 8).ulaw != plain().ulaw


def test_single_sounds_follow_speech_and_only_they_are_in_the_truth() -> None:
    line = sounds_line("knock", 3, count=4)
    assert len(line.sounds) == 4
    for sound in line.sounds:
        assert sound.end_ms - sound.onset_ms == pytest.approx(150, abs=1)
        start = int(sound.onset_ms * 8)
        assert ulaw_dbfs(line.ulaw[start : start + 400]) > -30


def test_a_caller_speaks_the_share_of_the_time_that_was_asked_for() -> None:
    ulaw = talking_line(1, 120, 0.4, None)
    assert len(ulaw) == 120 * 8000
    seconds = [ulaw[at : at + 800] for at in range(0, len(ulaw), 800)]
    spoken = np.mean([ulaw_dbfs(second) > -50 for second in seconds])
    assert 0.3 < spoken < 0.5
