"""No media socket is opened beyond the limit or without a seat while the worker drains, and an
answer that a draining worker gives is the last one of its connection."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from app.bridge.last_orders import LastOrders
from app.bridge.switchboard import Switchboard

PATH = "/twilio/media"


class App:
    """Accepts what comes and holds it until it is let go."""

    def __init__(self) -> None:
        self.inside = 0
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
            return
        self.inside += 1
        await self.let_go.wait()


async def ask(app: LastOrders, kind: str = "websocket", path: str = PATH) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": kind, "path": path}, receive, send)
    return sent


def refused(sent: list[Any]) -> bool:
    return [message.get("status") for message in sent] == [503, None]


async def test_sockets_beyond_the_limit_are_refused_before_they_are_opened() -> None:
    inner = App()
    app = LastOrders(inner, Switchboard(2), (PATH,))
    held = [asyncio.create_task(ask(app)) for _ in range(2)]
    await asyncio.sleep(0)
    assert refused(await ask(app, path=f"/bots{PATH}"))
    assert inner.inside == 2
    inner.let_go.set()
    assert await asyncio.gather(*held) == [[], []]
    assert await ask(app) == [], "those that have gone make room"


async def test_while_draining_only_streams_that_may_have_a_seat_come_in() -> None:
    inner, board = App(), Switchboard(2)
    inner.let_go.set()
    app = LastOrders(inner, board, (PATH,))
    board.offer("CA1")
    board.draining = True
    assert await ask(app) == []
    board.withdraw("CA1")
    assert refused(await ask(app))


async def test_the_answers_of_a_draining_worker_close_their_connections() -> None:
    board = Switchboard(2)
    app = LastOrders(App(), board, (PATH,))
    assert (await ask(app, "http"))[0]["headers"] == [(b"a", b"b")]
    board.draining = True
    assert (await ask(app, "http"))[0]["headers"] == [(b"a", b"b"), (b"connection", b"close")]
