"""Bytes, items and carrier time agree on one axis: nothing is lost, doubled or dated wrongly."""

from hypothesis import given
from hypothesis import strategies as st

from app.call.axis import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, ItemHeard, PlayClock, Spans, narrowed

pieces = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 1), st.integers(1, 5_000)),
    max_size=12,
)


def spans_of(appended: list[tuple[str, int, int]]) -> Spans:
    spans = Spans()
    for item_id, content_index, n_bytes in appended:
        spans.append("r", item_id, content_index, n_bytes)
    return spans


@given(pieces, st.integers(0, 60_000))
def test_heard_bytes_of_all_items_add_up_to_the_position(
    appended: list[tuple[str, int, int]], position: int
) -> None:
    spans = spans_of(appended)

    items = list(spans.heard_until(position))

    assert sum(item.heard_bytes for item in items) == min(position, spans.end)
    assert sum(item.received_bytes for item in items) == spans.end
    assert all(0 <= item.heard_bytes <= item.received_bytes for item in items)


@given(pieces, st.data())
def test_every_byte_belongs_to_the_item_that_brought_it(
    appended: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    spans = spans_of(appended)
    position = data.draw(st.integers(0, spans.end))
    owners = [(item_id, index) for item_id, index, n_bytes in appended for _ in range(n_bytes)]

    span = spans.at(position)

    found = None if span is None else (span.item_id, span.content_index)
    assert found == (owners[position] if position < len(owners) else None)


def test_padding_belongs_to_no_item() -> None:
    spans = spans_of([("a", 0, 100)])
    spans.pad(60)
    spans.append("r", "b", 0, 40)

    assert spans.at(120) is None
    assert [(i.item_id, i.heard_bytes) for i in spans.heard_until(170)] == [("a", 100), ("b", 10)]


def test_items_heard_to_their_end_are_forgotten_and_the_rest_stays() -> None:
    spans = spans_of([("a", 0, 320), ("b", 0, 320)])

    dropped = spans.drop_before(480)

    assert [item.item_id for item in dropped] == ["a"]
    assert [item.item_id for item in spans.heard_until(480)] == ["b"]
    assert spans.end == 640


def test_a_heard_length_is_rounded_down_to_whole_milliseconds() -> None:
    assert ItemHeard("r", "a", 0, 8_007, 9_000).heard_ms == 1_000


@given(st.integers(0, 4_000), st.integers(0, 4_000))
def test_an_item_is_never_both_unheard_and_whole(one: int, other: int) -> None:
    item = ItemHeard("r", "a", 0, min(one, other), max(one, other))

    assert not (item.unheard and item.whole)


def test_less_than_a_frame_at_either_end_does_not_count() -> None:
    assert ItemHeard("r", "a", 0, FRAME_BYTES - 1, 8_000).unheard
    assert ItemHeard("r", "a", 0, 8_000 - FRAME_BYTES + 1, 8_000).whole
    assert not ItemHeard("r", "a", 0, 8_000 - FRAME_BYTES, 8_000).whole
    assert ItemHeard("r", "a", 0, 80, 80).whole


def test_a_clock_that_saw_no_mark_claims_nothing() -> None:
    clock = PlayClock()

    assert not clock.known
    assert clock.position_at(1_000, 1_020) == 0


@given(st.integers(0, 100_000), st.integers(0, 30), st.integers(0, 19), st.integers(0, 400))
def test_a_position_is_right_to_a_frame_and_a_half(
    start_ms: int, marks: int, phase_ms: int, more_ms: int
) -> None:
    """Playback begins at `start_ms`; echoes are bounded by 20 ms frames of caller media."""
    clock = PlayClock()

    def bounds(at_ms: int) -> tuple[int, int]:
        lo_ms = (at_ms - phase_ms) // FRAME_MS * FRAME_MS
        return lo_ms, lo_ms + FRAME_MS

    clock.restarted(0, *bounds(start_ms))
    for n in range(1, marks + 1):
        clock.played(n * 1_600, *bounds(start_ms + n * 200))

    at_ms = marks * 200 + more_ms
    assert (
        abs(clock.position_at(*bounds(start_ms + at_ms)) - at_ms * BYTES_PER_MS)
        <= (FRAME_MS + 10) * BYTES_PER_MS
    )


def test_a_pause_between_marks_moves_the_clock() -> None:
    clock = PlayClock()
    clock.restarted(0, 1_000, 1_020)
    clock.played(1_600, 1_500, 1_520)

    assert clock.position_at(1_600, 1_620) == 1_600 + 100 * BYTES_PER_MS + FRAME_BYTES // 2


def test_a_restart_forgets_the_offset_before_the_pause() -> None:
    clock = PlayClock()
    clock.restarted(0, 1_000, 1_020)
    clock.restarted(1_600, 5_000, 5_020)

    assert clock.position_at(5_000, 5_020) == 1_600
    assert clock.position_at(5_100, 5_120) == 1_600 + 90 * BYTES_PER_MS + FRAME_BYTES // 2


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_position_never_falls_behind_a_played_mark(lo_ms: int, later_ms: int) -> None:
    clock = PlayClock()
    clock.played(8_000, lo_ms, lo_ms + 20)

    assert clock.position_at(later_ms, later_ms + 20) >= 8_000


@given(st.integers(0, 100_000), st.integers(41, 5_000))
def test_bounds_carried_on_by_wall_time_are_narrowed_to_their_end(
    lo_ms: int, quiet_ms: int
) -> None:
    low, high = narrowed(lo_ms, lo_ms + quiet_ms)

    assert lo_ms <= low <= lo_ms + quiet_ms <= high
    assert high - low <= 60


def test_bounds_of_one_frame_stay_as_they_are() -> None:
    assert narrowed(1_000, 1_020) == (1_000, 1_020)


def test_one_wide_echo_does_not_overrule_what_is_known() -> None:
    """A machine that stood still for 70 ms: the echo was sent right after the last media frame."""
    clock = PlayClock()
    clock.restarted(0, 1_000, 1_020)
    for ms in (240, 480, 720):
        clock.played(ms * 8, 1_000 + ms, 1_020 + ms)
    before = clock.position_at(1_980, 2_000)

    clock.played(960 * 8, 1_960, 2_031)

    assert clock.position_at(1_980, 2_000) == before


def test_two_wide_echoes_in_a_row_do() -> None:
    """Caller media pauses, and playback had paused before: our own clock tells the truth."""
    clock = PlayClock()
    clock.restarted(0, 1_000, 1_020)
    clock.played(240 * 8, 1_240, 1_260)
    before = clock.position_at(3_000, 3_020)

    for ms in (480, 720):
        clock.played(ms * 8, 1_260, 1_400 + ms)

    assert clock.position_at(3_000, 3_020) < before
