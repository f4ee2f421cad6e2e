"""A registrar of a few lines, for answers that a real one seldom gives."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

Reply = Callable[["Register", int], tuple[str, str]]
"""A REGISTER and its number, from 0 on: the status line's end, and more headers."""


class Register:
    """One REGISTER that came."""

    def __init__(self, text: str) -> None:
        self.text = text

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}: *(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""

    @property
    def sequence(self) -> int:
        return int(self.header("CSeq").split()[0])


class Registrar(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.taken: list[Register] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        register = Register(data.decode())
        self.taken.append(register)
        status, more = self._reply(register, len(self.taken) - 1)
        same = [f"{name}: {register.header(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        lines = [f"SIP/2.0 {status}", *same, f"To: {register.header('To')};tag=r", more]
        text = "\r\n".join([line for line in lines if line] + ["Content-Length: 0", "", ""])
        assert self._transport is not None
        self._transport.sendto(text.encode(), addr)

    async def has_taken(self, count: int) -> None:
        """Wait for so many. Raises TimeoutError."""
        async with asyncio.timeout(60):
            while len(self.taken) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def open_registrar(reply: Reply) -> AsyncIterator[Registrar]:
    registrar = Registrar(reply)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: registrar, local_addr=("127.0.0.1", 0)
    )
    try:
        yield registrar
    finally:
        transport.close()
