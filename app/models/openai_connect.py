"""A connected and configured socket to OpenAI Realtime, or the reason why there is none.

The SDK makes the connection, so that authentication, base URL, project and proxies follow its
conventions. Its reconnect stays off: it would open an empty session in the middle of a call.
"""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import msgspec
from openai import AsyncOpenAI, OpenAIError
from openai.types.websocket_connection_options import WebSocketConnectionOptions
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from app.call.events import ModelClosed, ModelReady
from app.models import openai_shapes as wire
from app.models.openai_client_events import encode_session_update
from app.models.openai_errors import (
    cause_of_code,
    closed_by_handshake,
    closed_by_socket,
    safe_code,
)
from app.models.openai_server_events import NONSENSE_LIMIT, fault_of, format_fault
from app.models.openai_turns import silence_of, turns_fault
from app.models.ports import SessionConfig

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")
_WEB_ADDRESS = re.compile(r"(https?|wss?)://[^/\s]")
_UPDATE_ID = "session_config"
_MAX_MESSAGE_BYTES = 4 * 2**20
"""An audio delta is a few kB; the largest event is `response.done` or the echoed session."""
_RECEIVE_QUEUE_FRAMES = 64
"""A burst of deltas is read without pausing the transport for each."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who pays. None: what the SDK finds in its own environment variables.

    Raises `ValueError` for a key or project that cannot stand in an HTTP header (a line end at the
    end of a secret file is the usual cause) and for a base URL that is no web address.
    """

    api_key: str = field(repr=False)
    base_url: str | None = None
    """An `http://` base gives `ws://`, as in the SDK."""
    project: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("api_key", self.api_key), ("project", self.project)):
            if value is not None and _HEADER_VALUE.fullmatch(value) is None:
                raise ValueError(
                    f"{name}: expected visible ASCII characters only, got something else "
                    f"({len(value)} characters); check it for spaces and line ends"
                )
        if self.base_url is not None and _WEB_ADDRESS.match(self.base_url) is None:
            raise ValueError("base_url: expected http://, https://, ws:// or wss:// and a host")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a session, in seconds and bytes."""

    connect_s: float = 10.0
    """TCP, TLS and the upgrade together."""
    configure_s: float = 10.0
    """From the upgrade to the confirmed configuration."""
    stall_s: float = 5.0
    """Longest time in which the server takes nothing of what waits for it."""
    queue_limit_bytes: int = 400_000
    """Most that may wait for the server: about 30 s of caller audio as JSON."""
    ping_interval_s: float = 5.0
    ping_timeout_s: float = 10.0
    """A server that answers no ping for this long is gone, however much its kernel still takes."""
    close_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Configured:
    """A session that takes audio."""

    socket: ClientConnection
    ready: ModelReady
    silence_ms: int
    """Silence that ends a turn, as the server says; 0 when it goes by meaning or not at all."""


class _Unusable(Exception):
    """The session cannot be used; carries why."""

    def __init__(self, closed: ModelClosed) -> None:
        super().__init__(closed.detail)
        self.closed = closed


def prepare(credentials: Credentials) -> None:
    """Build what all sessions of a process share (about 40 ms), before the first call needs it."""
    client = _client(credentials)
    if client.base_url.scheme in {"https", "wss"}:
        _tls_context()


async def connect_and_configure(
    config: SessionConfig, credentials: Credentials, limits: Limits
) -> Configured | ModelClosed:
    """Open a socket, send the configuration and read it back. Raises nothing but cancellation."""
    try:
        socket = await connect(credentials, limits, model=config.model)
    except (OpenAIError, WebSocketException, OSError, ValueError) as error:
        return closed_by_handshake(error)
    try:
        async with asyncio.timeout(limits.configure_s):
            return await _configure(socket, config)
    except TimeoutError:
        closed = ModelClosed("unreachable", "the session was not configured in time")
    except ConnectionClosed as error:
        closed = closed_by_socket(error)
    except _Unusable as error:
        closed = error.closed
    except BaseException:
        socket.transport.abort()
        raise
    socket.transport.abort()
    return closed


async def connect(
    credentials: Credentials, limits: Limits, *, model: str = "", call_id: str = ""
) -> ClientConnection:
    """A socket to a new session of `model`, or to the one that carries the call `call_id`.

    Raises `OpenAIError`, `WebSocketException`, `OSError` and `ValueError`.
    """
    client = _client(credentials)
    options: dict[str, object] = {
        "open_timeout": limits.connect_s,
        "close_timeout": limits.close_s,
        "ping_interval": limits.ping_interval_s,
        "ping_timeout": limits.ping_timeout_s,
        "max_size": _MAX_MESSAGE_BYTES,
        "max_queue": _RECEIVE_QUEUE_FRAMES,
        # Base64 of noise-like audio does not shrink enough to pay for deflating it per frame.
        "compression": None,
    }
    if client.base_url.scheme in {"https", "wss"}:
        options["ssl"] = _tls_context()
    # The SDK hands these to websockets' connect() as they are; its TypedDict names a few only.
    as_named = cast("WebSocketConnectionOptions", options)
    if call_id:
        manager = client.realtime.connect(call_id=call_id, websocket_connection_options=as_named)
    else:
        manager = client.realtime.connect(model=model, websocket_connection_options=as_named)
    connection = await manager.enter()
    # The SDK's object parses with pydantic; the media path reads the socket below it.
    return connection._connection


@lru_cache(maxsize=64)
def _client(credentials: Credentials) -> AsyncOpenAI:
    """Shared: building one takes about 20 ms of the event loop. It never sends an HTTP request."""
    return AsyncOpenAI(
        api_key=credentials.api_key, base_url=credentials.base_url, project=credentials.project
    )


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Shared: loading the system's certificates takes about 20 ms of the event loop."""
    return ssl.create_default_context()


