"""What the agent may do."""

from app.call.events import Effect
from app.tools.built_ins import BUILT_INS
from app.tools.current_call import CurrentCall, current_call
from app.tools.doing import Doing
from app.tools.errors import ToolError, ToolLoadError
from app.tools.functions import FunctionTool, tool
from app.tools.idempotency import IdempotencyKey
from app.tools.tool import ToolResult
from app.tools.toolbox import Toolbox

__all__ = [
    "BUILT_INS",
    "CurrentCall",
    "Doing",
    "Effect",
    "FunctionTool",
    "IdempotencyKey",
    "ToolError",
    "ToolLoadError",
    "ToolResult",
    "Toolbox",
    "current_call",
    "tool",
]
