"""One tool of an MCP server. See `app.tools.tool.Tool`."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from app.agents.tools_tables import McpOptions
from app.tools.errors import ArgumentError, ToolError
from app.tools.mcp.results import told
from app.tools.mcp.schemas import foreign_schema, plain_description, plain_name
from app.tools.tool import Manner, ToolResult, schema_of, tell

if TYPE_CHECKING:
    from mcp_types import Tool as Listed

    from app.tools.mcp.server import McpServer

TRIES = 3
"""Of a run that can bear it, within its time."""


class ServerLost(Exception):
    """It ended while a request was under way, which it may have carried out."""


@dataclass(frozen=True, slots=True)
class McpTool:
    """`name`: the model's; `listed`: the server's."""

    name: str
    listed: str
    schema: dict[str, Any]
    manner: Manner
    server: "McpServer"

    @property
    def timeout_s(self) -> float | None:
        return self.server.table.timeout_s

    @property
    def max_output_chars(self) -> int | None:
        return self.server.table.max_result_chars

    def prefixed(self) -> "McpTool":
        """Under a name that tells it from another tool's."""
        name = plain_name(f"{self.server.name}_{self.name}")
        return replace(self, name=name, schema={**self.schema, "name": name})

    async def run(self, arguments_json: str, *, key: str, timeout_s: float) -> ToolResult:
        """See `app.tools.tool.Tool`."""
        arguments = _read(self.name, arguments_json)
        async with asyncio.timeout(timeout_s):
            for _ in range(TRIES if self.manner.idempotent else 1):
                try:
                    result = await self.server.call(self.listed, arguments, key)
                except ServerLost:
                    tell(
                        self.name, "an MCP server was lost", logging.ERROR, server=self.server.name
                    )
                    continue
                return told(self.name, result)
        effect = "" if self.manner.idempotent else " It may still have taken effect."
        raise ToolError(f"{self.name} did not work: the connection broke.{effect}")


def tools_from(server: "McpServer", listed: Iterable["Listed"]) -> tuple[McpTool, ...]:
    """Those that the agent may use, in the server's order."""
    wanted = server.table.tools
    tools: dict[str, McpTool] = {}
    for one in listed:
        if wanted and one.name not in wanted:
            continue
        options = server.table.options.get(one.name, McpOptions())
        name = options.rename or plain_name(one.name)
        description = plain_description(one.name, one.description)
        schema = schema_of(name, description, foreign_schema(one.input_schema))
        tools.setdefault(
            name, McpTool(name, one.name, schema, _manner(server, one, options), server)
        )
    return tuple(tools.values())


def _manner(server: "McpServer", listed: "Listed", options: McpOptions) -> Manner:
    hints, idempotent = listed.annotations, options.idempotent
    if idempotent is None:
        idempotent = bool(hints and (hints.idempotent_hint or hints.read_only_hint))
    return Manner(
        idempotent=idempotent,
        once_per_call=options.once_per_call,
        on_interruption=options.on_interruption,
        wait_words=options.wait_words,
        server=server.name,
    )


def _read(name: str, arguments_json: str) -> dict[str, Any]:
    try:
        arguments = json.loads(arguments_json.strip() or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ArgumentError(f"{name} was not run, its arguments are wrong: expected an object.")
    return arguments
