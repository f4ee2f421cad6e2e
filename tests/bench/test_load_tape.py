"""Every byte has one place: a reader that saw all of them in order finds nothing, and any byte that
is lost, repeated or invented is counted, however the voice was cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load_tape import (
    SILENCE,
    TAPE_BYTES,
    TapeReader,
    opening,
    opening_of,
    origin_of,
    piece,
)

SIZES = st.lists(st.integers(1, 2_000), min_size=1, max_size=40)
ORIGINS = st.integers(0, TAPE_BYTES - 1)


def wrongs(reader: TapeReader) -> tuple[int, int, int, int]:
    return reader.lost, reader.repeated, reader.foreign, reader.silence


@given(ORIGINS, SIZES)
def test_a_voice_that_comes_whole_shows_no_fault_in_any_framing(
    origin: int, sizes: list[int]
) -> None:
    reader = TapeReader(origin)
    for size in sizes:
        reader.read(piece(origin, reader.position, size))
    assert reader.position == sum(sizes)
    assert wrongs(reader) == (0, 0, 0, 0)


@given(ORIGINS, st.integers(0, 10_000), st.integers(1, 8_000), st.integers(16, 1_600))
def test_what_is_left_out_is_counted_as_lost(
    origin: int, before: int, gap: int, after: int
) -> None:
    reader = TapeReader(origin)
    reader.read(piece(origin, 0, before))
    reader.read(piece(origin, before + gap, after))
    assert wrongs(reader) == (gap, 0, 0, 0)
    assert reader.position == before + gap + after


@given(ORIGINS, st.integers(200, 4_000), st.integers(16, 160))
def test_what_comes_twice_is_counted_as_repeated(origin: int, before: int, again: int) -> None:
    reader = TapeReader(origin)
    reader.read(piece(origin, 0, before))
    reader.read(piece(origin, before - again, again))
    assert wrongs(reader) == (0, again, 0, 0)
    assert reader.position == before


def test_a_piece_that_repeats_its_beginning_still_brings_its_end() -> None:
    reader = TapeReader(5)
    reader.read(piece(5, 0, 320))
    reader.read(piece(5, 240, 160))
    assert wrongs(reader) == (0, 80, 0, 0)
    assert reader.position == 400


def test_silence_between_two_pieces_is_counted_and_nothing_is_lost_by_it() -> None:
    reader = TapeReader(9)
    reader.read(piece(9, 0, 87) + SILENCE * 73 + piece(9, 87, 160))
    assert wrongs(reader) == (0, 0, 0, 73)
    assert reader.position == 247


def test_a_voice_from_another_call_is_found_out() -> None:
    reader = TapeReader(origin_of(1))
    reader.read(piece(origin_of(2), 0, 160))
    assert reader.lost + reader.repeated + reader.foreign > 0


def test_bytes_from_nowhere_are_foreign() -> None:
    reader = TapeReader(0)
    reader.read(b"\x00" * 160)
    assert wrongs(reader) == (0, 0, 160, 0)
    assert reader.position == 0


def test_the_tape_goes_round() -> None:
    at = TAPE_BYTES - 10
    assert piece(0, at, 20) == piece(at, 0, 10) + piece(0, 0, 10)
    assert SILENCE not in piece(0, 0, TAPE_BYTES)
    with pytest.raises(ValueError, match="at most"):
        piece(0, 0, TAPE_BYTES + 1)


def test_the_first_bytes_tell_the_calls_apart() -> None:
    openings = {opening(origin_of(number)) for number in range(5_000)}
    assert len(openings) == 5_000


def test_a_call_is_recognised_behind_leading_silence() -> None:
    origin = origin_of(77)
    assert opening_of(SILENCE * 160 + piece(origin, 0, 160)) == opening(origin)
    assert opening_of(SILENCE * 160) == b""
