"""A WebSocket client that is driven by calls instead of coroutines.

One scheduler serves all lines, so a send must neither wait nor start a task. The protocol is
`websockets`' sans-I/O core on a plain asyncio transport.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

CONNECT_LIMIT_S = 10.0
CLOSE_LIMIT_S = 5.0
MESSAGE_LIMIT_BYTES = 1 << 24
SEND_BUFFER_BYTES = 64 * 1024

CONNECT_TIMEOUT = 31901
CONNECTION_REFUSED = 31902
TLS_ERROR = 31910
HANDSHAKE_REFUSED = 31920
SCHEME_NOT_SUPPORTED = 31922
MALFORMED_URL = 31923
PROTOCOL_ERROR = 31924


class ConnectFailed(Exception):
    """The bot's end could not be opened; `code` is the error that Twilio reports."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class BotSocket(asyncio.Protocol):
    """One open connection. `on_message(data, binary)` and `on_closed(code, fault)` are set late,
    once the stream that listens exists; nothing is read before `listen`."""

    def __init__(
        self, uri: WebSocketURI, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
    ) -> None:
        self._uri = uri
        self._headers = headers
        wanted = [Subprotocol(name) for name in subprotocols] or None
        self._protocol = ClientProtocol(uri, max_size=MESSAGE_LIMIT_BYTES, subprotocols=wanted)
        self._transport: asyncio.Transport | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._partial: list[bytes] = []
        self._partial_binary = False
        self._on_message: Callable[[bytes, bool], None] | None = None
        self._on_closed: Callable[[str], None] | None = None
        self._closed_told = False

    # What the stream calls.

    def listen(
        self, on_message: Callable[[bytes, bool], None], on_closed: Callable[[str], None]
    ) -> None:
        """Begin reading. `on_closed` is called once, with "" for a proper close, else a fault."""
        self._on_message = on_message
        self._on_closed = on_closed
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._pump()
        if self.gone.done():
            self._tell_closed()

    def send(self, message: str | bytes) -> None:
        """A message out at once; dropped when the connection is closing."""
        if self._protocol.state is State.OPEN:
            if isinstance(message, str):
                self._protocol.send_text(message.encode())
            else:
                self._protocol.send_binary(message)
            self._flush()

    @property
    def subprotocol(self) -> str:
        """What the bot chose of those that it was offered; "": none."""
        return self._protocol.subprotocol or ""

    def backlog_bytes(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def close(self, code: int = 1000) -> None:
        """Close properly; cut the connection if the bot does not answer within 5 s."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
            self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await asyncio.shield(self.gone)
        self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Little room in the kernel, so that a bot that does not read shows in `backlog_bytes`.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        request = self._protocol.connect()
        for name, value in self._headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._pump()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._protocol.state is not State.CLOSED and not self._protocol.eof_sent:
            self._protocol.receive_eof()
        if not self.opened.done():
            self.opened.set_exception(self._refusal())
        if not self.gone.done():
            self.gone.set_result(None)
        self._tell_closed()

    # Between the two.

    def _pump(self) -> None:
        self._flush()
        if not self.opened.done():
            self._finish_handshake()
            return
        if self._on_message is None:
            return
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        if self._protocol.state is not State.OPEN:
            self._tell_closed()

    def _finish_handshake(self) -> None:
        if self._protocol.handshake_exc is not None:
            self.opened.set_exception(self._refusal())
            self.abort()
        elif self._protocol.state is not State.CONNECTING:
            # It may be closing already: the first frames can share a packet with the answer.
            if self._transport is not None:
                self._transport.pause_reading()
            self.opened.set_result(None)

    def _refusal(self) -> ConnectFailed:
        error = self._protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            return ConnectFailed(HANDSHAKE_REFUSED, f"expected HTTP 101 from the bot, got {status}")
        return ConnectFailed(HANDSHAKE_REFUSED, f"expected HTTP 101 from the bot: {error}")

    def _take(self, frame: Frame) -> None:
        assert self._on_message is not None
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            if frame.fin:
                self._on_message(bytes(frame.data), frame.opcode is Opcode.BINARY)
                return
            self._partial = [bytes(frame.data)]
            self._partial_binary = frame.opcode is Opcode.BINARY
        elif frame.opcode is Opcode.CONT:
            self._partial.append(bytes(frame.data))
            if frame.fin:
                self._on_message(b"".join(self._partial), self._partial_binary)
                self._partial = []

    def _flush(self) -> None:
        transport = self._transport
        for data in self._protocol.data_to_send():
            if transport is None or transport.is_closing():
                continue
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:  # TLS cannot be closed in one direction only
                transport.close()

    def _tell_closed(self) -> None:
        if self._closed_told or self._on_closed is None:
            return
        self._closed_told = True
        error = self._protocol.parser_exc
        proper = self._protocol.close_rcvd is not None or error is None
        self._on_closed("" if proper else f"{type(error).__name__}: {error}")


async def open_bot_socket(
    url: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
) -> BotSocket:
    """Connect and upgrade. Raises ConnectFailed with the code that Twilio reports."""
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError) as error:
        raise ConnectFailed(MALFORMED_URL, f"expected a wss:// URL: {error}") from error
    tls = ssl.create_default_context() if uri.secure else None
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            return await _upgrade(uri, headers, tls, subprotocols)
    except TimeoutError as error:
        raise ConnectFailed(CONNECT_TIMEOUT, "no answer from the bot within 10 s") from error
    except ssl.SSLError as error:
        raise ConnectFailed(TLS_ERROR, f"TLS with the bot failed: {error.reason}") from error
    except OSError as error:
        raise ConnectFailed(CONNECTION_REFUSED, f"no connection: {error.strerror}") from error


async def _upgrade(
    uri: WebSocketURI,
    headers: Mapping[str, str],
    tls: ssl.SSLContext | None,
    subprotocols: Sequence[str],
) -> BotSocket:
    loop = asyncio.get_running_loop()
    _, bot = await loop.create_connection(
        lambda: BotSocket(uri, headers, subprotocols), uri.host, uri.port, ssl=tls
    )
    try:
        await bot.opened
    except BaseException:
        bot.abort()
        raise
    return bot
