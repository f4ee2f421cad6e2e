"""Resampling keeps the sound: its length, pitch, level and place in time, however it is cut."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecodecs.resample import Quality, Resampler

RATES_HZ = (8_000, 16_000, 24_000, 48_000)
PAIRS = list(itertools.permutations(RATES_HZ, 2))


def tone(rate_hz: int, *, seconds: float, hz: float = 1_000.0, peak: float = 8_000.0) -> bytes:
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.rint(peak * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()


def noise(n_samples: int, seed: int = 7) -> bytes:
    rng = np.random.default_rng(seed)
    return rng.integers(-30_000, 30_000, n_samples).astype("<i2").tobytes()


def convert(resampler: Resampler, pcm: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut for cut in cuts if cut < len(pcm)), len(pcm)]
    pieces = [resampler.push(pcm[a:b]) for a, b in itertools.pairwise(edges)]
    return b"".join(pieces) + resampler.flush()


def samples_of(pcm: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def fitted_tone(
    samples: npt.NDArray[np.float64], rate_hz: int, hz: float, start: int
) -> tuple[float, float, float]:
    """Least-squares sine at `hz`: its peak, its phase in radians at time 0, and the RMS left."""
    angle = 2 * np.pi * hz * (np.arange(len(samples)) + start) / rate_hz
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    (s, c), *_ = np.linalg.lstsq(basis, samples, rcond=None)
    rest = samples - basis @ np.array([s, c])
    return float(np.hypot(s, c)), float(np.arctan2(c, s)), float(np.sqrt(np.mean(rest**2)))


@settings(max_examples=60, deadline=None)
@given(
    pair=st.sampled_from([*PAIRS, (44_100, 8_000), (8_000, 8_000)]),
    n_samples=st.integers(0, 6_000),
    cuts=st.lists(st.integers(0, 12_000), max_size=30),
    quality=st.sampled_from(["LQ", "MQ", "HQ"]),
)
def test_cutting_the_input_anywhere_changes_no_bit(
    pair: tuple[int, int], n_samples: int, cuts: list[int], quality: Quality
) -> None:
    pcm = noise(n_samples)
    whole = convert(Resampler(*pair, quality=quality), pcm, [])
    assert convert(Resampler(*pair, quality=quality), pcm, cuts) == whole


@settings(max_examples=60, deadline=None)
@given(pair=st.sampled_from([*PAIRS, (44_100, 8_000)]), n_samples=st.integers(0, 9_000))
def test_total_length_is_right_within_a_sample(pair: tuple[int, int], n_samples: int) -> None:
    out = convert(Resampler(*pair), noise(n_samples), [n_samples])
    assert abs(len(out) / 2 - n_samples * pair[1] / pair[0]) <= 1


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_tone_keeps_pitch_level_and_place(from_hz: int, to_hz: int) -> None:
    out = samples_of(convert(Resampler(from_hz, to_hz), tone(from_hz, seconds=1.0), [333]))
    middle = slice(to_hz // 4, to_hz * 3 // 4)
    peak, phase_rad, rest = fitted_tone(out[middle], to_hz, 1_000.0, to_hz // 4)
    assert peak == pytest.approx(8_000, rel=0.001)
    assert abs(phase_rad) < 0.001
    assert rest < 1.0  # rounding to 16 bits on both sides is all that is left


def test_what_does_not_fit_the_lower_rate_is_filtered_not_folded() -> None:
    out = samples_of(convert(Resampler(24_000, 8_000), tone(24_000, seconds=1.0, hz=5_000.0), []))
    assert np.sqrt(np.mean(out[2_000:6_000] ** 2)) < 1.0


def test_the_telephone_band_passes_whole() -> None:
    out = samples_of(convert(Resampler(24_000, 8_000), tone(24_000, seconds=1.0, hz=3_400.0), []))
    peak, _, _ = fitted_tone(out[2_000:6_000], 8_000, 3_400.0, 2_000)
    assert peak == pytest.approx(8_000, rel=0.01)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8_000, 24_000), (24_000, 8_000), (44_100, 8_000)])
def test_a_minute_of_frames_does_not_drift(from_hz: int, to_hz: int) -> None:
    resampler, second = Resampler(from_hz, to_hz), tone(from_hz, seconds=1.0)
    frame_bytes = from_hz // 50 * 2
    out = bytearray()
    for _ in range(60):
        for start in range(0, len(second), frame_bytes):
            out += resampler.push(second[start : start + frame_bytes])
    out += resampler.flush()
    assert len(out) == 60 * to_hz * 2
    start = 58 * to_hz
    _, phase_rad, rest = fitted_tone(
        samples_of(bytes(out))[start : start + to_hz], to_hz, 1_000.0, start
    )
    assert abs(phase_rad) < 0.001
    assert rest < 1.0


def test_silence_stays_digital_silence() -> None:
    assert not any(convert(Resampler(8_000, 24_000), bytes(16_000), []))


def test_loud_edges_are_clipped_and_never_wrap() -> None:
    square = np.repeat(np.tile([32_767, -32_768], 200), 40).astype("<i2").tobytes()
    out = samples_of(convert(Resampler(8_000, 24_000), square, []))
    settled_high = out.reshape(-1, 120)[::2, 40:80]
    settled_low = out.reshape(-1, 120)[1::2, 40:80]
    assert settled_high[5:-5].min() > 25_000
    assert settled_low[5:-5].max() < -25_000


def test_reset_and_flush_both_start_a_fresh_stream() -> None:
    pcm = noise(5_000)
    expected = convert(Resampler(16_000, 8_000), pcm, [])
    resampler = Resampler(16_000, 8_000)
    resampler.push(noise(3_001, seed=1) + b"\x01")
    resampler.reset()
    assert convert(resampler, pcm, []) == expected
    assert convert(resampler, pcm, [777]) == expected


@pytest.mark.parametrize(
    ("from_hz", "to_hz", "limit_ms"),
    [
        (8_000, 16_000, 118),
        (16_000, 8_000, 118),
        (8_000, 24_000, 76),
        (24_000, 8_000, 76),
        (16_000, 24_000, 40),
        (24_000, 16_000, 40),
        (8_000, 48_000, 180),
        (48_000, 8_000, 180),
    ],
)
def test_no_more_is_held_back_than_documented(from_hz: int, to_hz: int, limit_ms: int) -> None:
    resampler, frame = Resampler(from_hz, to_hz), bytes(from_hz // 100 * 2)
    delays_ms = []
    n_out = 0
    for n_in in range(1, 301):
        n_out += len(resampler.push(frame)) // 2
        assert resampler.delay_ms == pytest.approx(n_in * 10 - n_out / to_hz * 1_000)
        delays_ms.append(resampler.delay_ms)
    assert limit_ms / 2 < max(delays_ms) <= limit_ms
    resampler.flush()
    assert resampler.delay_ms == 0


def test_equal_rates_pass_through_at_once() -> None:
    resampler = Resampler(8_000, 8_000)
    assert resampler.push(b"\x01\x02\x03") == b"\x01\x02"
    assert resampler.push(b"\x04") == b"\x03\x04"
    assert resampler.flush() == b""


def test_a_stream_that_ends_in_half_a_sample_is_refused_and_forgotten() -> None:
    resampler = Resampler(8_000, 16_000)
    resampler.push(b"\x01\x02\x03")
    with pytest.raises(ValueError, match="half a sample"):
        resampler.flush()
    assert resampler.flush() == b""


@pytest.mark.parametrize("rate_hz", [0, -8_000, 3_999, 192_001])
def test_impossible_rates_are_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match=f"got {rate_hz}"):
        Resampler(8_000, rate_hz)
    with pytest.raises(ValueError, match=f"got {rate_hz}"):
        Resampler(rate_hz, 8_000)
