"""The line of the call in which a telephone tool runs."""

from app.tools.current_call import CurrentCall, Line, current_call
from app.tools.errors import ToolError


def the_line() -> tuple[CurrentCall, Line]:
    """Raises ToolError in a call that has none."""
    call = current_call()
    if call.line is None:
        raise ToolError("The telephone cannot do that on this call.")
    return call, call.line


def require(refusal: str) -> None:
    """Raises ToolError with what the line refused by; "": it did not."""
    if refusal:
        raise ToolError(refusal)
