"""The written caller audio always stands where the timestamps say, no gap is filled twice, and the
carrier's time of a message is bounded by the frames around it."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.carriers.clock import LATE_MS, CarrierClock

FRAME = 160
STALL_MS = 20 + LATE_MS


def test_steady_media_needs_no_padding() -> None:
    clock = CarrierClock(0)
    assert [clock.on_media(20 * i, FRAME, 20 * i) for i in range(50)] == [0] * 50
    assert clock.axis_bytes == 50 * FRAME


def test_the_axis_begins_at_the_first_frame() -> None:
    clock = CarrierClock(0)
    assert clock.on_media(5000, FRAME, 5010) == 0
    assert clock.axis_bytes == FRAME


def test_a_gap_is_filled_to_the_byte() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.on_media(83, FRAME, 103) == 63 * 8
    assert clock.axis_bytes == (83 + 20) * 8


@given(
    frames=st.lists(
        st.tuples(st.integers(0, 3000), st.integers(1, 800), st.integers(0, 60)), min_size=1
    ),
    ticks=st.lists(st.integers(1, 300), max_size=5),
)
def test_gaps_are_filled_once_whether_by_the_clock_or_by_the_timestamp(
    frames: list[tuple[int, int, int]], ticks: list[int]
) -> None:
    """Frames come in order, each up to 60 ms late; the clock is asked at any time in between."""
    clock = CarrierClock(0)
    end_ms, written, first_ms, arrived_ms = 0, 0, None, 0
    for gap_ms, frame_ms, delay_ms in frames:
        timestamp_ms = end_ms + gap_ms
        first_ms = timestamp_ms if first_ms is None else first_ms
        end_ms = timestamp_ms + frame_ms
        now_ms = max(arrived_ms, end_ms + delay_ms)
        for tick in ticks:
            # Asked before the frame is here: what the clock fills must be missing indeed.
            if (asked_ms := arrived_ms + tick) < now_ms:
                written += clock.due_padding(asked_ms)
        padding = clock.on_media(timestamp_ms, frame_ms * 8, now_ms)
        # What was written before this frame is exactly the time that has passed before it, unless
        # the clock filled silence for a frame that then came after all.
        assert written + padding >= (timestamp_ms - first_ms) * 8
        if padding:
            assert written + padding == (timestamp_ms - first_ms) * 8
        written += padding + frame_ms * 8
        arrived_ms = now_ms
        assert clock.axis_bytes == written
    assert clock.leaps == 0


@given(frames=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2000)), min_size=1))
def test_without_the_clock_the_axis_equals_the_progress_of_the_timestamps(
    frames: list[tuple[int, int]],
) -> None:
    clock = CarrierClock(0)
    end_ms, first_ms = 0, frames[0][0]
    for gap_ms, frame_ms in frames:
        timestamp_ms = end_ms + gap_ms
        end_ms = timestamp_ms + frame_ms
        clock.on_media(timestamp_ms, frame_ms * 8, end_ms)
        assert clock.axis_bytes == (end_ms - first_ms) * 8
        assert clock.axis_ahead_bytes == 0


def test_a_stall_is_filled_by_the_clock_in_whole_frames_a_little_behind() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.due_padding(20 + STALL_MS) == 0
    assert clock.due_padding(20 + STALL_MS + 19) == 0
    assert clock.due_padding(20 + STALL_MS + 20) == FRAME
    assert clock.due_padding(20 + STALL_MS + 20) == 0
    assert clock.due_padding(20 + STALL_MS + 75) == 2 * FRAME


def test_what_the_clock_filled_is_not_filled_again() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    by_clock = clock.due_padding(20 + 500)
    assert by_clock == 400 * 8
    assert clock.on_media(520, FRAME, 540) == 500 * 8 - by_clock
    assert clock.axis_ahead_bytes == 0


def test_late_frames_are_kept_and_the_silence_before_them_is_owed_to_later_gaps() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.due_padding(420) == 300 * 8
    # The network had only held the frames back: they come at once, without a gap.
    for i in range(1, 21):
        assert clock.on_media(20 * i, FRAME, 421) == 0
    assert clock.axis_ahead_bytes == 300 * 8
    # A real gap of 350 ms then needs only what is still missing.
    assert clock.on_media(420 + 350, FRAME, 800) == 50 * 8
    assert clock.axis_ahead_bytes == 0


def test_a_long_stall_is_filled_in_bounded_pieces_that_add_up() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    pieces = [clock.due_padding(20 + STALL_MS + 2500) for _ in range(4)]
    assert pieces == [8000, 8000, 4000 - 4000 % FRAME, 0]


@given(
    frames=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, LATE_MS)), min_size=1),
    every_ms=st.integers(1, 50),
)
@example(frames=[(0, 0), (1, LATE_MS)], every_ms=1)
def test_frames_less_late_than_a_stall_leave_the_axis_exactly_on_the_timestamps(
    frames: list[tuple[int, int]], every_ms: int
) -> None:
    clock = CarrierClock(0)
    end_ms, arrived_ms = 0, 0
    for gap_ms, delay_ms in frames:
        timestamp_ms = end_ms + gap_ms
        end_ms = timestamp_ms + 20
        now_ms = max(arrived_ms, end_ms + delay_ms)
        for asked_ms in range(arrived_ms, now_ms, every_ms):
            clock.due_padding(asked_ms)
        clock.on_media(timestamp_ms, FRAME, now_ms)
        arrived_ms = now_ms
        assert clock.axis_ahead_bytes == 0


def test_long_frames_are_no_stall() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, 10 * FRAME, 200)
    assert clock.due_padding(400) == 0
    assert clock.on_media(200, 10 * FRAME, 400) == 0


def test_nothing_is_due_before_the_first_frame() -> None:
    assert CarrierClock(0).due_padding(10_000) == 0


def test_an_overlapping_frame_is_counted_and_not_padded() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.on_media(15, FRAME, 40) == 0
    assert clock.overlaps == 1
    assert clock.axis_ahead_bytes == 5 * 8
    assert clock.on_media(45, FRAME, 60) == 5 * 8


def test_a_leap_ahead_is_bounded_by_our_own_clock() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.on_media(10**9, FRAME, 320) == 280 * 8
    assert clock.leaps == 1
    # The timeline is joined: the frame after it follows without a gap.
    assert clock.on_media(10**9 + 20, FRAME, 340) == 0
    assert clock.leaps == 1


def test_a_leap_back_is_joined() -> None:
    clock = CarrierClock(0)
    for i in range(100):
        clock.on_media(20 * i, FRAME, 20 * i + 20)
    assert clock.on_media(0, FRAME, 2020) == 0
    assert clock.on_media(20, FRAME, 2040) == 0
    assert (clock.leaps, clock.overlaps) == (1, 0)
    assert clock.at(2041) == (2040, 2060)


def test_a_network_that_delivers_late_and_all_at_once_is_no_leap() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    # 5 s of backlog, in which silence was suppressed for 3 s, arrive in one instant.
    assert clock.on_media(20, FRAME, 5000) == 0
    assert clock.on_media(3040, FRAME, 5000) == 3000 * 8
    assert clock.leaps == 0


def test_slow_drift_between_the_clocks_is_no_leap() -> None:
    clock = CarrierClock(0)
    for hour in range(100):
        timestamp_ms = hour * 3_600_000
        clock.on_media(timestamp_ms, FRAME, timestamp_ms - hour * 180)
    assert clock.leaps == 0


def test_a_message_between_frames_is_dated_between_them() -> None:
    clock = CarrierClock(0)
    clock.on_media(1000, FRAME, 7000)
    assert clock.at(7000) == (1020, 1040)
    assert clock.at(7060) == (1020, 1040)


def test_without_media_our_own_clock_carries_the_carriers_on() -> None:
    clock = CarrierClock(0)
    clock.on_media(1000, FRAME, 7000)
    assert clock.at(7061) == (1020, 1081)
    clock.due_padding(9000)
    assert clock.at(9000) == (1020, 3020)


def test_longer_frames_widen_the_bounds() -> None:
    clock = CarrierClock(0)
    clock.on_media(1000, 60 * 8, 7000)
    assert clock.at(7090) == (1060, 1120)
    assert clock.at(7101) == (1060, 1161)


def test_before_any_media_the_time_since_the_start_is_the_bound() -> None:
    clock = CarrierClock(400)
    assert clock.at(410) == (0, 20)
    assert clock.at(900) == (0, 500)


@given(frames=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 40)), min_size=2, max_size=40))
def test_the_bounds_hold_the_true_time_and_never_run_backwards(
    frames: list[tuple[int, int]],
) -> None:
    """A message sent right after a frame, however late both arrive, was sent within the bounds."""
    clock = CarrierClock(0)
    end_ms, arrived_ms, low_before = 0, 0, 0
    for gap_ms, delay_ms in frames:
        timestamp_ms = end_ms + 20 * (gap_ms // 20)
        end_ms = timestamp_ms + 20
        arrived_ms = max(arrived_ms, end_ms + delay_ms)
        clock.on_media(timestamp_ms, FRAME, arrived_ms)
        low_ms, high_ms = clock.at(arrived_ms)
        assert low_before <= low_ms <= end_ms <= high_ms
        low_before = low_ms


def test_a_leap_ahead_in_a_burst_joins_at_the_end_of_the_last_frame() -> None:
    clock = CarrierClock(0)
    clock.on_media(0, FRAME, 20)
    assert clock.on_media(10**9, FRAME, 20) == 0
    assert clock.on_media(10**9 + 20, FRAME, 20) == 0
    assert clock.axis_ahead_bytes == 0
    assert clock.at(20) == (60, 80)
