"""What the agent may do."""

from app.tools.built_ins import BUILT_INS
from app.tools.functions import FunctionTool, ToolError, ToolLoadError, tool
from app.tools.toolbox import Toolbox, ToolResult

__all__ = [
    "BUILT_INS",
    "FunctionTool",
    "ToolError",
    "ToolLoadError",
    "ToolResult",
    "Toolbox",
    "tool",
]
