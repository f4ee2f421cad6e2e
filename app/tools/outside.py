"""What the tools of a process share with the world outside: an HTTP client, and its MCP servers.

Agents that declare the same server use one connection. `run` keeps servers connected; what is not
run is never reached. A server that nobody needs any more is closed by `keep`.
"""

import asyncio
import logging
from collections.abc import Container, Mapping
from contextlib import suppress

import httpx2

from app.agents.tools_tables import HttpTool as HttpTable
from app.agents.tools_tables import McpServer as McpTable
from app.tools.http.client import new_client
from app.tools.http.tool import HttpTool
from app.tools.mcp.server import McpServer

logger = logging.getLogger(__name__)

CLOSE_S = 6.0
"""Longest wait for programs to end; what is left is killed by then."""
LINGER_S = 100.0
"""How long a server stays that nobody needs: a turn by text message, which takes 90 s at most, may
still ask for its tools, and a file that was changed by mistake is often changed back."""


class Outside:
    """One per process. Tools and servers may be made in any thread, the rest is for the event
    loop."""

    def __init__(self) -> None:
        self.linger_s = LINGER_S
        self._client: httpx2.AsyncClient | None = None
        self._servers: list[McpServer] = []
        self._tasks: dict[McpServer, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._unneeded_since_s: dict[McpServer, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        """Of `run`; None: nothing is run."""

    def http_tool(self, table: HttpTable, env: Mapping[str, str]) -> HttpTool:
        """Raises ToolLoadError."""
        tool = HttpTool(table, env, self.client)
        self.client()
        return tool

    def client(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = new_client()
        return self._client

    def server(self, name: str, table: McpTable, env: Mapping[str, str], folder: str) -> McpServer:
        """`folder`: where its program runs. Raises ToolLoadError."""
        made = McpServer(name, table, env, folder)
        for known in self._servers:
            if known.same_as(made):
                return known
        self._servers.append(made)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._start, made)
        return made

    @property
    def servers(self) -> tuple[McpServer, ...]:
        """Those that are kept connected."""
        return tuple(self._servers)

    async def run(self) -> None:
        """Keep the servers connected until this is cancelled, then close everything."""
        self._loop = asyncio.get_running_loop()
        for server in self._servers:
            self._start(server)
        try:
            await self._loop.create_future()
        finally:
            self._loop = None
            await self._close()

    def keep(self, needed: Container[object]) -> None:
        """Close the servers that are not among these and have not been for a while, once none of
        their tools runs. To be called again and again, while no agent is being loaded."""
        now_s = asyncio.get_running_loop().time()
        for server in tuple(self._servers):
            if server in needed or server.busy:
                self._unneeded_since_s.pop(server, None)
            elif now_s - self._unneeded_since_s.setdefault(server, now_s) >= self.linger_s:
                del self._unneeded_since_s[server]
                self._servers.remove(server)
                self._let_go(server)

    async def ready(self, limit_s: float) -> None:
        """Wait until all servers are up, for no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(server.wait_up() for server in self._servers))

    def _start(self, server: McpServer) -> None:
        if self._loop is not None and server not in self._tasks and server in self._servers:
            self._tasks[server] = asyncio.create_task(server.run(), name=f"mcp {server.name}")

    def _let_go(self, server: McpServer) -> None:
        fields = {"server": server.name}
        logger.info("an MCP server is not needed any more", extra={"fields": fields})
        task = self._tasks.pop(server, None)
        if task is not None:
            server.retire()
            task.cancel()
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self) -> None:
        tasks = [*self._tasks.values(), *self._closing]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()
