"""Invariant: sound leaves the buffer in the order of its timestamps, each sample at most once, at
its place, and only what was lost or came too late is replaced, whatever the order of arrival."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.speech.coded import coded_audio, decode_coded
from app.sip_line.concealing import SILENT_FRAME
from app.sip_line.jitter import GAP_FRAMES, WINDOW_FRAMES, Delay, JitterBuffer

FRAME = 160


def coded(frames: int) -> bytes:
    return coded_audio(7, 0, frames * 20, quiet=False)


def played(buffer: JitterBuffer, frames: int) -> bytes:
    return b"".join(buffer.pop() or b"" for _ in range(frames))


def heard_ms(sound: bytes) -> list[tuple[int, int]]:
    return [(run.start_ms, run.end_ms) for run in decode_coded(sound)]


@given(
    st.lists(st.integers(1, 1_600), min_size=1, max_size=30),
    st.integers(0, 2**32 - 1),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_any_packets_in_any_order_give_the_sound(
    lengths: list[int], begin: int, chance: random.Random, doubled: bool
) -> None:
    """All packets within a second of the first: none is late, since none was played yet."""
    sound = coded(100)[: min(sum(lengths), 8_000)]
    packets, at = [], 0
    for length in lengths:
        if at < len(sound):
            packets.append(((begin + at) % 2**32, sound[at : at + length]))
            at += length
    rest = (packets[1:] * 2) if doubled else packets[1:]
    chance.shuffle(rest)
    buffer = JitterBuffer()
    for timestamp, payload in packets[:1] + rest:
        buffer.put(timestamp, payload)
    out = played(buffer, 60)
    assert out[: len(sound)] == sound


def test_frames_begin_after_the_delay() -> None:
    buffer = JitterBuffer(Delay(first_ms=60))
    buffer.put(0, coded(1))
    assert [buffer.pop() for _ in range(3)] == [None] * 3
    assert buffer.pop() == coded(1)


def test_lost_packets_leave_all_others_in_place() -> None:
    sound, chance = coded(500), random.Random(2)
    lost = {n for n in range(1, 499) if chance.random() < 0.02}
    buffer, out = JitterBuffer(), b""
    for n in range(500):
        if n not in lost:
            buffer.put(n * FRAME, sound[n * FRAME : (n + 1) * FRAME])
        out += buffer.pop() or b""
    out += played(buffer, 2)
    assert len(lost) > 3
    for n in range(500):
        frame = out[n * FRAME : (n + 1) * FRAME]
        assert (frame == sound[n * FRAME : (n + 1) * FRAME]) is (n not in lost)
    assert buffer.counts.concealed == len(lost)
    assert buffer.counts.late == 0


def test_packets_that_come_late_make_the_delay_longer_until_none_is() -> None:
    """Every fifth packet is 100 ms late, which is more than the first delay."""
    sound = coded(400)
    due: dict[int, list[int]] = {}
    for n in range(400):
        due.setdefault(n + (5 if n % 5 == 0 and n else 0), []).append(n)
    buffer, out = JitterBuffer(Delay(first_ms=40, most_ms=200)), []
    for tick in range(400):
        for n in due.get(tick, []):
            buffer.put(n * FRAME, sound[n * FRAME : (n + 1) * FRAME])
        out.append(buffer.pop() or b"")
    assert 100 <= buffer.delay_ms <= 140
    [run] = heard_ms(b"".join(out[100:]))
    assert run[1] - run[0] == 300 * 20


def test_the_delay_has_a_limit() -> None:
    sound, buffer = coded(300), JitterBuffer(Delay(first_ms=40, most_ms=80))
    for tick in range(300):
        n = tick if tick % 2 else tick - 20
        if n >= 0:
            buffer.put(n * FRAME, sound[n * FRAME : (n + 1) * FRAME])
        buffer.pop()
    assert buffer.delay_ms == 80


def test_sound_that_waits_without_need_is_caught_up_with() -> None:
    """A burst leaves 300 ms too much; a frame goes every five seconds."""
    buffer = JitterBuffer()
    for n in range(15):
        buffer.put(n * FRAME, SILENT_FRAME)
    for n in range(15, 15 + 2 * WINDOW_FRAMES + 5):
        buffer.put(n * FRAME, SILENT_FRAME)
        assert buffer.pop() or n < 20
    assert buffer.counts.skipped == 2


def test_a_stream_that_stops_gives_no_frames_after_the_concealing() -> None:
    buffer = JitterBuffer(Delay(first_ms=0))
    buffer.put(0, coded(1))
    frames = [buffer.pop() for _ in range(GAP_FRAMES + 5)]
    assert frames[0] == coded(1)
    assert all(frames[1 : GAP_FRAMES + 1])
    assert frames[GAP_FRAMES + 1 :] == [None] * 4
    buffer.put(50 * FRAME, coded(1))
    assert buffer.pop() == coded(1)


@pytest.mark.parametrize("jump", [10**6, -(10**6)])
def test_a_jump_of_the_timestamps_is_a_new_beginning(jump: int) -> None:
    buffer = JitterBuffer(Delay(first_ms=0))
    buffer.put(2**31, coded(1))
    assert buffer.pop() == coded(1)
    buffer.put(2**31 + jump, coded(2)[FRAME:])
    assert buffer.pop() == coded(2)[FRAME:]
