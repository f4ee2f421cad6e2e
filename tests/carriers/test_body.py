"""A webhook's body costs a bounded time and a bounded memory, whoever sends it."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive

from app.carriers import body
from app.carriers.body import MOST_BODY_BYTES, NotReadError, read_body


def request(*messages: Message, length: str = "") -> Request:
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    headers = [(b"content-length", length.encode())] if length else []
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    taking: Receive = receive
    return Request(scope, taking)


def piece(data: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


async def refusal(given: Request) -> tuple[int, str]:
    with pytest.raises(NotReadError) as caught:
        await read_body(given)
    return caught.value.status, caught.value.reason


async def test_a_body_in_pieces_is_whole() -> None:
    assert await read_body(request(piece(b"one ", more=True), piece(b"two"))) == b"one two"


async def test_the_longest_body_is_taken_and_one_byte_more_is_not() -> None:
    assert len(await read_body(request(piece(b"x" * MOST_BODY_BYTES)))) == MOST_BODY_BYTES
    longer = request(piece(b"x" * MOST_BODY_BYTES, more=True), piece(b"x", more=True))
    assert await refusal(longer) == (413, "body_too_large")


async def test_a_length_that_is_too_long_is_refused_before_anything_is_read() -> None:
    nothing_comes = request(length=str(MOST_BODY_BYTES + 1))
    assert await refusal(nothing_comes) == (413, "body_too_large")


async def test_one_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_S", 0.01)
    assert await refusal(request(piece(b"x", more=True))) == (408, "body_too_slow")


async def test_a_sender_that_leaves_is_no_accident() -> None:
    gone = request(piece(b"x", more=True), {"type": "http.disconnect"})
    assert await refusal(gone) == (400, "client_left")
