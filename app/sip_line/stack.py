"""`sippy`'s transaction layer on asyncio: our socket and our clock in place of its threads.

sippy brings a dispatcher of its own that polls in a thread. Its timers are one heap, and its
sockets are pluggable, so one event loop serves it all: no hand-over between threads, no lock. sippy
prints whole messages when one cannot be read; here nothing of a message is ever written.
"""

import asyncio
import ipaddress
import logging
import re
import socket
import sys
from collections.abc import Callable
from heapq import heapify
from threading import get_ident
from typing import Any, Final, cast

import sippy.Core.EventDispatcher as dispatching
import sippy.Network_server as network
import sippy.SipTransactionManager as transactions
from sippy.SipConf import SipConf
from sippy.SipRequest import SipRequest
from sippy.Time.MonoTime import MonoTime

from app.sip_line.config import Address
from app.sip_line.log import event

_log = logging.getLogger(__name__)

TIMERS_S: Final = 0.02
MOST_CANCELLED: Final = 200
_WIRE: Final = "_earshot_wire"
_STATUS_LINE: Final = re.compile(rb"SIP/2\.0 [1-6][0-9][0-9][ \r\n]")

Answer = tuple[Any, Any, Any] | None
"""What sippy wants from who handles a request: a response, what cancels, what is called without
an ACK."""
Handler = Callable[[SipRequest, Any], Answer]


def _told_without_content(*_: object, **__: object) -> None:
    error = sys.exc_info()[1]
    event(
        _log, logging.WARNING, "a SIP message could not be handled", error_kind=type(error).__name__
    )


for _module in (dispatching, network, transactions):
    _module.dump_exception = _told_without_content  # they print messages, and with them numbers

SipConf.my_uaname = "Earshot"


class _NoLog:
    """sippy's log of messages."""

    def write(self, *_: object, **__: object) -> None: ...


class Wire(asyncio.DatagramProtocol):
    """The line's UDP socket, shaped as sippy wants its servers."""

    transport = "udp"

    def __init__(self, advertised: Address) -> None:
        self._advertised = advertised
        self._datagrams: asyncio.DatagramTransport | None = None
        self._lookups: set[asyncio.Task[None]] = set()
        self.uopts: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._datagrams = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.uopts is None or (data.startswith(b"SIP/") and not _STATUS_LINE.match(data)):
            return
        try:
            remote = network.Remote_address(addr[:2], self.transport)
            self.uopts.data_callback(data, remote, self, MonoTime())
        except Exception:  # whatever a stranger's message does to a parser, the line goes on
            _told_without_content()

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:
        return (self._advertised.host, self._advertised.port), self.transport

    def addr2str(self, address: tuple[str, int]) -> str:
        return f"{self.transport}:{address[0]}:{address[1]}"

    def send_to(self, data: str | bytes, address: tuple[str, Any], _delayed: bool = False) -> None:
        """Send to an address or, after a look-up, to a name."""
        datagram = data.encode() if isinstance(data, str) else data
        host, port = address[0], int(address[1])
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            lookup = asyncio.get_running_loop().create_task(self._find(datagram, host, port))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._lookups.discard)
        else:
            self._send(datagram, (host, port))

    async def _find(self, datagram: bytes, host: str, port: int) -> None:
        try:
            self._send(datagram, await resolved(Address(host, port)))
        except OSError:
            event(_log, logging.WARNING, "a SIP peer's name has no address")

    def _send(self, datagram: bytes, address: tuple[str, int]) -> None:
        if self._datagrams is not None and not self._datagrams.is_closing():
            self._datagrams.sendto(datagram, address)

    def close(self) -> None:
        self.uopts = None
        for lookup in self._lookups:
            lookup.cancel()
        if self._datagrams is not None:
            self._datagrams.close()


class _OnlyWire:
    """Which of sippy's servers sends to whom: ours, always. sippy's own class opens a socket to see
    whether the machine has IPv6, never closes it, and tells the whole process if it has not."""

    ploss_out_rate = pdelay_out_max = 0.0

    def __init__(self, config: dict[str, Any], take: Callable[..., None], *_: object) -> None:
        self._wire: Wire = config[_WIRE]
        self._wire.uopts = network.Network_server_opts(self._wire.getSIPaddr()[0], take)

    def getServer(self, *_: object, **__: object) -> Wire:
        return self._wire

    def rotateCache(self) -> None: ...

    def shutdown(self) -> None: ...


transactions.local4remote = _OnlyWire


class SipStack:
    """Transactions on one UDP socket, for one line; a process has one."""

    def __init__(self, advertised_host: str, handler: Handler) -> None:
        self._host = advertised_host
        self._handler = handler
        self._pump: asyncio.Task[None] | None = None
        self.address = Address(advertised_host, 0)
        self.config: dict[str, Any] = {}
        """What sippy's user agents are given."""

    @property
    def manager(self) -> Any:
        return self.config["_sip_tm"]

    async def open(self, listener: socket.socket) -> None:
        """Serve a bound UDP socket, and run the timers."""
        self.address = Address(self._host, listener.getsockname()[1])
        wire = self._wire = Wire(self.address)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: wire, sock=listener)
        dispatching.ED2.my_ident = get_ident()
        self.config |= {
            "_sip_address": self.address.host,
            "_sip_port": self.address.port,
            "_sip_logger": _NoLog(),
            _WIRE: wire,
        }
        self.config["_sip_tm"] = transactions.SipTransactionManager(self.config, self._handle)
        self._pump = asyncio.create_task(self._run_timers())

    def _handle(self, request: SipRequest, transaction: Any) -> Answer:
        """A request whose headers break a parser leaves no transaction behind."""
        try:
            return self._handler(request, transaction)
        except Exception:  # sippy's parsers raise whatever their code meets
            _told_without_content()
            if transaction.teE is not None:
                transaction.teE.cancel()
                transaction.teE = None
            return None

    async def close(self) -> None:
        """End timers and socket; what is unanswered stays so."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        dispatching.ED2.tlisteners.clear()
        dispatching.ED2.twasted = 0
        self._wire.close()

    async def _run_timers(self) -> None:
        dispatcher = dispatching.ED2
        while True:
            await asyncio.sleep(TIMERS_S)
            dispatcher.last_ts = MonoTime()
            dispatcher.dispatchTimers()
            if dispatcher.twasted > MOST_CANCELLED:
                _forget_cancelled()


def _forget_cancelled() -> None:
    """Each call leaves timers of up to five minutes behind, cancelled; sippy's own loop, which does
    not run here, would take them away."""
    dispatcher = dispatching.ED2
    dispatcher.tlisteners = [each for each in dispatcher.tlisteners if each.cb_func is not None]
    heapify(dispatcher.tlisteners)
    dispatcher.twasted = 0


async def resolved(address: Address) -> tuple[str, int]:
    """An IPv4 address of a host and its port. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        address.host, address.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
    )
    host, port = found[0][4][:2]
    return str(host), int(port)
