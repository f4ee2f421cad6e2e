"""Invariant: a session that could not be opened ends like any other, with one `ModelClosed`."""

import pytest

from app.call.commands import CreateResponse
from app.call.events import Entry, ModelClosed
from app.models.never_opened import NeverOpened
from app.models.ports import Capabilities, ModelSession, SessionOver


async def test_it_says_why_once_and_takes_everything() -> None:
    closed = ModelClosed("refused", "HTTP 401")
    session: ModelSession = NeverOpened(closed, Capabilities(turns="model"))
    session.send_audio("////", 3)
    session.send_silence(160)
    session.send(CreateResponse("r1"))
    session.tell(Entry("caller", "c1", "Hello?"), b"\xff")
    incoming = await session.receive()
    assert incoming.event == closed
    assert session.axis_bytes == 0
    with pytest.raises(SessionOver):
        await session.receive()
    await session.close()
