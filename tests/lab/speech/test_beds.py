"""Invariant: a background has the level that ratios are counted from, and repeats without seam."""

import numpy as np
import pytest

from app.lab.speech.beds import BED_KINDS, SAMPLES, BedKind, bed


@pytest.mark.parametrize("kind", BED_KINDS)
def test_a_round_is_whole_frames_at_the_level_of_one(kind: BedKind) -> None:
    samples = bed(kind).astype(float)
    assert len(samples) == SAMPLES
    assert SAMPLES % 160 == 0
    power = (samples.reshape(-1, 160) ** 2).mean(axis=1)
    sounding = power > power.max() / 1000
    assert power[sounding].mean() == pytest.approx(1.0, abs=1e-3)
    assert sounding.mean() > 0.98 or kind == "ringback"
    assert bed(kind) is bed(kind)
    assert not bed(kind).flags.writeable


@pytest.mark.parametrize("kind", sorted(set(BED_KINDS) - {"babble"}))
def test_nothing_clicks_where_the_round_begins_again(kind: BedKind) -> None:
    samples = bed(kind).astype(float)
    steps = np.abs(np.diff(samples))
    assert abs(samples[0] - samples[-1]) <= steps.max()


def test_pink_lies_lower_than_white_and_the_street_lower_still() -> None:
    def centre_hz(kind: BedKind) -> float:
        power = np.abs(np.fft.rfft(bed(kind))) ** 2
        return float((np.fft.rfftfreq(SAMPLES, 1 / 8000) * power).sum() / power.sum())

    assert centre_hz("white") == pytest.approx(2000, rel=0.05)
    assert centre_hz("street") < centre_hz("pink") < 1000


def test_a_ringing_tone_rings_two_seconds_in_six() -> None:
    loud = np.abs(bed("ringback")).reshape(-1, 8000).max(axis=1) > 0.5
    assert loud.tolist() == [True, True, *[False] * 4] * 2


def test_babble_swells_like_voices_and_white_noise_does_not() -> None:
    def swing(kind: BedKind) -> float:
        power = (bed(kind).astype(float).reshape(-1, 800) ** 2).mean(axis=1)
        return float(np.std(10 * np.log10(power)))

    assert swing("white") < 0.5
    assert swing("babble") > 1.5