async def _configure(socket: ClientConnection, config: SessionConfig) -> Configured:
    created = await _await_session(socket, "session.created")
    await socket.send(encode_session_update(config, _UPDATE_ID), text=True)
    echoed = await _await_session(socket, "session.updated")
    if (fault := format_fault(echoed) or turns_fault(echoed, config)) is not None:
        raise _Unusable(fault)
    expires_at_s = echoed.expires_at or created.expires_at
    ready = ModelReady(
        session_id=echoed.id or created.id,
        model=echoed.model or created.model or config.model,
        lifetime_ms=None if expires_at_s is None else round((expires_at_s - time.time()) * 1000),
    )
    return Configured(socket, ready, silence_of(echoed, config))


async def _await_session(socket: ClientConnection, kind: str) -> wire.EchoedSession:
    """The session in the next event of this type. Raises `_Unusable` on any error before it."""
    nonsense = 0
    while nonsense < NONSENSE_LIMIT:
        raw = await socket.recv(decode=False)
        try:
            seen = _ENVELOPE.decode(raw).type
            if seen == "error":
                raise _refused(_ERROR.decode(raw).error)
            if seen == kind:
                return _SESSION.decode(raw).session
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            nonsense += 1
    detail = f"{NONSENSE_LIMIT} messages that were no events came before {kind}"
    raise _Unusable(ModelClosed("nonsense", detail))


def _refused(error: wire.Error) -> _Unusable:
    """Before a session is configured every error ends it: a call with half a setup is worse."""
    fault = fault_of(error)
    where = f" at {error.param[:64]}" if error.param else ""
    detail = f"the session was refused: {safe_code(fault.code)}{where}"
    if fault.kind == "retryable":
        return _Unusable(ModelClosed("unreachable", detail))
    return _Unusable(ModelClosed(cause_of_code(fault.code) or "refused", detail))


_ENVELOPE = msgspec.json.Decoder(wire.Envelope)
_ERROR = msgspec.json.Decoder(wire.ErrorEvent)
_SESSION = msgspec.json.Decoder(wire.SessionEvent)
