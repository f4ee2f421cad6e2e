"""Invariant: waits grow to about a day in all, are never shorter than planned nor than the receiver
asks for, and end."""

import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outgoing.retries import (
    JITTER,
    MOST_RETRY_AFTER_S,
    Schedule,
    read_retry_after,
    read_schedule,
    total_s,
)

DEFAULT = Schedule()


def test_the_default_lasts_about_a_day_and_each_wait_is_longer() -> None:
    assert 20 * 3600 <= total_s(DEFAULT.waits_s) <= 30 * 3600
    assert list(DEFAULT.waits_s) == sorted(set(DEFAULT.waits_s))


@given(st.integers(1, len(DEFAULT.waits_s)), st.none() | st.floats(0, 90_000), st.integers())
def test_a_wait_keeps_its_bounds(attempts: int, after_s: float | None, seed: int) -> None:
    planned_s = DEFAULT.waits_s[attempts - 1]
    wait_s = DEFAULT.wait_s(attempts, after_s, random.Random(seed))
    assert wait_s is not None
    assert max(planned_s, after_s or 0) <= wait_s <= max(planned_s * (1 + JITTER), after_s or 0)


def test_waits_differ_so_that_a_receiver_is_not_stormed() -> None:
    chance = random.Random(1)
    assert len({DEFAULT.wait_s(3, None, chance) for _ in range(20)}) == 20


def test_after_the_last_wait_it_is_given_up() -> None:
    assert Schedule((1.0, 2.0)).wait_s(3, None, random.Random()) is None
    assert DEFAULT.wait_s(len(DEFAULT.waits_s) + 1, 60.0, random.Random()) is None


def test_a_schedule_is_read_from_seconds() -> None:
    assert read_schedule(" 1, 2.5,600 ") == Schedule((1.0, 2.5, 600.0))
    assert read_schedule("") == DEFAULT


@pytest.mark.parametrize("text", ["1,,2", "0", "-1", "soon", "nan", "1e9"])
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_schedule(text)


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("99999999", MOST_RETRY_AFTER_S),
        (formatdate(1_800_000_090, usegmt=True), 90.0),
        (formatdate(1_700_000_000, usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait_s: float | None) -> None:
    assert read_retry_after(value, 1_800_000_000.0) == wait_s
