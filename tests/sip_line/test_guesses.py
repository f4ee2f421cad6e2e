"""Invariant: who has guessed wrong too often is not looked at until a minute has gone by; nobody
else is kept out with it, and not more is remembered than there is room for."""

from app.sip_line.guesses import MOST_HOSTS, MOST_WRONG, WINDOW_S, Guesses


def test_ten_wrong_ones_within_a_minute_are_too_many() -> None:
    guesses = Guesses()
    for second in range(MOST_WRONG):
        assert not guesses.too_many("192.0.2.1", second)
        guesses.add("192.0.2.1", second)
    assert guesses.too_many("192.0.2.1", WINDOW_S - 1)
    assert not guesses.too_many("192.0.2.2", WINDOW_S - 1)
    assert not guesses.too_many("192.0.2.1", WINDOW_S)


def test_not_more_is_remembered_than_there_is_room_for() -> None:
    guesses = Guesses()
    for number in range(2 * MOST_HOSTS):
        guesses.add(f"host-{number}", 0.0)
    assert len(guesses._wrong) == MOST_HOSTS
