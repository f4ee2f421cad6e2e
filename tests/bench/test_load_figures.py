"""Figures mean what they are named: percentiles by rank, cost per call and second, faults added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load_figures import Faults, Window, percentile, percentile_of_counts


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_the_least_value_that_the_share_does_not_exceed(
    values: list[int], share: float
) -> None:
    found = percentile(values, share)
    assert sum(v <= found for v in values) >= share * len(values)
    assert sum(v < found for v in values) < share * len(values)
    counts = {value: values.count(value) for value in values}
    assert percentile_of_counts(counts, share) == found


def test_no_values_have_no_percentile_but_zero() -> None:
    assert percentile([], 0.99) == 0
    assert percentile_of_counts({}, 0.99) == 0


def test_faults_add_up_and_any_of_them_counts() -> None:
    assert not Faults()
    assert Faults(unknown_events=1)
    assert Faults(lost_bytes=2) + Faults(lost_bytes=3, dropped_calls=1) == Faults(5, 0, 1)


def window(**given: object) -> Window:
    fields: dict[str, object] = {
        "calls": 50,
        "seconds": 10.0,
        "cpu_s": 2.5,
        "rss_bytes": 0,
        "to_model_s": [],
        "to_phone_s": [],
        "underruns": 0,
        "longest_gap_s": 0.0,
        "padded_bytes": 0,
        "faults": Faults(),
        "load_cpu_share": 0.2,
        "load_late_ms": 1,
    }
    return Window(**{**fields, **given})  # type: ignore[arg-type]


def test_cost_is_per_call_and_second() -> None:
    assert window().cpu_ms_per_call_s == pytest.approx(5.0)
    assert window().cpu_share == pytest.approx(0.25)
