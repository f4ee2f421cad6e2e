"""A call that was let in, as its media path begins: all that the rest of the house knows of how it
came."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.call.events import Direction
from app.call.facts import CallFacts

Lack: TypeAlias = Literal["transfer", "warm", "refer", "menu", "voicemail"]
"""What a line cannot do for an agent that others can: put callers through, tell a person first, ask
the caller's own SIP system; without a model, let them choose by keys or leave a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Whoever brings the call has checked that it may come; `facts` are as far to be trusted as
    they say themselves."""

    call_id: str
    stream_id: str
    agent: str
    """Who is to answer."""
    direction: Direction = "inbound"
    facts: CallFacts = field(default_factory=CallFacts)
    again: bool = False
    """It is not the first media path of its call."""
    news: str = ""
    """What came of the call elsewhere, if it was there; `app.onward.news`."""
    lacks: frozenset[Lack] = frozenset()
