"""A client that is due is called on the next tick; one that left is never called again."""

import asyncio

from app.bridge.pacer import Pacer


class Client:
    def __init__(self, due_at_s: float | None) -> None:
        self.due_at_s = due_at_s
        self.calls: list[float] = []
        self.called = asyncio.Event()

    def on_due(self) -> None:
        self.calls.append(asyncio.get_running_loop().time())
        self.due_at_s = None
        self.called.set()


async def test_calls_who_is_due_and_nobody_else() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(tick_ms=1)
    due, idle = Client(loop.time()), Client(None)
    pacer.add(due)
    pacer.add(idle)
    await asyncio.wait_for(due.called.wait(), 60)
    for client in (due, idle):
        pacer.remove(client)
    assert len(due.calls) == 1
    assert idle.calls == []


async def test_never_calls_before_the_time() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(tick_ms=1)
    at_s = loop.time() + 0.03
    client = Client(at_s)
    pacer.add(client)
    await asyncio.wait_for(client.called.wait(), 60)
    pacer.remove(client)
    assert client.calls[0] >= at_s


async def test_a_client_may_leave_in_the_middle_of_a_tick() -> None:
    pacer = Pacer(tick_ms=1)
    second = Client(None)

    class Leaver(Client):
        def on_due(self) -> None:
            super().on_due()
            pacer.remove(self)
            pacer.remove(second)

    first = Leaver(asyncio.get_running_loop().time())
    pacer.add(first)
    pacer.add(second)
    await asyncio.wait_for(first.called.wait(), 60)
    assert pacer._timer is None


async def test_starts_again_after_it_was_empty() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(tick_ms=1)
    for _ in range(2):
        client = Client(loop.time())
        pacer.add(client)
        await asyncio.wait_for(client.called.wait(), 60)
        pacer.remove(client)
        assert client.calls


async def test_says_how_late_a_blocked_loop_made_it() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(tick_ms=1)
    client = Client(loop.time())
    pacer.add(client)
    until = loop.time() + 0.05
    while loop.time() < until:
        pass
    await asyncio.wait_for(client.called.wait(), 60)
    pacer.remove(client)
    assert pacer.worst_lag_ms >= 45
