"""How a server is reached: as a program of ours, or at an address.

The SDK tells requests that wait when a server has gone; that nobody waits and it has gone is seen
on the stream of what it says.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import httpx2

from app.agents.tools_tables import McpServer as Table
from app.tools.errors import ToolLoadError

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

Transport: TypeAlias = "AbstractAsyncContextManager[TransportStreams]"
READ_S = 300.0
"""A server may hold the stream of its notices open for so long without a word."""
CONNECT_S = 3.0


def secrets_of(name: str, table: Table, env: Mapping[str, str]) -> dict[str, str]:
    """What the table takes from the environment: by variable. Raises ToolLoadError for what is not
    set, or for a table that names no server."""
    if bool(table.command) == bool(table.url):
        raise ToolLoadError(f"mcp.{name}: expected command or url, one of the two.")
    wanted = [*table.pass_env, *([table.secret_env] if table.secret_env else [])]
    for variable in wanted:
        if not env.get(variable, "").strip():
            raise ToolLoadError(
                f"mcp.{name}: expected a value in the environment variable {variable}, "
                "but it is not set."
            )
    return {variable: env[variable].strip() for variable in wanted}


def transport_to(
    table: Table, secrets: Mapping[str, str], folder: str, ended: Callable[[], None]
) -> Transport:
    """`folder`: where a program runs. `ended`: called when the server says nothing more."""
    return _watched(
        _program(table, secrets, folder) if table.command else _address(table, secrets), ended
    )


def _program(table: Table, secrets: Mapping[str, str], folder: str) -> Transport:
    from mcp.client.stdio import StdioServerParameters, stdio_client  # noqa: PLC0415 - slow

    passed = {variable: secrets[variable] for variable in table.pass_env}
    parameters = StdioServerParameters(
        command=table.command,
        args=list(table.args),
        env={**_proxies(), **table.env, **passed},
        cwd=folder or None,
    )
    return stdio_client(parameters)


def _proxies() -> dict[str, str]:
    """How the outside is reached, for a program that needs it."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
    return {name: os.environ[name] for name in names if name in os.environ}


@asynccontextmanager
async def _address(table: Table, secrets: Mapping[str, str]) -> AsyncIterator["TransportStreams"]:
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415 - slow

    headers = dict(table.headers)
    if table.secret_env:
        headers["Authorization"] = f"Bearer {secrets[table.secret_env]}"
    timeout = httpx2.Timeout(table.timeout_s, connect=CONNECT_S, read=READ_S)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout) as client,
        streamable_http_client(table.url, http_client=client) as streams,
    ):
        yield streams


@asynccontextmanager
async def _watched(
    transport: Transport, ended: Callable[[], None]
) -> AsyncIterator["TransportStreams"]:
    async with transport as (read, write):
        yield _Heard(read, ended), write


class _Heard:
    """A stream of messages that tells of its end."""

    def __init__(self, stream: Any, ended: Callable[[], None]) -> None:
        self._stream = stream
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive(self) -> Any:
        try:
            return await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended()
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> "_Heard":
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "_Heard":
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stream.__aexit__(kind, error, trace)
