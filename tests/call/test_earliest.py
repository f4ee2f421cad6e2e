"""Invariant: the first deadline that is set counts; none is none."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.earliest import earliest


@given(st.lists(st.none() | st.integers()))
def test_it_is_the_least_of_those_that_are_set(times_ms: list[int | None]) -> None:
    set_ms = [at_ms for at_ms in times_ms if at_ms is not None]
    assert earliest(iter(times_ms)) == min(set_ms, default=None)
