"""Messages leave in order; a socket that stops taking them ends the call once, never hangs it."""

import asyncio

from app.bridge.carrier_writer import QUEUE_LIMIT, CarrierWriter


class Broken(list[tuple[str, str]]):
    def __call__(self, cause: str, detail: str) -> None:
        self.append((cause, detail))


async def test_sends_in_order_and_flushes_on_close() -> None:
    sent: list[str | bytes] = []

    async def send(message: str | bytes) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    broken = Broken()
    writer = CarrierWriter(send, broken)
    for number in range(50):
        writer.write(str(number))
    await writer.close()
    assert sent == [str(number) for number in range(50)]
    assert not broken


async def test_a_send_that_hangs_is_reported_as_stalled_once() -> None:
    sending = asyncio.Event()
    broken = Broken()

    async def send(_message: str | bytes) -> None:
        sending.set()
        await asyncio.Event().wait()

    writer = CarrierWriter(send, broken, send_timeout_s=0.01)
    writer.write("a")
    await sending.wait()
    writer.check()
    assert not broken
    await asyncio.sleep(0.02)
    writer.check()
    writer.check()
    writer.write("b")
    await writer.close()
    assert [cause for cause, _ in broken] == ["stalled"]


async def test_a_queue_past_all_hope_is_reported_as_stalled() -> None:
    broken = Broken()

    async def send(_message: str | bytes) -> None:
        raise AssertionError("nothing is sent")

    writer = CarrierWriter(send, broken)
    for number in range(QUEUE_LIMIT + 1):
        writer.write(str(number))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [cause for cause, _ in broken] == ["stalled"]
    await writer.close()


async def test_a_socket_that_raises_is_reported_as_lost() -> None:
    told = asyncio.Event()
    broken = Broken()

    async def send(_message: str | bytes) -> None:
        raise OSError("gone")

    def on_broken(cause: str, detail: str) -> None:
        broken(cause, detail)
        told.set()

    writer = CarrierWriter(send, on_broken)
    writer.write("a")
    await asyncio.wait_for(told.wait(), 60)
    assert broken == [("lost", "OSError")]
    await writer.close()


async def test_nothing_is_written_after_close() -> None:
    sent: list[str | bytes] = []

    async def send(message: str | bytes) -> None:
        sent.append(message)

    writer = CarrierWriter(send, Broken())
    await writer.close()
    writer.write("late")
    await asyncio.sleep(0)
    assert sent == []


async def test_closing_a_hung_socket_is_bounded_and_not_a_second_report() -> None:
    broken = Broken()

    async def send(_message: str | bytes) -> None:
        await asyncio.Event().wait()

    writer = CarrierWriter(send, broken, send_timeout_s=0.01)
    writer.write("a")
    await asyncio.wait_for(writer.close(), 60)
    assert not broken
