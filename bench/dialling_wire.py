"""`ports.Carrier` over the lines of `bench.dialling_carrier`."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from app.campaigns.ports import FateUnknownError, NotPlacedError, Order, Placed, Seen

_LINE_BYTES = 2**20


class WireCarrier:
    """`listeners`: ports at which this carrier's news are heard, by any worker."""

    def __init__(self, port: int, listeners: Sequence[int]) -> None:
        self._port = port
        self._listeners = list(listeners)
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._opening = asyncio.Lock()

    async def place(self, order: Order) -> Placed:
        answer = await self._ask(
            what="place",
            attempt_id=order.attempt_id,
            to=order.to,
            listeners=self._listeners,
            **{"from": order.from_},
        )
        match answer.get("refused"):
            case None:
                return Placed(answer["call_id"])
            case "too_many":
                raise NotPlacedError("too many requests", again_after_ms=answer["again_ms"])
            case _:
                raise NotPlacedError("no such number", number_is_wrong=True)

    async def calls(self, to: str, from_: str, since_ms: int) -> Sequence[Seen]:
        answer = await self._ask(what="calls", to=to, since_ms=since_ms, **{"from": from_})
        return [Seen(**call) for call in answer["calls"]]

    async def call(self, call_id: str) -> Seen | None:
        answer = await self._ask(what="call", call_id=call_id)
        return None if answer["call"] is None else Seen(**answer["call"])

    async def end(self, call_id: str) -> None:
        raise NotImplementedError("no dialler hangs up here")

    async def _ask(self, **question: Any) -> dict[str, Any]:
        """Raises `FateUnknownError` where the line breaks before the answer."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            writer = await self._line()
            writer.write(json.dumps({"id": number, **question}).encode() + b"\n")
            return await answer
        except (OSError, RuntimeError) as error:  # uvloop's word for a line that is closed
            raise FateUnknownError(type(error).__name__) from error
        finally:
            self._waiting.pop(number, None)

    async def _line(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is None:
                reader, self._writer = await asyncio.open_connection(
                    "127.0.0.1", self._port, limit=_LINE_BYTES
                )
                self._reading = asyncio.create_task(self._read(reader))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                answer = json.loads(line)
                waiting = self._waiting.get(answer["id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except OSError:
            pass  # said below, to all who wait
        self._writer = None
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(FateUnknownError("the line broke"))
