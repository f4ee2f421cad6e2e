"""Tools on demand: the model sees one small function until it asks for the tools of a topic.

Schemas are read with every answer and paid for; an agent with many tools keeps most of them out of
the session's instructions until they are needed.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.call.events import Effect
from app.tools.errors import ToolLoadError
from app.tools.tool import Tool, ToolResult, failed, schema_of

LOAD_TOOLS = "load_tools"
MCP_PREFIX = "mcp."
"""In a topic's list: all tools of an MCP server."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`tools`: their names, or "mcp.NAME" for all that a server has."""

    description: str
    tools: tuple[str, ...]

    def names(self, known: Mapping[str, Tool]) -> list[str]:
        """Its tools by name, as far as they are known now."""
        servers = {t.removeprefix(MCP_PREFIX) for t in self.tools if t.startswith(MCP_PREFIX)}
        of_servers = [n for n, tool in known.items() if tool.manner.server in servers]
        return [*(t for t in self.tools if not t.startswith(MCP_PREFIX)), *of_servers]


def check_topics(
    topics: Mapping[str, Topic], known: Collection[str], servers: Collection[str]
) -> None:
    """`known`: names of tools that need no server. A name may be a server's, if there is one.

    Raises ToolLoadError for a tool that cannot be.
    """
    for name, topic in topics.items():
        for tool in topic.tools:
            if tool.startswith(MCP_PREFIX) and tool.removeprefix(MCP_PREFIX) not in servers:
                raise ToolLoadError(
                    f"topics.{name}: expected the name of an MCP server of this agent after "
                    f'"mcp.", got "{tool}"; there are: {", ".join(servers) or "none"}.'
                )
            if not tool.startswith(MCP_PREFIX) and tool not in known and not servers:
                raise ToolLoadError(
                    f'topics.{name}: there is no tool "{tool}"; '
                    f"there are: {', '.join(known) or 'none'}."
                )


def load_tools_schema(topics: Mapping[str, Topic]) -> dict[str, Any]:
    """What the model is told of the topics that it can ask for."""
    about = "; ".join(f"{name}: {topic.description.rstrip('.')}" for name, topic in topics.items())
    parameters = {
        "type": "object",
        "properties": {"topic": {"type": "string", "enum": list(topics)}},
        "required": ["topic"],
        "additionalProperties": False,
    }
    description = (
        "Get more tools, at once and without a word to the caller, when what they want needs "
        f"them. Topics: {about}."
    )
    return schema_of(LOAD_TOOLS, description, parameters)


def load_topic(
    topics: Mapping[str, Topic], arguments_json: str, known: Mapping[str, Tool]
) -> ToolResult:
    """What `load_tools` answers; the call carries the effect out before the model reads it."""
    try:
        wished = json.loads(arguments_json)
        topic = wished["topic"]
    except (ValueError, TypeError, KeyError, RecursionError):
        topic = None
    if not isinstance(topic, str) or topic not in topics:
        return failed(f"{LOAD_TOOLS}: expected a topic, one of {', '.join(topics)}.")
    there = topics[topic].names(known)
    if not there:
        return failed(f"The tools of {topic} cannot be reached at the moment. Go on without them.")
    text = json.dumps({"loaded": there, "note": "they can be called now"})
    return ToolResult(True, text, Effect("topics", topic))
