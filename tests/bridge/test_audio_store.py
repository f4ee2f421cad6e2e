"""Every byte kept is taken once, in order, and a cleared generation is gone for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.audio_store import RETAINED_BYTES, AudioStore
from telecodecs import ULAW_SILENCE, ulaw_peak


@given(st.lists(st.binary(min_size=1, max_size=500), min_size=1, max_size=20))
def test_takes_give_back_what_was_kept(pieces: list[bytes]) -> None:
    store, taken, position = AudioStore(), b"", 0
    for piece in pieces:
        store.keep(0, piece)
        half = position + len(piece) // 2
        taken += store.take(0, position, half)
        position = half
    whole = b"".join(pieces)
    taken += store.take(0, position, len(whole))
    assert taken == whole
    assert len(store) == 0


def test_silence_is_ulaw_silence() -> None:
    store = AudioStore()
    store.keep_silence(0, 3)
    assert store.take(0, 0, 3) == b"\xff\xff\xff"


def test_a_new_generation_forgets_the_old_one() -> None:
    store = AudioStore()
    store.keep(0, b"old")
    store.keep(1, b"new")
    assert store.take(1, 0, 3) == b"new"
    with pytest.raises(ValueError, match="not held any more"):
        store.take(0, 0, 3)


def test_audio_that_has_not_come_is_refused() -> None:
    store = AudioStore()
    store.keep(0, b"abc")
    with pytest.raises(ValueError, match="not come yet"):
        store.take(0, 0, 4)


def test_audio_is_taken_once() -> None:
    store = AudioStore()
    store.keep(0, b"abc")
    store.take(0, 0, 2)
    with pytest.raises(ValueError, match="not held any more"):
        store.take(0, 0, 2)


def test_what_was_sent_and_not_heard_can_be_replayed_in_the_next_generation() -> None:
    store = AudioStore()
    store.keep(0, bytes(range(200)))
    store.take(0, 0, 160)
    store.replay(0, 100, 200, 1, fade_bytes=0)
    assert store.take(1, 0, 100) == bytes(range(100, 200))


def test_what_is_replayed_comes_back_from_silence() -> None:
    store, loud = AudioStore(), b"\x80" * 320
    store.keep(0, loud)
    store.replay(0, 0, 320, 1, fade_bytes=160)
    levels = [ulaw_peak(store.take(1, at, at + 40)) for at in range(0, 320, 40)]
    assert levels[0] < levels[1] < levels[2] < levels[3] <= levels[4]
    assert levels[4:] == [ulaw_peak(loud)] * 4


def test_what_is_too_old_to_be_replayed_is_silence() -> None:
    store = AudioStore()
    store.keep(0, b"\x80" * (3 * RETAINED_BYTES))
    store.take(0, 0, 2 * RETAINED_BYTES)
    store.replay(0, RETAINED_BYTES - 8, 2 * RETAINED_BYTES, 1, fade_bytes=0)
    assert store.take(1, 0, 16) == ULAW_SILENCE * 8 + b"\x80" * 8


def test_another_generation_than_the_one_before_cannot_be_replayed() -> None:
    store = AudioStore()
    store.keep(1, b"new")
    with pytest.raises(ValueError, match="not held"):
        store.replay(0, 0, 3, 2, fade_bytes=0)


@given(st.integers(1, 50))
def test_memory_is_bounded_however_long_an_answer_is(pieces: int) -> None:
    store = AudioStore()
    for n in range(pieces):
        store.keep(0, b"\x80" * 8_000)
        store.take(0, n * 8_000, (n + 1) * 8_000)
    assert len(store._bytes) <= RETAINED_BYTES
