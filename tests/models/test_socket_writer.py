"""Invariant: writes keep one order, never wait, and end in a stall when the peer stops reading.

The peer is a real WebSocket server that stops reading, so the back pressure is TCP's own.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve

from app.models.socket_writer import REQUIRED, SocketWriter

CHUNK = b"x" * 60_000
"""More than the transport's write limit, so that a peer that does not read pauses it."""


@dataclass
class Peer:
    """A server that reads only while `reading` is set."""

    reading: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[str | bytes] = field(default_factory=list)
    stalls: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    stalled: asyncio.Event = field(default_factory=asyncio.Event)

    def on_stalled(self, reason: str) -> None:
        self.stalls.append(reason)
        self.stalled.set()

    async def handle(self, socket: ServerConnection) -> None:
        while True:
            await self.reading.wait()
            message = await socket.recv()
            async with self.changed:
                self.received.append(message)
                self.changed.notify_all()


@asynccontextmanager
async def line(
    *, stall_s: float = 10, queue_limit_bytes: int = 50_000_000
) -> AsyncIterator[tuple[Peer, SocketWriter, ClientConnection]]:
    peer = Peer()
    async with serve(peer.handle, "127.0.0.1", 0, max_queue=1, close_timeout=0.1) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        socket = await connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None)
        writer = SocketWriter(
            socket,
            stall_s=stall_s,
            queue_limit_bytes=queue_limit_bytes,
            on_stalled=peer.on_stalled,
        )
        try:
            yield peer, writer, socket
        finally:
            peer.reading.set()
            await writer.abort()


async def until_received(peer: Peer, count: int) -> None:
    async with asyncio.timeout(60), peer.changed:
        await peer.changed.wait_for(lambda: len(peer.received) >= count)


async def fill(writer: SocketWriter, socket: ClientConnection) -> int:
    """Write until TCP takes no more and messages wait; returns how many were written."""
    count = 0
    while not writer.queued_bytes:
        writer.write(CHUNK)
        count += 1
        await asyncio.sleep(0)
    return count


def test_the_installed_websockets_has_what_this_module_reaches_for() -> None:
    assert int(version("websockets").split(".")[0]) == 15
    source = inspect.getsource(Connection)
    for name in REQUIRED:
        assert f"self.{name}" in source, f"websockets {version('websockets')} has no {name}"
    assert inspect.iscoroutinefunction(Connection.drain)


async def test_a_connection_with_compression_is_refused_at_once() -> None:
    peer = Peer()
    peer.reading.set()
    async with serve(peer.handle, "127.0.0.1", 0) as listener:
        port = next(iter(listener.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as socket:
            with pytest.raises(AssertionError, match="compression=None"):
                SocketWriter(socket, stall_s=1, queue_limit_bytes=1, on_stalled=print)


async def test_a_message_leaves_at_once_as_a_text_frame() -> None:
    async with line() as (peer, writer, _socket):
        peer.reading.set()
        writer.write("grüß".encode())
        assert writer.queued_bytes == 0
        await until_received(peer, 1)
        assert peer.received == ["grüß"]


async def test_what_waits_keeps_its_order_with_what_comes_later() -> None:
    async with line() as (peer, writer, socket):
        count = await fill(writer, socket)
        for number in range(50):
            writer.write(f"{number}".encode())
        assert writer.queued_bytes > 0
        peer.reading.set()
        await until_received(peer, count + 50)
        assert peer.received[count:] == [f"{number}" for number in range(50)]
        assert all(message == CHUNK.decode() for message in peer.received[:count])
        assert writer.queued_bytes == 0
        assert writer.queued_max_bytes >= len(CHUNK)
        assert peer.stalls == []


async def test_a_write_at_the_moment_of_resuming_does_not_overtake_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with line() as (peer, writer, socket):
        count = await fill(writer, socket)
        writer.write(b"first")
        resume = socket.resume_writing
        late: list[bool] = []

        def resume_and_write() -> None:
            resume()
            if not late:
                late.append(writer.queued_bytes > 0 and not socket.paused)
                writer.write(b"second")

        monkeypatch.setattr(socket, "resume_writing", resume_and_write)
        peer.reading.set()
        await until_received(peer, count + 2)
        assert late == [True], "the write met the moment that this test is about"
        assert peer.received[count:] == ["first", "second"]


async def test_a_peer_that_takes_nothing_is_reported_once_after_the_stall_time() -> None:
    async with line(stall_s=0.1) as (peer, writer, socket):
        await fill(writer, socket)
        async with asyncio.timeout(60):
            await peer.stalled.wait()
        writer.write(CHUNK)
        await asyncio.sleep(0)
        assert peer.stalls == ["the server took nothing for 0.1 s: stalled"]
        assert writer.queued_bytes == 0


async def test_more_waiting_than_the_limit_is_a_stall_at_once() -> None:
    async with line(queue_limit_bytes=len(CHUNK)) as (peer, writer, socket):
        await fill(writer, socket)
        writer.write(CHUNK)
        writer.write(CHUNK)
        assert peer.stalls == [f"{len(CHUNK)} bytes wait for the server to read: stalled"]


async def test_a_peer_that_vanishes_while_messages_wait_is_left_to_the_reader() -> None:
    async with line() as (peer, writer, socket):
        await fill(writer, socket)
        socket.transport.abort()
        await socket.wait_closed()
        await asyncio.sleep(0)
        writer.write(CHUNK)
        assert peer.stalls == []


async def test_stopping_drops_what_waits_and_what_comes() -> None:
    async with line() as (peer, writer, socket):
        count = await fill(writer, socket)
        writer.stop()
        writer.write(b"late")
        assert writer.queued_bytes == 0
        peer.reading.set()
        await until_received(peer, count - 1)
        await asyncio.sleep(0.05)
        assert "late" not in peer.received


@pytest.mark.parametrize("times", [1, 2])
async def test_aborting_leaves_no_task_behind(times: int) -> None:
    before = asyncio.all_tasks()
    async with line() as (_peer, writer, socket):
        await fill(writer, socket)
        for _ in range(times):
            await writer.abort()
        await socket.wait_closed()
    assert {task for task in asyncio.all_tasks() - before if "_flush" in repr(task)} == set()


async def test_each_run_is_on_the_loop_that_it_names(request: pytest.FixtureRequest) -> None:
    running = type(asyncio.get_running_loop()).__module__.split(".")[0]
    assert f"[{running}]" in request.node.name
