"""The log answers what was heard when, to the byte, and the same both ways round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.phone.sound import any_audio
from app.lab.phone.truth import Played


def log(frames: list[bytes | None], first_ms: int = 0) -> Played:
    played = Played(first_ms)
    for tick, frame in enumerate(frames):
        played.tick(frame, float(tick))
    return played


def test_positions_count_heard_bytes_and_stand_still_in_silence() -> None:
    played = log([None, b"a" * 160, b"b" * 80, None, b"c" * 160])
    instants = (0, 20, 25, 40, 45, 55, 60, 80, 90, 100, 500)
    at = [played.position_at(at_ms) for at_ms in instants]
    assert at == [0, 0, 40, 160, 200, 240, 240, 240, 320, 400, 400]


def test_bytes_between_two_instants_leave_silence_out() -> None:
    played = log([b"a" * 160, None, b"b" * 160])
    assert played.bytes_between(10, 50) == b"a" * 80 + b"b" * 80


def test_the_axis_begins_at_the_streams_first_timestamp() -> None:
    played = log([b"a" * 160, b"b" * 160], first_ms=59)
    assert played.carrier_ms(1) == 79
    assert played.position_at(59) == 0
    assert played.heard_at(160) == 79


def test_the_end_of_what_was_heard() -> None:
    assert log([None, None]).last_heard_ms is None
    played = log([b"a" * 160, b"b" * 40, None, b"c" * 160, None])
    assert played.last_heard_ms == 80
    assert played.last_heard_before(60) == 25
    assert played.last_heard_before(-5) is None


def test_audio_is_what_sounded_with_silence_filled_in() -> None:
    assert log([b"a" * 40, None]).audio() == b"a" * 40 + b"\xff" * 280


def test_a_byte_that_was_never_heard_has_no_instant() -> None:
    with pytest.raises(IndexError, match="not 160"):
        log([b"a" * 160]).heard_at(160)


def test_the_bot_was_heard_in_spans_that_short_pauses_do_not_break() -> None:
    loud, faint = b"\x10" * 160, b"\xff" * 160
    played = log([None, loud, faint, loud[:80], *[None] * 15, loud, loud, None], first_ms=59)
    first, second = played.heard_spans()
    assert (first.from_ms, first.to_ms) == (79, 59 + 70)
    assert (first.first_position, first.end_position) == (0, 400)
    assert (second.from_ms, second.to_ms) == (59 + 380, 59 + 420)
    assert (second.first_position, second.end_position) == (400, 720)
    assert len(played.heard_spans(pause_ms=20)) == 3
    assert len(played.heard_spans(hears=any_audio, pause_ms=20)) == 2
    assert log([None, faint]).heard_spans() == []


@given(st.lists(st.integers(0, 160), min_size=1, max_size=40))
def test_the_instant_of_a_byte_and_the_position_at_an_instant_agree(sizes: list[int]) -> None:
    played = log([b"x" * size or None for size in sizes])
    for position in range(0, played.position, 37):
        assert played.position_at(played.heard_at(position)) == position
