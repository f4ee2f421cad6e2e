"""What the caller heard stands where and as long as it was heard; what was cut is nowhere."""

from app.bridge.recorder_tracks import BotSide, Sent, Track
from app.call.generation import Generation
from telecodecs import ULAW_SILENCE

A, B = b"A" * 800, b"B" * 800
"""100 ms each."""


def quiet(ms: int) -> bytes:
    return ULAW_SILENCE * (8 * ms)


def generation(number: int = 1, *, played: int = 0, at_ms: int = 1_000) -> Generation:
    """Its first byte played at `at_ms` of the carrier's clock, and so much is known to have."""
    made = Generation(number)
    made.clock.restarted(0, at_ms - 10, at_ms - 10)
    if played:
        made.clock.played(played, at_ms + played // 8, at_ms + played // 8)
    return made


def on(track: Track) -> bytes:
    return track.take(track.end)


def test_a_track_is_silent_where_nothing_was_put() -> None:
    track = Track()
    track.put(80, b"x" * 8)
    assert track.take(40) == quiet(5)
    assert track.take(100) == quiet(5) + b"x" * 8 + ULAW_SILENCE * 12
    assert track.take(100) == b""


def test_what_comes_too_late_is_lost_and_later_sound_covers_earlier() -> None:
    track = Track()
    track.take(80)
    track.put(72, b"1" * 16)
    track.put(84, b"2" * 8)
    assert on(track) == b"1111" + b"2" * 8


def test_pieces_stand_where_the_carrier_played_them() -> None:
    track = Track()
    side, spoken = BotSide(track), generation(played=1_600)
    side.sent(Sent(spoken, 0, A, 0))
    side.sent(Sent(spoken, 800, B, 0))
    side.settle(zero_ms=100, skew_ms=500)
    assert on(track) == quiet(1_000 - 500 - 100) + A + B


def test_a_piece_waits_until_the_carrier_says_that_it_was_played() -> None:
    track = Track()
    side, spoken = BotSide(track), generation(played=800)
    side.sent(Sent(spoken, 0, A, 0))
    side.sent(Sent(spoken, 800, B, 0))
    side.settle(0, 1_000)
    assert on(track) == A
    spoken.clock.played(1_600, 1_200, 1_200)
    side.settle(0, 1_000)
    assert on(track) == B


def test_what_was_cut_ends_where_it_was_heard_to() -> None:
    track = Track()
    side, spoken = BotSide(track), generation(played=800)
    for start, ulaw in ((0, A), (800, B), (1_600, A)):
        side.sent(Sent(spoken, start, ulaw, 0))
    spoken.sent = 2_400
    spoken.settle("unsent", 1_000)
    side.settle(0, 1_000)
    assert on(track) == A + B[:200]
    side.settle_by_clock(0, 100_000)
    assert on(track) == b""


def test_two_runs_keep_their_distance_and_never_overlap() -> None:
    track = Track()
    side = BotSide(track)
    first, second = generation(played=800), generation(2, played=800, at_ms=1_300)
    early = generation(3, played=800, at_ms=1_350)
    for spoken in (first, second, early):
        side.sent(Sent(spoken, 0, A, 0))
    side.settle(0, 1_000)
    assert on(track) == A + quiet(200) + A + A


def test_what_is_never_confirmed_stands_where_our_own_clock_has_it() -> None:
    track = Track()
    side, spoken = BotSide(track), Generation(1)
    side.sent(Sent(spoken, 0, A, 700))
    side.settle(0, 1_000)
    assert track.end == 0
    side.settle_by_clock(200, before=4_000)
    assert track.end == 0, "it is not late yet"
    side.settle_by_clock(200, before=4_001)
    assert on(track) == quiet(500) + A
