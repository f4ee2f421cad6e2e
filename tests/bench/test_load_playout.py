"""A mark comes back when what was queued before it has been played, never earlier; a buffer that
runs dry counts as an underrun only in the middle of an answer."""

from hypothesis import given
from hypothesis import strategies as st

from bench.load_playout import BYTES_PER_S, PlayoutBuffer


def test_a_mark_with_nothing_queued_before_it_is_due_at_once() -> None:
    buffer = PlayoutBuffer()
    buffer.mark("start")
    assert buffer.due_marks(10.0) == ["start"]
    assert buffer.due_marks(10.0) == []


def test_a_mark_waits_for_the_audio_before_it() -> None:
    buffer = PlayoutBuffer()
    buffer.queue(1_600, 10.0, within_answer=False)
    buffer.mark("progress")
    buffer.queue(1_600, 10.1, within_answer=True)
    buffer.mark("end")
    assert buffer.due_marks(10.19) == []
    assert buffer.due_marks(10.21) == ["progress"]
    assert buffer.due_marks(10.41) == ["end"]


@given(st.lists(st.tuples(st.integers(1, 4_000), st.integers(0, 800)), max_size=30))
def test_playing_never_takes_less_time_than_the_audio_lasts(steps: list[tuple[int, int]]) -> None:
    buffer, now_s, queued_s = PlayoutBuffer(), 100.0, 0.0
    for n_bytes, wait_ms in steps:
        buffer.queue(n_bytes, now_s, within_answer=True)
        queued_s += n_bytes / BYTES_PER_S
        now_s += wait_ms / 1_000
    buffer.mark("end")
    assert not steps or buffer.due_marks(100.0 + queued_s - 1e-6) == []
    assert buffer.due_marks(now_s + queued_s + 1e-6) == ["end"] if steps else True


def test_running_dry_within_an_answer_is_an_underrun_and_its_length_is_kept() -> None:
    buffer = PlayoutBuffer()
    buffer.queue(800, 10.0, within_answer=False)
    buffer.queue(800, 10.05, within_answer=True)
    assert buffer.underruns == 0
    buffer.queue(800, 10.25, within_answer=True)
    assert buffer.underruns == 1
    assert abs(buffer.longest_gap_s - 0.05) < 1e-9


def test_the_pause_between_two_answers_is_no_underrun() -> None:
    buffer = PlayoutBuffer()
    buffer.queue(800, 10.0, within_answer=False)
    buffer.queue(800, 12.0, within_answer=False)
    assert (buffer.underruns, buffer.longest_gap_s) == (0, 0.0)


def test_clear_returns_every_waiting_mark_and_empties_the_buffer() -> None:
    buffer = PlayoutBuffer()
    buffer.queue(16_000, 10.0, within_answer=False)
    buffer.mark("a")
    buffer.mark("b")
    assert buffer.clear(10.5) == ["a", "b"]
    buffer.mark("after")
    assert buffer.due_marks(10.5) == ["after"]
    assert buffer.clear(10.5) == []
