"""A model that a test writes message by message, for what the lab's own model never says."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from websockets.asyncio.server import ServerConnection, serve

Event: TypeAlias = dict[str, Any]
ULAW = {"format": {"type": "audio/pcmu"}}
CONFIGURED = {"id": "sess_1", "type": "realtime", "audio": {"input": ULAW, "output": ULAW}}


@dataclass
class RawModel:
    """One session. `received` leaves the caller's audio out."""

    socket: ServerConnection
    received: list[Event] = field(default_factory=list)

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    async def next(self, kind: str) -> Event:
        """The next client event of this kind."""
        while True:
            event: Event = json.loads(await self.socket.recv())
            if event["type"] != "input_audio_buffer.append":
                self.received.append(event)
            if event["type"] == kind:
                return event

    async def configure(self) -> None:
        await self.send("session.created", session=CONFIGURED)
        await self.next("session.update")
        await self.send("session.updated", session=CONFIGURED)

    async def answer(self, number: int, audio: bytes, metadata: Event | None = None) -> None:
        """A whole response with one spoken item."""
        response = {"id": f"resp_{number}", "metadata": metadata}
        item = {"id": f"item_{number}", "type": "message"}
        ids = {"response_id": response["id"], "item_id": item["id"], "content_index": 0}
        await self.send("response.created", response={**response, "status": "in_progress"})
        await self.send("response.output_item.added", response_id=response["id"], item=item)
        delta = base64.b64encode(audio).decode()
        await self.send("response.output_audio.delta", delta=delta, **ids)
        await self.send("response.done", response={**response, "status": "completed"})


@asynccontextmanager
async def raw_model(talk: Callable[[RawModel], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve `talk` to each session; yields the base URL."""

    async def session(socket: ServerConnection) -> None:
        await talk(RawModel(socket))
        async for _ in socket:
            pass  # read on, or the close would never be seen

    async with serve(session, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
