"""Every byte kept is taken once, in order, and a cleared generation is gone for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.audio_store import AudioStore


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
