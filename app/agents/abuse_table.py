"""An agent's table [abuse]: what becomes of callers who abuse it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Abuse:
    """What the tool report_abuse does, for agents that list it."""

    warn_first: bool = True
    """The first report of a call only has the model warn the caller."""
    block_hours: Annotated[float, Field(ge=0, le=8_760)] = 24.0
    """How long the number is blocked after a call that was ended for it, in hours. 0: it is not."""
