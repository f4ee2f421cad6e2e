"""What the agent may do."""

from app.tools.built_ins import BUILT_INS
from app.tools.errors import ToolError, ToolLoadError
from app.tools.functions import FunctionTool, tool
from app.tools.idempotency import IdempotencyKey
from app.tools.tool import ToolResult
from app.tools.toolbox import Toolbox

__all__ = [
    "BUILT_INS",
    "FunctionTool",
    "IdempotencyKey",
    "ToolError",
    "ToolLoadError",
    "ToolResult",
    "Toolbox",
    "tool",
]
