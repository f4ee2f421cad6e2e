"""Invariant: the fast arithmetic gives what the plain definition of least squares gives, and the
delay of a copy is found wherever it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.echo_fit import RIDGE, TAPS, likely_lags, predicted


def plainly_predicted(reference: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Every tap is a column."""
    columns = [reference[TAPS - 1 - tap :][: len(window)] for tap in range(TAPS)]
    taps = np.stack(columns, axis=1)
    ridge = RIDGE * float(taps[:, 0] @ taps[:, 0])
    answer = np.linalg.solve(taps.T @ taps + ridge * np.eye(TAPS), taps.T @ window)
    return np.asarray(taps @ answer)


@given(st.integers(0, 10_000), st.integers(TAPS, 800))
def test_the_filter_is_the_one_of_least_squares(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    reference, window = rng.standard_normal(n + TAPS - 1), rng.standard_normal(n)
    expected = plainly_predicted(reference, window)
    assert predicted(reference, window) == pytest.approx(expected, abs=1e-6)


def test_a_filtered_copy_is_explained_and_another_sound_is_not() -> None:
    rng = np.random.default_rng(1)
    reference = rng.standard_normal(2_400 + TAPS - 1)
    copy = np.convolve(reference, 0.1 * rng.standard_normal(TAPS), "valid")
    other = rng.standard_normal(2_400)
    assert np.mean((copy - predicted(reference, copy)) ** 2) < 0.001 * np.mean(copy**2)
    assert np.mean((other - predicted(reference, other)) ** 2) > 0.9 * np.mean(other**2)


def test_silence_explains_nothing() -> None:
    window = np.random.default_rng(1).standard_normal(2_400)
    assert not predicted(np.zeros(2_400 + TAPS - 1), window).any()
    assert likely_lags(np.zeros(9_600), window, 3) == []


@given(st.integers(0, 10_000), st.integers(0, 7_200), st.sampled_from([-0.01, 0.3]))
def test_the_delay_of_a_copy_is_found(seed: int, offset: int, loss: float) -> None:
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(9_600)
    found = likely_lags(reference, loss * reference[offset : offset + 2_400], 3)
    assert found[0] == offset
    assert len(set(found)) == 3
