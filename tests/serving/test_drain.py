"""A drain waits for calls to end by themselves, moves what is left when the time is over or when
told again, and waits for what still comes only while it would reach this worker."""

import asyncio
from typing import cast

import pytest

from app.bridge.call_bridge import CallBridge
from app.bridge.switchboard import Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.serving import drain as module
from app.serving.drain import drain

LONG_S = 3_600.0


class Call:
    """Ends when it was asked to move so many times."""

    def __init__(self, board: Switchboard, call_id: str, *, asks: int = 1) -> None:
        self.call_id = call_id
        self._board = board
        self._asks = asks
        self.moved = False
        board.connected(self.bridge)

    @property
    def bridge(self) -> CallBridge:
        return cast(CallBridge, self)

    def hang_up(self, by: str) -> None:
        assert by == "drain"
        self.moved = True
        self._asks -= 1
        if not self._asks:
            self.end(EndReason.DRAINED)

    def end(self, reason: EndReason) -> None:
        self._board.ended(self.bridge, EndCall(reason))


def begun(
    board: Switchboard, drain_s: float, answers: bool = False
) -> tuple["asyncio.Task[None]", asyncio.Event]:
    again = asyncio.Event()
    return asyncio.create_task(drain(board, drain_s, again, lambda: answers)), again


async def gone(task: "asyncio.Task[None]") -> None:
    await asyncio.wait_for(task, 60)


async def test_without_calls_it_is_over_at_once() -> None:
    board = Switchboard(5)
    task, _ = begun(board, LONG_S)
    await gone(task)
    assert board.draining


async def test_calls_end_by_themselves_as_long_as_there_is_time() -> None:
    board = Switchboard(5)
    call = Call(board, "CA1")
    task, _ = begun(board, LONG_S)
    await asyncio.sleep(0.05)
    assert board.draining
    assert not task.done()
    call.end(EndReason.CALLER_HUNG_UP)
    await gone(task)
    assert not call.moved


async def test_calls_that_are_left_are_moved_when_the_time_is_over() -> None:
    board = Switchboard(5)
    calls = [Call(board, "CA1"), Call(board, "CA2")]
    task, _ = begun(board, 0.05)
    await gone(task)
    assert [call.moved for call in calls] == [True, True]


async def test_told_again_it_moves_calls_at_once() -> None:
    board = Switchboard(5)
    call = Call(board, "CA1")
    task, again = begun(board, LONG_S)
    await asyncio.sleep(0.05)
    again.set()
    await gone(task)
    assert call.moved


async def test_a_call_that_does_not_move_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOVE_S", 0.1)
    board = Switchboard(5)
    call = Call(board, "CA1", asks=9)
    task, _ = begun(board, 0)
    await gone(task)
    assert call.moved


async def test_a_call_without_a_quiet_moment_is_moved_as_it_stands_in_the_end() -> None:
    board = Switchboard(5)
    call = Call(board, "CA1", asks=2)
    task, _ = begun(board, 0.1)
    await gone(task)
    assert call.moved
    assert board.ending_of("CA1") == EndCall(EndReason.DRAINED)


async def test_streams_to_come_are_waited_for_where_they_would_come() -> None:
    board = Switchboard(5)
    board.offer("CA1")
    elsewhere, _ = begun(board, LONG_S, answers=False)
    await gone(elsewhere)
    board.keep_seat("CA1")
    here, _ = begun(board, LONG_S, answers=True)
    await asyncio.sleep(0.05)
    assert not here.done()
    board.withdraw("CA1")
    await gone(here)


async def test_the_question_what_comes_next_is_waited_for_where_it_would_come() -> None:
    board = Switchboard(5)
    Call(board, "CA1")
    here, _ = begun(board, 0, answers=True)
    await asyncio.sleep(0.1)
    assert not here.done()
    assert board.ending_of("CA1") == EndCall(EndReason.DRAINED)
    await gone(here)


async def test_what_is_owed_to_calls_is_done_before_the_worker_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as hanging up where the carrier does not see it from our socket; but not for ever."""
    board, done = Switchboard(5), asyncio.Event()
    board.owes(asyncio.ensure_future(done.wait()))
    task, _ = begun(board, 0.0)
    await asyncio.sleep(0.1)
    assert not task.done()
    done.set()
    await gone(task)

    monkeypatch.setattr(module, "OWED_S", 0.1)
    never = asyncio.ensure_future(asyncio.Event().wait())
    board.owes(never)
    task, _ = begun(board, 0.0)
    await gone(task)
    never.cancel()
