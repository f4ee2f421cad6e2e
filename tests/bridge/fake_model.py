"""A model session without sockets: a test says what it says and sees what it is told."""

import asyncio
from collections.abc import Mapping, Sequence

from app.call.events import Entry, ModelReady
from app.models.ports import Capabilities, Incoming, ModelCommand, SessionOver, SessionStats


class FakeModel:
    """Hands out what is put into `says`. `told`: all that came, in one order."""

    def __init__(self) -> None:
        self.capabilities = Capabilities(turns="model")
        self.stats = SessionStats()
        self.axis_bytes = 0
        self.says: asyncio.Queue[Incoming] = asyncio.Queue()
        self.told: list[tuple[str, int] | ModelCommand] = []
        self.entries: list[tuple[Entry, bytes]] = []
        self.offered: list[list[str]] = []
        """By name, each time that it was given tools."""
        self.closed = 0
        self.fault: Exception | None = None
        """Raised by whatever is sent from now on."""
        self.says.put_nowait(Incoming(ModelReady("sess_1", "fake")))

    @property
    def axis_ms(self) -> int:
        return self.axis_bytes // 8

    async def receive(self) -> Incoming:
        if self.closed:
            raise SessionOver("the fake session was closed")
        return await self.says.get()

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        self._take((payload_b64, n_bytes))
        self.axis_bytes += n_bytes

    def send_silence(self, n_bytes: int) -> None:
        self._take(("silence", n_bytes))
        self.axis_bytes += n_bytes

    def send(self, command: ModelCommand) -> None:
        self._take(command)

    def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
        self.entries.append((entry, ulaw))

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        self.offered.append([str(tool["name"]) for tool in tools])

    async def close(self) -> None:
        self.closed += 1

    def _take(self, what: tuple[str, int] | ModelCommand) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append(what)
