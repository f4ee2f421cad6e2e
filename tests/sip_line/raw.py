"""A SIP peer that says what a test tells it, to the byte, and keeps what it is sent.

sipp speaks SIP properly; this one does what hostile and unlucky peers do.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

PATIENCE_S: Final = 20.0
NUMBER: Final = "+15550100001"


def description(port: int, *more: str, audio: str = "RTP/AVP 0 101") -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    return "\r\n".join([*lines, f"m=audio {port} {audio}", *more]) + "\r\n"


def header_of(message: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


class RawPeer(asyncio.DatagramProtocol):
    """One socket, one dialog."""

    def __init__(self, line_port: int) -> None:
        self._line = ("127.0.0.1", line_port)
        self._transport: asyncio.DatagramTransport | None = None
        self._branch = 0
        self._sequence = 0
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self.port = 0
        self.call_id = "raw@peer.test"
        self.to = "<sip:100@127.0.0.1>"
        self.from_ = f"<sip:{NUMBER}@127.0.0.1>;tag=raw"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._waiting.put_nowait(data.decode())

    def text(self, method: str, body: str = "", *more: str, **changed: str) -> str:
        """A request of the dialog. `more`: headers; `changed`: via, contact, uri, kind of body."""
        self._branch += 1
        if method not in ("ACK", "CANCEL"):
            self._sequence += 1
        told = {
            "via": f"SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{self._branch}",
            "contact": f"<sip:raw@127.0.0.1:{self.port}>",
            "uri": "sip:100@127.0.0.1",
            "kind": "application/sdp",
        } | changed
        lines = [
            *(f"{method} {told['uri']} SIP/2.0", f"Via: {told['via']}"),
            *(f"From: {self.from_}", f"To: {self.to}", f"Call-ID: {self.call_id}"),
            *(f"CSeq: {self._sequence} {method}", f"Contact: {told['contact']}"),
            *more,
            *((f"Content-Type: {told['kind']}",) if body else ()),
            f"Content-Length: {len(body.encode())}",
        ]
        return "\r\n".join([line for line in lines if line != "Contact: "]) + "\r\n\r\n" + body

    def send(self, text: str | bytes) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode() if isinstance(text, str) else text, self._line)

    async def next(self, begin: str = "") -> str:
        """The next message that begins so; others are passed over. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not (message := await self._waiting.get()).startswith(begin):
                pass
        return message

    async def final(self) -> str:
        """The next response that is no provisional one."""
        while (message := await self.next("SIP/2.0 ")).startswith("SIP/2.0 1"):
            pass
        return message

    async def asked(self, *told: str, **changed: str) -> str:
        """The final answer to a request."""
        self.send(self.text(*told, **changed))
        return await self.final()

    async def call(self, rtp_port: int = 9) -> str:
        """A call that is up; what the 200 said."""
        taken = await self.asked("INVITE", description(rtp_port))
        assert taken.startswith("SIP/2.0 200"), taken
        self.acknowledge(taken)
        return taken

    def acknowledge(self, taken: str, body: str = "") -> None:
        self.to = header_of(taken, "To")
        self.send(self.text("ACK", body))

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


@asynccontextmanager
async def raw_peer(line_port: int) -> AsyncIterator[RawPeer]:
    peer = RawPeer(line_port)
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: peer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield peer
    finally:
        peer.close()
