"""What the tools of a process share with the world outside: an HTTP client, and its MCP servers.

Agents that declare the same server use one connection. `run` keeps servers connected; what is not
run is never reached.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import httpx2

from app.agents.tools_tables import HttpTool as HttpTable
from app.agents.tools_tables import McpServer as McpTable
from app.tools.http.client import new_client
from app.tools.http.tool import HttpTool
from app.tools.mcp.server import McpServer

CLOSE_S = 6.0
"""Longest wait for programs to end; what is left is killed by then."""


class Outside:
    """One per process."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None
        self._servers: list[McpServer] = []
        self._tasks: dict[McpServer, asyncio.Task[None]] = {}
        self._running = False

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
        if self._running:
            self._start(made)
        return made

    async def run(self) -> None:
        """Keep the servers connected until this is cancelled, then close everything."""
        self._running = True
        for server in self._servers:
            self._start(server)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._running = False
            await self._close()

    async def ready(self, limit_s: float) -> None:
        """Wait until all servers are up, for no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(server.wait_up() for server in self._servers))

    def _start(self, server: McpServer) -> None:
        self._tasks[server] = asyncio.create_task(server.run(), name=f"mcp {server.name}")

    async def _close(self) -> None:
        tasks = list(self._tasks.values())
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
