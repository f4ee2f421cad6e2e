"""How a stream that was admitted begins: who answers it, and where its call stood before."""

from collections.abc import Callable
from dataclasses import dataclass

from app.call.collect_tool import COLLECT_TOOL
from app.call.events import Returned, Snapshot, StreamStarted
from app.carriers.twilio.media import Start
from app.carriers.twilio.stream_plans import AGAIN
from app.carriers.twilio.tokens import Grant
from app.cast import Cast
from app.onward.news import told, unpacked
from app.persona import Persona

FirstModel = Callable[[Persona, Snapshot | None], int]
"""(who answers, where the call was left) which of its models begins."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known of a call when one of its streams begins."""

    cast: Cast
    started: StreamStarted
    about: str
    """From the caller's text messages."""
    again: bool
    """It is not the first stream of its call."""

    @property
    def persona(self) -> Persona:
        """Who answers."""
        return self.cast.first.persona

    @property
    def private_keys(self) -> bool:
        """Whether the caller may be asked for keys that nobody may hear."""
        return asks_for_keys(self.persona)


def beginning(
    cast: Cast,
    grant: Grant,
    start: Start,
    left: Snapshot | None,
    about: str,
    first_model: FirstModel,
) -> Beginning:
    """`left`: where another stream left the call; None: there is nothing to go on from."""
    persona, again = cast.first.persona, AGAIN in start.parameters
    returned = _returned(grant, persona)
    if returned is not None and left is None:
        left = Snapshot(start.call_sid, grant.direction, moved=True)
    started = StreamStarted(
        start.call_sid,
        start.stream_sid,
        grant.direction,
        first_model=first_model(persona, left),
        resumed=left,
        returned=returned,
        agent=persona.agent.name,
        agent_version=persona.agent.version,
        keys_in_doubt=again and asks_for_keys(persona),
    )
    return Beginning(cast, started, about, again)


def asks_for_keys(persona: Persona) -> bool:
    """It, or a colleague that it may hand the call to."""
    return COLLECT_TOOL in persona.tools.names or bool(persona.agent.colleagues)


def _returned(grant: Grant, persona: Persona) -> Returned | None:
    """What came of the call elsewhere; None: it has not been."""
    news = unpacked(grant.news) if grant.news else None
    return None if news is None else told(news, persona.ways.transfers)
