"""How a stream that was admitted begins: who answers it, and where its call stood before."""

from collections.abc import Callable
from dataclasses import dataclass

from app.call.arrival import Arrival
from app.call.collect_tool import COLLECT_TOOL
from app.call.events import AnsweredBy, OnAnswer, Returned, Snapshot, StreamStarted
from app.cast import Cast
from app.onward.news import told, unpacked
from app.persona import Persona

FirstModel = Callable[[Persona, Snapshot | None], int]
"""(who answers, where the call was left) which of its models begins."""


@dataclass(frozen=True, slots=True)
class WhoAnswers:
    """What is known of who answered a call that we placed, and what is done about a machine."""

    on_answer: OnAnswer | None = None
    answered_by: AnsweredBy | None = None
    since_answer_ms: int | None = None


NOBODY_ASKED = WhoAnswers()


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
    arrival: Arrival,
    left: Snapshot | None,
    about: str,
    first_model: FirstModel,
    who: WhoAnswers = NOBODY_ASKED,
) -> Beginning:
    """`left`: where another stream left the call; None: there is nothing to go on from."""
    persona, again = cast.first.persona, arrival.again
    returned = _returned(arrival, persona)
    if returned is not None and left is None:
        left = Snapshot(arrival.call_id, arrival.direction, moved=True)
    started = StreamStarted(
        arrival.call_id,
        arrival.stream_id,
        arrival.direction,
        first_model=first_model(persona, left),
        resumed=left,
        returned=returned,
        agent=persona.agent.name,
        agent_version=persona.agent.version,
        keys_in_doubt=again and asks_for_keys(persona),
        attempt_id=arrival.facts.attempt_id,
        on_answer=who.on_answer,
        answered_by=who.answered_by,
        since_answer_ms=who.since_answer_ms,
    )
    return Beginning(cast, started, about, again)


def asks_for_keys(persona: Persona) -> bool:
    """It, or a colleague that it may hand the call to."""
    return COLLECT_TOOL in persona.tools.names or bool(persona.agent.colleagues)


def _returned(arrival: Arrival, persona: Persona) -> Returned | None:
    """What came of the call elsewhere; None: it has not been."""
    news = unpacked(arrival.news) if arrival.news else None
    return None if news is None else told(news, persona.ways.transfers)
