"""What a tool returns that does something to the call itself."""

from dataclasses import dataclass
from typing import Any

from app.call.events import Effect


@dataclass(frozen=True, slots=True)
class Doing:
    """Return it from a tool: `result` is for the model, `effect` is carried out by the call."""

    result: Any
    effect: Effect
