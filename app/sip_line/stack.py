"""`sippy`'s transaction layer on asyncio: our socket and our clock in place of its threads.

sippy brings a dispatcher of its own that polls in a thread. Its timers are one heap, and its
sockets are pluggable, so one event loop serves it all: no hand-over between threads, no lock. sippy
prints whole messages when one cannot be read; here nothing of a message is ever written.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from heapq import heapify
from threading import get_ident
from typing import Any, Final
from urllib.parse import unquote

import sippy.Core.EventDispatcher as dispatching
import sippy.Network_server as network
import sippy.SipMsg as messages
import sippy.SipRequest as requests
import sippy.SipTransactionManager as transactions
import sippy.SipURL as urls
from sippy.Exceptions.SipParseError import SipParseError
from sippy.SipConf import MyAddress, SipConf
from sippy.SipRequest import SipRequest
from sippy.Time.MonoTime import MonoTime

from app.sip_line.config import Address
from app.sip_line.log import Seldom, event
from app.sip_line.wire import Wire

_log = logging.getLogger(__name__)

TIMERS_S: Final = 0.02
MOST_CANCELLED: Final = 200
MOST_ANSWERS: Final = 10_000
"""So many datagrams of the last half minute are known again, and answered as they were."""
_WIRE: Final = "_earshot_wire"

Answer = tuple[Any, Any, Any] | None
"""What sippy wants from who handles a request: a response, what cancels, what is called without
an ACK."""
Handler = Callable[[SipRequest, Any], Answer]


class _Unreadable:
    """What tells of exceptions: of the stack that was opened last, since sippy's are one."""

    seldom = Seldom()


def _told_without_content(*_: object, **__: object) -> None:
    error, left_out = sys.exc_info()[1], _Unreadable.seldom.ask()
    if left_out is not None:
        event(
            _log,
            logging.WARNING,
            "a SIP message could not be handled",
            error_kind=type(error).__name__,
            left_out=left_out,
        )


def _silence(*_: object, **__: object) -> None: ...


for _module in (dispatching, network, transactions):
    _module.dump_exception = _told_without_content  # they print messages, and with them numbers
for _module in (messages, requests, transactions, urls):
    _module.print = _silence  # so do these


def _refusal_of_body(error: SipParseError, _request: Any = None) -> Any:
    """The 400 to a body that is not as long as it says; sippy asks for it in a way that breaks."""
    return error.sip_response


SipParseError.getResponse = _refusal_of_body


class _Here(MyAddress):  # type: ignore[misc]
    """The host of a tel: URI, which has none; sippy's own asks DNS while all calls wait."""

    def __str__(self) -> str:
        return "localhost"


def _of_telephone(url: Any, text: str, _relaxed: bool) -> None:
    """Read a tel: URI (RFC 3966), also one with parameters that have no value: `npdi`."""
    number, *parameters = text.split(";")
    url.scheme, url.username, url.userparams = "sip", unquote(number), parameters
    url.host, url.port, url.transport = SipConf.my_address, SipConf.my_port, SipConf.my_transport


urls.SipURL.convertTelURL = _of_telephone
SipConf.my_uaname = "Earshot"
SipConf.my_address = _Here()
SipConf.autoconvert_tel_url = True


class _NoLog:
    """sippy's log of messages."""

    def write(self, *_: object, **__: object) -> None: ...


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


class _Manager(transactions.SipTransactionManager):  # type: ignore[misc]
    """sippy's, which believes where a peer says that it is, and keeps what breaks a parser."""

    def incomingRequest(self, msg: Any, checksum: bytes, tids: Any, server: Wire) -> None:
        via = msg.getHFBody("via")
        if "received" in via.params:
            via.params["received"] = msg.getSource()[0]
        try:
            if msg.getHFBody("cseq").getCSeq()[1] != msg.getMethod():
                raise ValueError("expected the method of the request in CSeq, got another")
            super().incomingRequest(msg, checksum, tids, server)
        except Exception:  # sippy's parsers raise whatever their code meets
            _told_without_content()
            self._unreadable(msg, checksum, server)

    def _unreadable(self, msg: Any, checksum: bytes, server: Wire) -> None:
        transaction = self.tserver.get(msg.getTId(wBRN=True))
        if msg.getMethod() == "ACK" or (transaction is None and checksum in self.l1rcache):
            return  # it was answered before it broke
        if transaction is not None:
            self.forget(transaction)
        self.answer_once(msg.genResponse(400, "Bad Request"), server, checksum)

    def forget(self, transaction: Any) -> None:
        for timer in (transaction.teA, transaction.teD, transaction.teE, transaction.teF):
            if timer is not None:
                timer.cancel()
        self.tserver.pop(transaction.tid, None)
        transaction.cleanup()

    def answer_once(self, response: Any, server: Wire, checksum: bytes) -> None:
        """Without a transaction; if the same comes again, the same goes again."""
        to = response.getHFBody("to")
        if to.getTag() is None:
            to.genTag()
        self.transmitMsg(server, response, response.getHFBody("via").getTAddr(), checksum)


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
        wire = self._wire = Wire(self.address, _told_without_content)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: wire, sock=listener)
        dispatching.ED2.my_ident = get_ident()
        _Unreadable.seldom = Seldom()
        self.config |= {
            "_sip_address": self.address.host,
            "_sip_port": self.address.port,
            "_sip_logger": _NoLog(),
            _WIRE: wire,
        }
        self.config["_sip_tm"] = _Manager(self.config, self._handler)
        self._pump = asyncio.create_task(self._run_timers())

    def answer_once(self, response: Any, transaction: Any) -> None:
        """Answer an INVITE and forget it: its ACK is not waited for, nothing is sent again."""
        self.manager.answer_once(response, transaction.userv, transaction.checksum)
        transaction.teE.cancel()
        transaction.teE = None

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
            if len(self.manager.l1rcache) > MOST_ANSWERS:
                self.manager.rCachePurge()


def _forget_cancelled() -> None:
    """Each call leaves timers of up to five minutes behind, cancelled; sippy's own loop, which does
    not run here, would take them away."""
    dispatcher = dispatching.ED2
    dispatcher.tlisteners = [each for each in dispatcher.tlisteners if each.cb_func is not None]
    heapify(dispatcher.tlisteners)
    dispatcher.twasted = 0
