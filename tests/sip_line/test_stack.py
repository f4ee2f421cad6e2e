"""Invariant: whatever a message breaks in sippy's parsers, nothing of it is printed or logged, no
transaction stays behind, and the next message is served; names of peers are looked up."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sippy.Core.EventDispatcher import ED2
from sippy.Time.Timeout import Timeout

from app.sip_line.stack import MOST_CANCELLED, Answer, SipStack

PRIVATE = "+15550100001"


def message(method: str, *, to: str = "<sip:100@127.0.0.1>", contact: str = "<sip:a@x>") -> bytes:
    lines = [
        f"{method} sip:100@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{method}",
        *(f"From: <sip:{PRIVATE}@127.0.0.1>;tag=1", f"To: {to}", "Call-ID: x"),
        *(f"CSeq: 1 {method}", f"Contact: {contact}", "Content-Length: 0", "", ""),
    ]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def stack_with(handler: Any) -> AsyncIterator[SipStack]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setblocking(False)
    listener.bind(("127.0.0.1", 0))
    stack = SipStack("127.0.0.1", handler)
    await stack.open(listener)
    try:
        yield stack
    finally:
        await stack.close()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
async def test_a_handler_that_breaks_leaves_nothing(
    method: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(request: Any, _transaction: Any) -> Answer:
        raise ValueError(str(request))

    async with stack_with(broken) as stack:
        for _ in range(3):
            stack._wire.datagram_received(message(method), ("127.0.0.1", 9))
        assert stack.manager.tserver == {}
    assert {record.getMessage() for record in caplog.records} == {
        "a SIP message could not be handled"
    }
    assert all(PRIVATE not in str(record.__dict__) for record in caplog.records)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "datagram",
    [
        message("INVITE", to="nothing"),
        message("INVITE").replace(b"Via:", b"Viaa:"),
        message("INVITE").replace(b"CSeq: 1", b"CSeq: one"),
        message("INVITE").replace(b"Content-Length: 0", b"Content-Length: 999"),
        b"SIP/2.0 99999 What\r\n" + message("INVITE").split(b"\r\n", 1)[1],
        b"SIP/2.0 200 OK\r\n" + message("INVITE").split(b"\r\n", 1)[1],
        b"\xff\xfe" * 40,
        bytes(200),
    ],
)
async def test_nothing_of_a_message_is_written(
    datagram: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    served = []

    def serve(request: Any, _transaction: Any) -> Answer:
        request.getHFBody("to").getTag()
        served.append(request.getMethod())
        return request.genResponse(403, "Forbidden"), None, None

    async with stack_with(serve) as stack:
        stack._wire.datagram_received(datagram, ("127.0.0.1", 9))
        stack._wire.datagram_received(message("OPTIONS"), ("127.0.0.1", 9))
        assert served == ["OPTIONS"]
    assert capfd.readouterr() == ("", "")
    assert all(PRIVATE not in str(record.__dict__) for record in caplog.records)


async def test_names_are_looked_up_and_strange_ones_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def none(_request: Any, _transaction: Any) -> Answer:
        return None

    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        async with stack_with(none) as stack, asyncio.timeout(60):
            stack._wire.send_to("hello", ("localhost", peer.getsockname()[1]))
            assert await loop.sock_recv(peer, 100) == b"hello"
            stack._wire.send_to("hello", ("no-such-host.invalid", 5060))
            while not caplog.records:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert [record.getMessage() for record in caplog.records] == [
        "a SIP peer's name has no address"
    ]


async def test_timers_that_were_cancelled_do_not_pile_up() -> None:
    def none(_request: Any, _transaction: Any) -> Answer:
        return None

    async with stack_with(none), asyncio.timeout(60):
        kept = Timeout(lambda: None, 300)
        for _ in range(MOST_CANCELLED + 1):
            Timeout(lambda: None, 300).cancel()
        while len(ED2.tlisteners) > MOST_CANCELLED:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert kept in ED2.tlisteners


async def test_timers_run() -> None:
    def none(_request: Any, _transaction: Any) -> Answer:
        return None

    ran = asyncio.Event()
    async with stack_with(none), asyncio.timeout(60):
        Timeout(ran.set, 0.05)
        await ran.wait()
