"""The call for which a tool runs: who calls, and what the telephone can do for it.

from app.tools.current_call import current_call

def look_up() -> str:
    "Look the caller up."
    return crm.find(current_call().caller)
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from app.call.events import Direction

Place: TypeAlias = Literal["menu", "voicemail"]


class Line(Protocol):
    """What a call's telephone can do. Every method that refuses returns a sentence for the model;
    "" is yes. None raises for what a model asked."""

    async def may_transfer(self, key: str) -> str:
        """Whether the call may be put through there."""
        ...

    async def may_leave_for(self, place: Place) -> str:
        """Whether the caller may go on there without a model."""
        ...

    async def send_text(self, text: str, key: str) -> str:
        """A text message to the caller. `key`: the same for every try of the same run."""
        ...

    async def go_on_by_text(self, key: str) -> str:
        """Begin the conversation by text messages, with what was said so far."""
        ...

    async def keep_message(self, fields: dict[str, str], key: str) -> str:
        """Hand a message or a request to be called back to the operator."""
        ...

    async def never_call(self, key: str) -> str:
        """Put the other side on the list of those whom nobody calls again."""
        ...


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """The numbers are personal data: they stand in no log."""

    call_id: str
    agent: str
    """The name or path of the one that speaks, as it was chosen."""
    direction: Direction = "inbound"
    caller: str = field(default="", repr=False)
    """The other side's number as the carrier gives it; "" when it is withheld."""
    own_number: str = field(default="", repr=False)
    """Ours, on this call."""
    line: Line | None = field(default=None, repr=False)


_CURRENT: ContextVar[CurrentCall] = ContextVar("earshot_current_call")


def current_call() -> CurrentCall:
    """The call for which this tool runs. Raises `LookupError` outside of one."""
    return _CURRENT.get()


def in_call(call: CurrentCall) -> None:
    """From now on, in this task and what it starts, tools run for `call`."""
    _CURRENT.set(call)
