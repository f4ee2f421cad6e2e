"""A worker carries no more calls than it may, a call that was let in keeps its seat, and how a call
ended is known when the carrier asks."""

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from app.bridge import switchboard
from app.bridge.call_bridge import CallBridge
from app.bridge.switchboard import SEAT_S, Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason

HUNG_UP = EndCall(EndReason.CALLER_HUNG_UP)
LOST = EndCall(EndReason.CARRIER_LOST)


class Call:
    """As much of a call as a switchboard sees."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.closed: list[tuple[str, str]] = []

    def carrier_closed(self, cause: str, detail: str) -> None:
        self.closed.append((cause, detail))

    @property
    def bridge(self) -> CallBridge:
        return cast(CallBridge, self)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_call_n_plus_one_is_refused_until_one_has_ended() -> None:
    board = Switchboard(2)
    first, second = Call("CA1"), Call("CA2")
    for call in (first, second):
        assert board.offer(call.call_id)
        board.connected(call.bridge)
    assert not board.has_room
    assert not board.offer("CA3")
    board.ended(first.bridge, HUNG_UP)
    assert board.offer("CA3")


def test_calls_that_come_at_once_are_counted_before_their_streams_open() -> None:
    board = Switchboard(3)
    assert [board.offer(f"CA{n}") for n in range(5)] == [True, True, True, False, False]
    assert not board.has_room


def test_a_call_that_asks_again_has_its_seat_already() -> None:
    board = Switchboard(1)
    assert board.offer("CA1")
    assert board.offer("CA1")
    assert not board.offer("CA2")


def test_a_seat_that_nobody_takes_is_free_after_a_while() -> None:
    clock = Clock()
    board = Switchboard(1, clock)
    assert board.offer("CA1")
    clock.now_s += SEAT_S - 0.1
    assert not board.offer("CA2")
    clock.now_s += 0.2
    assert board.offer("CA2")


def test_a_call_that_ended_before_its_stream_came_gives_its_seat_back() -> None:
    board = Switchboard(1)
    board.offer("CA1")
    board.withdraw("CA1")
    board.withdraw("CA1")
    assert board.has_room


def test_a_stream_takes_the_seat_of_its_own_call() -> None:
    board = Switchboard(2)
    board.offer("CA1")
    board.connected(Call("CA1").bridge)
    assert board.has_room
    assert len(board) == 1


def test_a_draining_worker_takes_no_call() -> None:
    board = Switchboard(10)
    board.draining = True
    assert not board.has_room
    assert not board.offer("CA1")


def test_a_second_stream_of_a_call_replaces_the_first() -> None:
    board = Switchboard(10)
    older, newer = Call("CA1"), Call("CA1")
    board.connected(older.bridge)
    board.connected(newer.bridge)
    assert [cause for cause, _ in older.closed] == ["lost"]
    assert newer.closed == []
    board.ended(older.bridge, LOST)
    assert board.is_connected("CA1"), "the end of the older stream is not the end of the call"
    assert board.ending_of("CA1") is None
    board.ended(newer.bridge, HUNG_UP)
    assert board.ending_of("CA1") == HUNG_UP
    assert board.total == 2


def test_only_so_many_endings_are_kept() -> None:
    board = Switchboard(10)
    for number in range(switchboard.MAX_ENDINGS + 1):
        call = Call(f"CA{number}")
        board.connected(call.bridge)
        board.ended(call.bridge, HUNG_UP)
    assert board.ending_of("CA0") is None
    assert board.ending_of("CA1") == HUNG_UP
    assert board.ending_of(f"CA{switchboard.MAX_ENDINGS}") == HUNG_UP


@given(st.lists(st.tuples(st.sampled_from("oce"), st.integers(0, 7)), max_size=60))
def test_never_more_calls_than_allowed_when_each_was_offered_first(
    steps: list[tuple[str, int]],
) -> None:
    board, let_in, running = Switchboard(3, Clock()), set[int](), dict[int, Call]()
    for step, number in steps:
        if step == "o" and number not in running:
            if board.offer(str(number)):
                let_in.add(number)
        elif step == "c" and number in let_in:
            let_in.discard(number)
            running[number] = Call(str(number))
            board.connected(running[number].bridge)
        elif step == "e" and number in running:
            board.ended(running.pop(number).bridge, HUNG_UP)
        assert len(board) == len(running)
        assert len(let_in) + len(running) <= 3
        assert board.has_room == (len(let_in) + len(running) < 3)
