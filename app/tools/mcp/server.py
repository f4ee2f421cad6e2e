"""One MCP server of a process: connected to while the process runs, again whenever it is lost.

    down --connected and its tools listed--> up
    up --it ended, or does not list its tools in time--> down, and again after a pause

No call waits for it to come up: until it is, the agent works without its tools. Once listed, they
stay; a call of one while the server is away gets a sentence. One task connects and closes, as the
SDK demands; any other may call.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from app.agents.tools_tables import McpServer as Table
from app.tools.errors import ToolError
from app.tools.mcp.tool import McpTool, ServerLost, tools_from
from app.tools.mcp.transport import secrets_of, transport_to
from app.tools.tool import Tool

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult, RequestParamsMeta

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
MOST_PAUSE_S = 30.0
STEADY_S = 10.0
"""A connection that lasted so long is made again at once."""
LOOK_S = 30.0
"""How often a server that says nothing is asked for its tools: it may have gone, or changed."""
WAIT_S = 1.0
"""How long a call waits for a server that is being connected to."""
MOST_PAGES = 50
_REFUSALS = frozenset({-32600, -32601, -32602, -32603})
"""JSON-RPC's codes of a server that is there: an invalid request, no such method, wrong arguments,
a fault of its own."""
KEY_META = "idempotencyKey"
"""Where in a request's `_meta` the run's key stands."""


class McpServer:
    """`folder`: where its program runs. Raises ToolLoadError for a table that cannot be meant and
    for a secret that is not set."""

    def __init__(self, name: str, table: Table, env: Mapping[str, str], folder: str = "") -> None:
        self.name = name
        self.table = table
        self._secrets = secrets_of(name, table, env)
        self._folder = folder
        self._tools: tuple[McpTool, ...] = ()
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._look = asyncio.Event()
        self._ended = False
        self._listed = False
        self._retired = False
        self._runs = 0

    def tools(self, taken: Collection[str]) -> Iterable[Tool]:
        """See `app.tools.toolbox.Source`."""
        used = set(taken)
        for tool in self._tools:
            named = tool if tool.name not in used else tool.prefixed()
            if named.name not in used:
                used.add(named.name)
                yield named

    def same_as(self, other: "McpServer") -> bool:
        """One connection does for both."""
        return self._identity == other._identity

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.name, self.table, self._secrets, self._folder

    async def wait_up(self) -> None:
        await self._up.wait()

    @property
    def up(self) -> bool:
        return self._up.is_set()

    @property
    def busy(self) -> bool:
        """A tool of it runs."""
        return self._runs > 0

    def retire(self) -> None:
        """It is not connected to again, whatever comes of closing it."""
        self._retired = True

    # A run of a tool

    async def call(self, tool: str, arguments: dict[str, Any], key: str) -> "CallToolResult":
        """`tool`: as the server calls it. Cancelled, it tells the server so.

        Raises ToolError while the server is away and for what it refuses, and `ServerLost`.
        """
        self._runs += 1
        try:
            return await self._call(tool, arguments, key)
        finally:
            self._runs -= 1

    async def _call(self, tool: str, arguments: dict[str, Any], key: str) -> "CallToolResult":
        from mcp import MCPError  # noqa: PLC0415 - slow; loaded when the first server was reached

        client = await self._connected()
        try:
            meta = cast("RequestParamsMeta", {KEY_META: key})
            return await client.call_tool(tool, arguments, meta=meta)
        except MCPError as error:
            if error.code in _REFUSALS:
                raise ToolError(f"{tool} was refused: {error.message}") from error
            self._away()
            raise ServerLost from error
        except (RuntimeError, ValueError) as error:
            raise ToolError(f"{tool} ran, but its answer cannot be read.") from error

    async def _connected(self) -> "Client":
        with suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), WAIT_S)
        if self._client is None:
            raise ToolError("It cannot be reached at the moment. Tell the caller, or do without.")
        return self._client

    # The connection

    async def run(self) -> None:
        """Until it is cancelled; then the connection is closed and the program ended."""
        pause_s, loop = FIRST_PAUSE_S, asyncio.get_running_loop()
        while not self._retired:
            why, self._listed, began_s = "it ended", False, loop.time()
            try:
                await self._one_connection()
            except Exception as error:
                why = _why(error)
            finally:
                self._away()
            _tell(self.name, "an MCP server is away", why=why)
            if self._listed and loop.time() - began_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)

    async def _one_connection(self) -> None:
        """Connect, list, and stay until the server has gone."""
        await asyncio.to_thread(import_module, "mcp")
        from mcp import Client  # noqa: PLC0415 - a second of importing

        self._ended = False
        self._look.clear()
        transport = transport_to(self.table, self._secrets, self._folder, self._over)
        async with asyncio.timeout(self.table.connect_s) as limit:
            async with Client(transport, message_handler=self._noticed, cache=None) as client:
                await self._list(client)
                limit.reschedule(None)
                self._listed = True
                self._there(client)
                _tell(self.name, "an MCP server is there", logging.INFO, tools=len(self._tools))
                await self._stay(client)

    async def _stay(self, client: "Client") -> None:
        listening = asyncio.create_task(self._listen(client))
        try:
            while not self._ended:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), LOOK_S)
                self._look.clear()
                if self._ended:
                    return
                async with asyncio.timeout(self.table.connect_s):
                    await self._list(client)
                self._there(client)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _list(self, client: "Client") -> None:
        listed, cursor = [], None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            listed += page.tools
            cursor = page.next_cursor
            if not cursor:
                break
        self._tools = tools_from(self, listed)
        missing = set(self.table.tools) - {tool.name for tool in listed}
        if missing and not self._listed:
            _tell(self.name, "an MCP server lacks tools", missing=sorted(missing))

    async def _listen(self, client: "Client") -> None:
        """Be told when its tools change, where that must be asked for (protocol of 2026)."""
        from mcp import MCPError  # noqa: PLC0415
        from mcp.client.subscriptions import (  # noqa: PLC0415
            ListenNotSupportedError,
            SubscriptionLost,
        )

        with suppress(MCPError, ListenNotSupportedError, SubscriptionLost, TimeoutError):
            async with client.listen(tools_list_changed=True) as changes:
                self._look.set()  # they may have changed since they were listed
                async for _ in changes:
                    self._look.set()

    async def _noticed(self, message: object) -> None:
        """What the server says unasked: its tools have changed, or nonsense came."""
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self._look.set()

    def _there(self, client: "Client") -> None:
        self._client = client
        self._up.set()

    def _away(self) -> None:
        """It is looked at before anybody calls again."""
        self._client = None
        self._up.clear()
        self._look.set()

    def _over(self) -> None:
        self._ended = True
        self._away()


def _why(error: BaseException) -> str:
    """The kind of the innermost fault: its text may hold what people said."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it took too long" if isinstance(error, TimeoutError) else type(error).__name__


def _tell(server: str, text: str, level: int = logging.WARNING, **fields: object) -> None:
    logger.log(level, text, extra={"fields": {"server": server, **fields}})
