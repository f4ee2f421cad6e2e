"""A real MCP server for tests, a process of its own: `booking_server.py stdio` or `... http PORT`.

It writes a line into the file NOTES for everything that happens to it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Literal

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

NOTES = Path(os.environ["NOTES"])
server = MCPServer("bookings", log_level="CRITICAL")


def note(**what: object) -> None:
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(what) + "\n")


def is_new(text: str) -> bool:
    """Nothing of it stands there yet."""
    return text not in NOTES.read_text("utf-8")


def key_of(context: Context) -> str:
    meta: Any = context.request_context.meta or {}
    return str(meta.get("idempotencyKey", ""))


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
async def book(
    people: int, when: Literal["noon", "evening"], context: Context, dies_once: bool = False
) -> dict[str, Any]:
    """Book a table."""
    key = key_of(context)
    first = is_new(key)
    note(tool="book", key=key, people=people)
    if dies_once and first:
        os._exit(3)
    return {"code": "4711", "people": people}


@server.tool()
async def die(context: Context) -> str:
    """End the server in the middle of the run."""
    note(tool="die", key=key_of(context))
    os._exit(3)


@server.tool(name="fail.loudly")
async def fail() -> str:
    """Fail."""
    raise ToolError("the book is closed")


@server.tool()
async def wait(seconds: float) -> str:
    """Take long."""
    note(tool="wait")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        note(cancelled="wait")
        raise
    return "waited"


@server.tool()
async def show() -> Image:
    """Show a picture."""
    return Image(data=b"png", format="png")


@server.tool()
async def say(words: str) -> str:
    """Say words."""
    return words


@server.tool()
async def told_of() -> str:
    """What it was started with."""
    return f"{os.environ.get('SECRET', '')} {Path.cwd().name} {'OPENAI_API_KEY' in os.environ}"


@server.tool()
async def learn(context: Context) -> str:
    """Have another tool from now on."""

    async def learned() -> str:
        return "learned"

    server.add_tool(learned, name="learned", description="Learned later.")
    await context.notify_tools_changed()
    await context.session.send_tool_list_changed()
    return "ok"


if __name__ == "__main__":
    note(started=os.getpid())
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        import uvicorn

        app = server.streamable_http_app()
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
