"""Every worker sees the others' newest numbers, a seat is free only once, and who has left does not
count."""

import os

import pytest

from app.serving.board import MOST_WORKERS, SLOTS, Board, new_board


@pytest.fixture
def board() -> Board:
    fd = new_board()
    made = Board(fd)
    os.close(fd)  # what is mapped stays
    return made


def test_free_seats_are_counted_over_all_workers_less_those_that_are_kept(board: Board) -> None:
    first, second = board.seat(0), board.seat(SLOTS - 1)
    assert first.free_seats() == 0
    first.post(calls=2, offered=1, seats=3, draining=False)
    second.post(calls=0, offered=1, seats=5, draining=False)
    assert first.free_seats() == second.free_seats() == 6
    second.post(calls=0, offered=7, seats=5, draining=False)
    assert first.free_seats() == 0, "never below nothing"


def test_a_worker_that_drains_has_no_seats_but_its_offers_still_need_some(board: Board) -> None:
    first, second = board.seat(3), board.seat(4)
    first.post(calls=1, offered=0, seats=4, draining=False)
    second.post(calls=1, offered=2, seats=9, draining=True)
    assert first.free_seats() == 2
    assert first.others() == 0
    assert second.others() == 1


def test_who_is_dead_does_not_count(board: Board) -> None:
    first, second = board.seat(0), board.seat(1)
    first.post(calls=0, offered=0, seats=4, draining=False)
    second.post(calls=3, offered=2, seats=9, draining=False)
    second.arrived("CA1")
    assert board.calls(1) == 3
    board.clear(1)
    assert first.free_seats() == 4
    assert first.others() == 0
    assert not first.arrivals()("CA1")


def test_a_stream_that_came_to_any_worker_is_known_to_all(board: Board) -> None:
    first, second = board.seat(0), board.seat(1)
    for seat in (first, second):
        seat.post(calls=0, offered=0, seats=4, draining=False)
    for number in range(400):
        second.arrived(f"CA{number}")
    arrived = first.arrivals()
    assert arrived("CA399")
    assert arrived("CA200")
    assert not arrived("CA0"), "only the newest are remembered"
    assert not arrived("CA400")


def test_loads_are_compared_with_those_who_have_seats(board: Board) -> None:
    seats = [board.seat(slot) for slot in range(3)]
    assert seats[0].least_load_of_others() is None
    for load, seat in enumerate(seats):
        seat.post(calls=load, offered=0, seats=0 if load == 1 else 5, draining=False)
        seat.post_load(load)
    assert seats[0].least_load_of_others() == 2
    assert seats[2].least_load_of_others() == 0


def test_a_rolling_restart_finds_a_slot_for_each_new_worker() -> None:
    assert SLOTS >= 2 * MOST_WORKERS
