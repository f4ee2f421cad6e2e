"""A worker carries no more calls than it may, a call that was let in keeps its seat, and how a call
ended is known when the carrier asks."""

from collections.abc import Callable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from app.bridge import switchboard
from app.bridge.call_bridge import CallBridge
from app.bridge.switchboard import ASKED_WITHIN_S, SEAT_S, Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason

HUNG_UP = EndCall(EndReason.CALLER_HUNG_UP)
LOST = EndCall(EndReason.CARRIER_LOST)


class Call:
    """As much of a call as a switchboard sees."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.closed: list[tuple[str, str]] = []
        self.hung_up: list[str] = []

    def hang_up(self, by: str) -> None:
        self.hung_up.append(by)

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


def test_there_is_no_room_while_the_loop_is_late_and_for_a_while_after() -> None:
    lag_ms = 0.0
    board = Switchboard(10, lag_ms=lambda: lag_ms, max_lag_ms=200)
    assert board.no_room == ""
    for lag_ms, why in ((200, ""), (201, "lag"), (101, "lag"), (100, ""), (199, "")):  # noqa: B007
        assert board.no_room == why
    lag_ms = 201
    assert not board.offer("CA1")
    assert board.takes_streams, "a stream that was let in elsewhere has no better place"


def test_why_there_is_no_room_is_said_the_weightiest_reason_first() -> None:
    board = Switchboard(1, lag_ms=lambda: 1_000.0, max_lag_ms=200)
    told: list[str] = [board.no_room]
    board.connected(Call("CA1").bridge)
    told.append(board.no_room)
    board.draining = True
    told.append(board.no_room)
    assert told == ["lag", "calls", "draining"]


def test_a_draining_worker_still_takes_the_streams_that_it_let_in() -> None:
    board = Switchboard(2)
    assert board.offer("CA1")
    board.draining = True
    assert board.takes_streams
    board.connected(Call("CA1").bridge)
    assert not board.takes_streams


def test_a_call_in_progress_whose_stream_will_come_again_goes_before_new_ones() -> None:
    board = Switchboard(1)
    board.draining = True
    board.keep_seat("CA1")
    assert board.takes_streams
    assert not board.offer("CA2")


def test_moving_ends_every_stream_as_drained_and_lets_nobody_in() -> None:
    board = Switchboard(5)
    calls = [Call("CA1"), Call("CA2")]
    for call in calls:
        board.connected(call.bridge)
    board.offer("CA3")
    assert not board.alone_and_leaving
    board.move_calls()
    assert [call.hung_up for call in calls] == [["drain"], ["drain"]]
    assert not board.takes_streams
    assert board.alone_and_leaving


def test_the_carriers_question_is_waited_for_unless_the_caller_has_gone() -> None:
    clock = Clock()
    board = Switchboard(5, clock)
    for number, end in enumerate((HUNG_UP, LOST, LOST)):
        call = Call(f"CA{number}")
        board.connected(call.bridge)
        board.ended(call.bridge, end)
    assert board.unasked == 2
    assert board.ending_of("CA1") == LOST
    assert board.unasked == 1
    clock.now_s += ASKED_WITHIN_S + 0.1
    assert board.unasked == 0


class House:
    """A fleet whose other workers a test plays."""

    def __init__(self) -> None:
        self.free: int | None = 5
        self.beside = 1
        self.posted: dict[str, int] = {}
        self.seen: set[str] = set()

    def free_seats(self) -> int | None:
        return self.free

    def others(self) -> int:
        return self.beside

    def post(self, **told: int) -> None:
        self.posted = told

    def arrived(self, call_id: str) -> None:
        self.seen.add(call_id)

    def arrivals(self) -> Callable[[str], bool]:
        return self.seen.__contains__


def test_the_fleets_free_seats_decide_not_this_workers() -> None:
    house = House()
    board = Switchboard(1, fleet=house)
    board.connected(Call("CA0").bridge)
    assert board.no_room == "calls"
    assert board.offer("CA1"), "another worker has a seat, and the stream may go there"
    house.free = 0
    assert not Switchboard(10, fleet=house).offer("CA2")
    house.free = None
    assert Switchboard(10, fleet=house).offer("CA2"), "nobody can say, so this worker's own do"


def test_a_seat_is_given_back_when_the_stream_has_come_to_another_worker() -> None:
    house = House()
    board = Switchboard(2, fleet=house)
    board.offer("CA1")
    assert house.posted["offered"] == 1
    house.seen.add("CA1")
    board.tell_fleet()
    assert house.posted == {"calls": 0, "offered": 0, "seats": 2, "draining": False}


def test_the_fleet_is_told_each_change() -> None:
    house = House()
    board = Switchboard(2, fleet=house)
    call = Call("CA1")
    board.connected(call.bridge)
    assert (house.posted["calls"], house.posted["seats"]) == (1, 1)
    assert house.seen == {"CA1"}
    board.ended(call.bridge, HUNG_UP)
    assert (house.posted["calls"], house.posted["seats"]) == (0, 2)
    board.draining = True
    assert (house.posted["draining"], house.posted["seats"]) == (True, 0)
    board.move_calls()
    assert not board.alone_and_leaving
    house.beside = 0
    assert board.alone_and_leaving


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


def test_no_stream_comes_in_beyond_the_limit_seat_or_not() -> None:
    board = Switchboard(2)
    board.offer("CA3")
    for number in range(2):
        assert board.takes_streams
        board.connected(Call(f"CA{number}").bridge)
    assert not board.takes_streams
