"""What an MCP tool returned, as one JSON text for the model."""

import json
from typing import TYPE_CHECKING, Any

from app.tools.errors import ToolError
from app.tools.tool import ToolResult

if TYPE_CHECKING:
    from mcp_types import CallToolResult

_ERROR_CHARS = 500


def told(name: str, result: "CallToolResult") -> ToolResult:
    """Structured content where there is some, else the texts. Raises ToolError for what the server
    calls an error."""
    texts, others = _parts(result)
    if result.is_error:
        words = " ".join(" ".join(texts).split()) or "it gave no reason"
        raise ToolError(f"{name} did not work: {words[:_ERROR_CHARS]}")
    if result.structured_content is not None:
        return ToolResult(True, _json(_unwrapped(result.structured_content)))
    value: Any = "\n".join(texts) if texts else "done"
    if others:
        left_out = f"left out, because it cannot be said: {', '.join(others)}"
        value = {"result": value, "note": left_out} if texts else {"note": left_out}
    elif len(texts) == 1:
        value = _as_json(texts[0])
    return ToolResult(True, _json(value))


def _parts(result: "CallToolResult") -> tuple[list[str], list[str]]:
    """The texts, and the kinds of what is none."""
    texts, others = list[str](), list[str]()
    for block in result.content:
        resource = getattr(block, "resource", None)
        text = getattr(block, "text", None) or getattr(resource, "text", None)
        if isinstance(text, str):
            texts.append(text)
        elif block.type == "resource_link":
            texts.append(f"{block.name}: {block.uri}")
        elif block.type != "text":
            others.append(block.type)
    return texts, others


def _unwrapped(value: Any) -> Any:
    """Servers wrap a plain value into an object of one key."""
    return value["result"] if isinstance(value, dict) and set(value) == {"result"} else value


def _as_json(text: str) -> Any:
    """A text that holds an object or a list is one."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
