"""Invariant: what the worker queued is played once, in order, and a mark is told exactly when all
that was queued before it has been played; a flush takes both away without a word."""

from hypothesis import given
from hypothesis import strategies as st

from app.sip_line.out_queue import XOFF_FRAMES, XON_FRAMES, OutQueue, Told
from telecodecs import ULAW_SILENCE

FRAME = 160


def frame(n: int) -> bytes:
    return n.to_bytes(2, "big") * (FRAME // 2)


@given(st.lists(st.one_of(st.integers(1, 5), st.text("ab", min_size=1, max_size=3)), max_size=30))
def test_frames_and_marks_come_in_the_order_of_the_queue(items: list[int | str]) -> None:
    queue, expected, n = OutQueue(), list[bytes | str](), 0
    for item in items:
        if isinstance(item, str):
            queue.mark(item)
            expected.append(item)
        else:
            frames = [frame(n + i) for i in range(item)]
            n += item
            assert queue.put(b"".join(frames)) == []
            expected += frames
    got: list[bytes | str] = []
    for _ in range(n + 1):
        played, told = queue.tick()
        got += [each.correlation_id for each in told]
        got += [played] if played is not None else []
    assert got == expected


def test_a_mark_comes_a_second_after_a_second_of_sound() -> None:
    queue = OutQueue()
    queue.put(bytes(8_000))
    queue.mark("m")
    ticks = [queue.tick() for _ in range(51)]
    assert all(played is not None and not told for played, told in ticks[:50])
    assert ticks[50] == (None, [Told("MEDIA_MARK_PROCESSED", "m")])


@given(st.lists(st.integers(0, 500)))
def test_without_buffering_each_message_loses_its_tail(lengths: list[int]) -> None:
    queue = OutQueue()
    for length in lengths:
        queue.put(bytes(length))
    assert queue.status.queue_length == sum(length // FRAME for length in lengths)


@given(st.lists(st.integers(0, 500)))
def test_with_buffering_messages_are_one_stream(lengths: list[int]) -> None:
    sound = bytes(n % 251 for n in range(sum(lengths)))
    queue, at = OutQueue(), 0
    queue.start_buffering()
    for length in lengths:
        queue.put(sound[at : at + length])
        at += length
    queue.stop_buffering("b")
    out = b""
    while (tick := queue.tick())[0] is not None:
        out += tick[0]
    assert tick[1] == [Told("MEDIA_BUFFERING_COMPLETED", "b")]
    assert out[: len(sound)] == sound
    assert out[len(sound) :] == ULAW_SILENCE * (-len(sound) % FRAME)


def test_a_flush_takes_sound_and_marks_and_ends_buffering_but_not_a_pause() -> None:
    queue = OutQueue()
    queue.start_buffering()
    queue.put(bytes(1_000))
    queue.mark("m")
    queue.pause()
    assert queue.flush() == []
    assert queue.status.queue_length == 0
    assert not queue.status.bulk_media
    assert queue.status.media_paused
    queue.go_on()
    assert queue.tick() == (None, [])


def test_a_pause_holds_sound_and_marks() -> None:
    queue = OutQueue()
    queue.put(frame(1))
    queue.pause()
    assert queue.tick() == (None, [])
    queue.go_on()
    assert queue.tick() == (frame(1), [])


def test_a_full_queue_says_so_takes_what_crosses_and_then_nothing() -> None:
    queue = OutQueue()
    assert queue.put(bytes(FRAME * (XOFF_FRAMES - 1))) == []
    assert queue.put(bytes(FRAME * 120)) == [Told("MEDIA_XOFF")]
    assert queue.put(bytes(FRAME * 10)) == []
    assert queue.status.queue_length == XOFF_FRAMES + 119
    assert queue.status.queue_full
    told = [queue.tick()[1] for _ in range(XOFF_FRAMES + 119 - XON_FRAMES)]
    assert told == [[]] * len(told)
    assert queue.tick()[1] == [Told("MEDIA_XON")]
    assert queue.put(bytes(FRAME)) == []
    assert queue.status.queue_length == XON_FRAMES


def test_a_flush_of_a_full_queue_says_that_there_is_room() -> None:
    queue = OutQueue()
    queue.put(bytes(FRAME * XOFF_FRAMES))
    assert queue.flush() == [Told("MEDIA_XON")]


def test_drained_is_told_once_and_after_the_last_frame() -> None:
    queue = OutQueue()
    queue.put(frame(1))
    queue.ask_drained()
    assert queue.tick() == (frame(1), [])
    assert queue.tick() == (None, [Told("QUEUE_DRAINED")])
    assert queue.tick() == (None, [])
