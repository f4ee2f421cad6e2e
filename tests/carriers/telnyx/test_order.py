"""Frames that come within the window are handed on once and in their order, whatever theirs was;
one that does not come holds the others up for no longer than the window."""

import random

from hypothesis import given
from hypothesis import strategies as st

from app.carriers.telnyx.order import MOST_LATE, WINDOW, InOrder


def taken(chunks: list[int]) -> tuple[list[int], int]:
    order: InOrder[int] = InOrder()
    return [one for chunk in chunks for one in order.take(chunk, chunk)], order.late


def test_frames_that_changed_places_change_back() -> None:
    assert taken([5, 7, 6, 8, 10, 9]) == ([5, 6, 7, 8, 9, 10], 0)


def test_a_lost_frame_is_not_waited_for_longer_than_the_window() -> None:
    assert taken([1, 3, 4]) == ([1], 0)
    assert taken([1, 3, 4, 5]) == ([1, 3, 4, 5], 0)
    assert taken([1, 3, 4, 5, 2]) == ([1, 3, 4, 5], 1)


def test_a_frame_that_came_before_is_not_heard_twice() -> None:
    assert taken([1, 2, 2, 1, 3]) == ([1, 2, 3], 2)
    assert taken([1, 3, 3, 2]) == ([1, 2, 3], 1)


@given(st.lists(st.integers(0, 10**15), max_size=MOST_LATE))
def test_whatever_comes_goes_on_in_order_and_once(chunks: list[int]) -> None:
    heard, _ = taken(chunks)
    assert heard == sorted(set(heard))


def test_wild_numbers_do_not_make_us_deaf() -> None:
    wild = [10**15, 10**14, 10**13]
    heard, late = taken([1, 2, *wild, *range(3, 40)])
    assert heard[-3:] == [37, 38, 39]
    assert late <= MOST_LATE


def test_a_count_that_begins_again_is_followed() -> None:
    heard, late = taken([*range(500, 600), *range(1, 40)])
    assert heard[100:] == list(range(1 + MOST_LATE, 40))
    assert late == MOST_LATE


@given(st.integers(0, 1_000), st.integers(0, 10_000))
def test_a_shuffle_within_the_window_loses_nothing(n: int, seed: int) -> None:
    chance = random.Random(seed)
    chunks = [0, *sorted(range(1, n + 1), key=lambda at: at + chance.random() * (WINDOW - 1))]
    heard, late = taken([*chunks, n + 1, n + 2, n + 3])
    assert (heard[: n + 1], late) == (list(range(n + 1)), 0)
