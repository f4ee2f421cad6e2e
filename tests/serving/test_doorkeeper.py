"""Who shares a socket shares its connections: the idlest takes the next one, a full or leaving
worker leaves it to the others, and nobody who knocks goes unanswered while one worker is there."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator

import pytest

from app.serving.board import Board, Seat, new_board
from app.serving.doorkeeper import Doorkeeper


class Greeter(asyncio.Protocol):
    """Says its worker's number and keeps the connection."""

    def __init__(self, worker: "Worker") -> None:
        self.worker = worker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.worker.transports.append(transport)
        transport.write(b"%d" % self.worker.number)


class Worker:
    """A door and what it needs, at a socket that others may have too."""

    def __init__(self, number: int, listener: socket.socket, seat: Seat | None) -> None:
        self.number = number
        self.seat = seat
        self.transports: list[asyncio.Transport] = []
        self.leaving = False
        self.full = False
        self.door = Doorkeeper(
            listener.dup(),
            lambda: Greeter(self),
            load=lambda: len(self.transports),
            leaving=lambda: self.leaving,
            full=lambda: self.full,
            others=seat,
        )
        self.post()
        self.door.open()

    def post(self) -> None:
        if self.seat is not None:
            seats = 0 if self.full or self.leaving else 100
            self.seat.post(calls=0, offered=0, seats=seats, draining=self.leaving)

    async def close(self) -> None:
        self.door.close()
        await self.door.wait_closed()
        for transport in self.transports:
            transport.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=200) as made:
        made.setblocking(False)
        yield made


@contextlib.asynccontextmanager
async def house(listener: socket.socket, size: int) -> AsyncIterator[list[Worker]]:
    fd = new_board()
    board = Board(fd)
    os.close(fd)
    workers = [Worker(number, listener, board.seat(number)) for number in range(size)]
    try:
        yield workers
    finally:
        for worker in workers:
            await worker.close()


async def knock(listener: socket.socket) -> int:
    """The number of the worker that opened."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    try:
        async with asyncio.timeout(60):
            return int(await reader.readexactly(1))
    finally:
        writer.transport.abort()


async def test_a_lone_worker_takes_everything(listener: socket.socket) -> None:
    worker = Worker(7, listener, None)
    assert [await knock(listener) for _ in range(5)] == [7] * 5
    worker.leaving = worker.full = True
    assert await knock(listener) == 7, "nobody else would answer"
    assert worker.door.answers
    await worker.close()
    assert not worker.door.answers


async def test_sixty_connections_are_spread_over_three_workers(listener: socket.socket) -> None:
    async with house(listener, 3) as workers:
        for _ in range(60):
            await knock(listener)
        assert sum(worker.door.accepted for worker in workers) == 60
        assert [17 <= len(worker.transports) <= 23 for worker in workers] == [True] * 3


async def test_a_burst_of_connections_is_spread_too(listener: socket.socket) -> None:
    async with house(listener, 3) as workers:
        await asyncio.gather(*(knock(listener) for _ in range(60)))
        assert [12 <= len(worker.transports) <= 28 for worker in workers] == [True] * 3


async def test_a_full_worker_leaves_it_to_the_others_and_answers_when_all_are_full(
    listener: socket.socket,
) -> None:
    async with house(listener, 2) as workers:
        workers[0].full = True
        workers[0].post()
        assert [await knock(listener) for _ in range(6)] == [1] * 6
        workers[1].full = True
        workers[1].post()
        assert {await knock(listener) for _ in range(6)} <= {0, 1}


async def test_a_leaving_worker_opens_only_when_nobody_else_is_there(
    listener: socket.socket,
) -> None:
    async with house(listener, 2) as workers:
        workers[0].leaving = True
        workers[0].post()
        assert not workers[0].door.answers
        assert [await knock(listener) for _ in range(4)] == [1] * 4
        workers[1].leaving = True
        workers[1].post()
        assert workers[0].door.answers
        assert await knock(listener) in (0, 1)


async def test_a_closed_door_leaves_the_socket_to_the_others(listener: socket.socket) -> None:
    async with house(listener, 2) as workers:
        workers[0].door.close()
        assert [await knock(listener) for _ in range(4)] == [1] * 4


class Broken:
    """A listening socket of a process that has no file descriptors left, for a while."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.refusals = 2
        self.asked = 0

    def accept(self) -> object:
        self.asked += 1
        if self.refusals:
            self.refusals -= 1
            raise OSError(24, "Too many open files")
        return self.listener.accept()

    def fileno(self) -> int:
        return self.listener.fileno()

    def setblocking(self, blocking: bool) -> None:
        self.listener.setblocking(blocking)

    def close(self) -> None:
        self.listener.close()


async def test_a_refusing_system_is_asked_again_after_a_pause(
    listener: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(listener.dup())
    worker = Worker.__new__(Worker)
    worker.number, worker.transports = 3, []
    door = Doorkeeper(
        broken,  # type: ignore[arg-type]
        lambda: Greeter(worker),
        load=lambda: 0,
        leaving=lambda: False,
        full=lambda: False,
    )
    door.open()
    assert await knock(listener) == 3
    assert broken.asked == 3
    assert [record.message for record in caplog.records] == ["no connection accepted"] * 2
    door.close()
    await door.wait_closed()
    for transport in worker.transports:
        transport.close()
