"""Invariant: a worker that does not read keeps nobody waiting and gets no old sound; one that
cannot be reached is said to be away, in a word that names no address."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from app.sip_line.worker import MOST_FRAMES_WAITING, WorkerAwayError, WorkerSocket
from tests.sip_line.worker import open_worker


async def opened(url: str, user: str = "") -> WorkerSocket:
    return await WorkerSocket.open(url, user, "word", 5.0, "sip-line")


async def test_sound_for_a_worker_that_does_not_read_is_dropped() -> None:
    over = asyncio.Event()

    async def deaf(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await over.wait()
        socket.transport.abort()

    async with serve(deaf, "127.0.0.1", 0, subprotocols=[Subprotocol("media")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        worker = await opened(f"ws://127.0.0.1:{port}/")
        running = asyncio.create_task(worker.run(lambda _message: None))
        for _ in range(600):
            for _ in range(50):
                worker.hear(bytes(160))
            await asyncio.sleep(0)
        assert worker._frames_waiting == MOST_FRAMES_WAITING
        worker.tell("a control message is never dropped")
        assert worker._outgoing.qsize() == MOST_FRAMES_WAITING + 1
        over.set()
        async with asyncio.timeout(60):
            await running
        await worker.close()


async def test_what_is_told_and_heard_comes_in_order() -> None:
    async with open_worker() as server:
        worker = await opened(server.url, "bot")
        running = asyncio.create_task(worker.run(lambda _message: None))
        worker.tell('{"event":"MEDIA_START","channel_variables":{}}')
        for n in range(5):
            worker.hear(bytes([n]) * 160)
        await server.has_calls(1)
        await server.calls[0].until(lambda: len(server.calls[0].heard) == 800)
        await worker.close()
        await running
        await server.calls[0].over()
        assert server.calls[0].heard == b"".join(bytes([n]) * 160 for n in range(5))
        assert server.calls[0].close_code == 1000
        assert server.authorization == ["bot:word"]


async def test_a_worker_that_is_away_is_called_so() -> None:
    with pytest.raises(WorkerAwayError, match=r"^ConnectionRefusedError$"):
        await opened("ws://127.0.0.1:9/")
    async with open_worker(subprotocol="other") as server:
        with pytest.raises(WorkerAwayError):
            await opened(server.url)
