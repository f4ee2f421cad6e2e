"""The line's UDP socket for SIP, and what a datagram is before a parser sees it.

sippy's parser splits lines wherever Unicode may, counts a body in characters, and sends to any
port that a peer names. So datagrams are made harmless here, before it and after it.
"""

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import Callable
from typing import Any, Final, cast

import sippy.Network_server as network
from sippy.Time.MonoTime import MonoTime

from app.sip_line.config import Address
from app.sip_line.log import Seldom, event

_log = logging.getLogger(__name__)

MOST_LOOKUPS: Final = 20
"""So many names of peers are looked up at a time; datagrams for more are dropped."""
_STATUS_LINE: Final = re.compile(rb"SIP/2\.0 [1-6][0-9][0-9][ \r\n]")
_SEPARATORS: Final = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Where `str.splitlines` ends a line."""


def readable(datagram: bytes) -> str:
    """A message as text in which only line ends end lines, and a body is as long as it was.

    A caller's name may hold any character (RFC 3261, 25.1); U+2028 in one that a trusted proxy
    passes on must not begin a header of its own. What is no UTF-8 is replaced; lines that are no
    header are left away (RFC 3261, 8.2.2).
    """
    line_end = b"\r\n" if b"\r\n" in datagram else b"\n"
    head, gap, body = datagram.partition(line_end * 2)
    start, *lines = head.decode(errors="replace").split(line_end.decode())
    lines = [start, *(line for line in lines if ":" in line or line.startswith((" ", "\t")))]
    told = body.decode("ascii", errors="replace").replace("\ufffd", "?")
    text = "\r\n".join(_SEPARATORS.sub(" ", line) for line in lines)
    return f"{text}\r\n\r\n{told}" if gap else text


class Wire(asyncio.DatagramProtocol):
    """The line's UDP socket, shaped as sippy wants its servers."""

    transport = "udp"

    def __init__(self, advertised: Address, broke: Callable[[], None]) -> None:
        """`broke` is called while an exception of a parser is handled."""
        self._advertised = advertised
        self._broke = broke
        self._datagrams: asyncio.DatagramTransport | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self._nameless = Seldom()
        self.uopts: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._datagrams = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        data = data.lstrip(b"\r\n")  # RFC 3261, 7.5
        if self.uopts is None or (data.startswith(b"SIP/") and not _STATUS_LINE.match(data)):
            return
        try:
            remote = network.Remote_address(addr[:2], self.transport)
            self.uopts.data_callback(readable(data), remote, self, MonoTime())
        except Exception:  # whatever a stranger's message does to a parser, the line goes on
            self._broke()

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        return (self._advertised.host, self._advertised.port), self.transport

    def addr2str(self, address: tuple[str, int]) -> str:
        return f"{self.transport}:{address[0]}:{address[1]}"

    def send_to(self, data: str | bytes, address: tuple[str, Any], _delayed: bool = False) -> None:
        """Send to an address or, after a look-up, to a name; to a port that cannot be, nothing:
        asyncio would close the socket over it."""
        datagram = data.encode() if isinstance(data, str) else data
        host, port = address[0], int(address[1])
        if not 0 < port < 65_536:
            return
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            if len(self._lookups) < MOST_LOOKUPS:
                lookup = asyncio.get_running_loop().create_task(self._find(datagram, host, port))
                self._lookups.add(lookup)
                lookup.add_done_callback(self._lookups.discard)
        else:
            self._send(datagram, (host, port))

    async def _find(self, datagram: bytes, host: str, port: int) -> None:
        try:
            self._send(datagram, await resolved(Address(host, port)))
        except OSError:
            left_out = self._nameless.ask()
            if left_out is not None:
                event(_log, logging.WARNING, "a SIP peer's name has no address", left_out=left_out)

    def _send(self, datagram: bytes, address: tuple[str, int]) -> None:
        if self._datagrams is not None and not self._datagrams.is_closing():
            self._datagrams.sendto(datagram, address)

    def close(self) -> None:
        self.uopts = None
        for lookup in self._lookups:
            lookup.cancel()
        if self._datagrams is not None:
            self._datagrams.close()


async def resolved(address: Address) -> tuple[str, int]:
    """An IPv4 address of a host and its port. Raises OSError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(
            address.host, address.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except ValueError as error:  # a name that no encoding of names takes
        raise OSError("expected a host's name, got what cannot be one") from error
    host, port = found[0][4][:2]
    return str(host), int(port)
