"""A PBX's frames carry no time: counted, with wall time for what was not sent, they tell the
time of an event to a frame, whatever the network does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.carriers.asterisk.clock import LATE_MS, PbxClock

FRAME = 160
OFFSET_MS = 5_000
"""Between the PBX's time and ours, as far as the network has a part in it."""


def feed(clock: PbxClock, sent_ms: list[int], delays_ms: list[int]) -> int:
    """Frames whose sound ended at `sent_ms` on the PBX's time, each later by its delay, in their
    order. Returns when the newest one came, by our clock."""
    now_ms = 0
    for sent, delay in zip(sent_ms, delays_ms, strict=True):
        now_ms = max(now_ms, OFFSET_MS + sent + delay)
        clock.on_media(0, FRAME, now_ms)
    return now_ms


def jitter(n: int, most_ms: int = 30, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return [chance.randint(0, most_ms) for _ in range(n)]


def off_ms(clock: PbxClock, now_ms: int, sent_ms: int) -> float:
    """How far the middle of the bounds is from the truth, which is between this frame and the
    next one."""
    low, high = clock.at(now_ms)
    return (low + high) / 2 - (OFFSET_MS + sent_ms + 10)


@pytest.mark.parametrize("delay_ms", [0, 40, 150])
def test_jitter_moves_the_time_of_an_event_by_less_than_a_frame(delay_ms: int) -> None:
    clock = PbxClock()
    sent = [20 * (n + 1) for n in range(500)]
    now_ms = feed(clock, sent, [delay_ms + late for late in jitter(500)])
    assert abs(off_ms(clock, now_ms, sent[-1]) - delay_ms) <= 31, "all but the first frame's delay"
    assert clock.gaps == 0


def test_the_time_between_two_events_is_that_of_the_frames_between() -> None:
    clock = PbxClock()
    first = feed(clock, [20 * (n + 1) for n in range(50)], jitter(50))
    before = clock.at(first)
    second = feed(clock, [20 * (n + 51) for n in range(50)], jitter(50, seed=2))
    after = clock.at(second)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1_000, 1_000]


def test_a_pause_of_the_callers_sound_is_time_all_the_same() -> None:
    clock = PbxClock()
    sent = [20 * (n + 1) for n in range(50)] + [20 * (n + 151) for n in range(50)]
    now_ms = feed(clock, sent, jitter(100))
    assert abs(off_ms(clock, now_ms, sent[-1])) <= 31
    assert clock.gaps == 1


def test_while_nothing_comes_wall_time_goes_on() -> None:
    clock = PbxClock()
    now_ms = feed(clock, [20 * (n + 1) for n in range(50)], jitter(50))
    low, high = clock.at(now_ms + 3_000)
    assert low <= OFFSET_MS + 1_000 + 3_000 + 31
    assert high - low <= 60
    assert abs((low + high) // 2 - (OFFSET_MS + 4_000)) <= 61


def test_a_call_of_which_nothing_was_heard_yet_has_wall_time() -> None:
    assert PbxClock().at(700) == (640, 700)
    assert PbxClock().due_padding(5_000) == 0


def test_lost_frames_are_found_missing() -> None:
    clock = PbxClock()
    sent = [20 * (n + 1) for n in range(500) if n % 50 not in (7, 8)]
    now_ms = feed(clock, sent, jitter(len(sent)))
    assert abs(off_ms(clock, now_ms, sent[-1])) <= 45


def test_a_network_that_stood_still_loses_no_time() -> None:
    clock = PbxClock()
    delays = jitter(200)
    delays[100:115] = [300 - 20 * n for n in range(15)]
    sent = [20 * (n + 1) for n in range(200)]
    now_ms = feed(clock, sent, delays)
    assert abs(off_ms(clock, now_ms, sent[-1])) <= 31


def test_silence_is_written_for_what_does_not_come_and_not_twice() -> None:
    clock = PbxClock()
    now_ms = feed(clock, [20 * (n + 1) for n in range(50)], [0] * 50)
    written = sum(clock.due_padding(now_ms + 100 * n) for n in range(1, 11))
    assert abs(written // 8 - (1_000 - LATE_MS)) <= 20
    before = clock.on_media(0, FRAME, now_ms + 1_020)
    assert abs((written + before) // 8 - 1_000) <= 20


@given(st.lists(st.integers(0, 400), min_size=1, max_size=200))
def test_time_never_runs_far_from_the_wall(gaps_ms: list[int]) -> None:
    clock, now_ms = PbxClock(), 0
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        assert clock.on_media(0, FRAME, now_ms) >= 0
        low, high = clock.at(now_ms)
        assert low <= high
    assert high <= now_ms + 20 * len(gaps_ms) + 40, "no more than what was heard"
