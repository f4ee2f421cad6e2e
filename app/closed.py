"""What callers meet outside an agent's hours, and what the agent knows of its hours."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from app.agents import Agent
from app.briefing import Briefing
from app.call.facts import CallFacts
from app.onward.happenings import Happening, Say, Wanted
from app.persona import Persona
from app.policy.spoken_time import spoken
from app.rules import opening_hours

OPEN: Final = "You are open now."
CLOSED: Final = (
    "You are closed now. {opening}Say so when the caller wants something that needs you to be open."
)
CLOSED_WORDS: Final = "We are closed at the moment."


def now() -> datetime:
    return datetime.now(UTC)


def is_open(agent: Agent, at: datetime) -> bool:
    hours = opening_hours(agent, tuple(agent.transfers))
    return hours is None or hours.is_open(at)


def when_closed(
    persona: Persona, facts: CallFacts, clock: Callable[[], datetime] = now
) -> Happening | None:
    """What becomes of a call; None: the agent answers it, and knows that it is closed."""
    hours = persona.agent.hours
    assert hours is not None, "only an agent with hours is ever closed"
    # Nothing is looked up for it: the answer would come too late.
    words = Briefing(persona, facts, clock).spoken(hours.message) or CLOSED_WORDS
    match hours.when_closed:
        case "voicemail" if persona.agent.voicemail is not None:
            return Wanted("voicemail", words=words)
        case "person":
            return Wanted("transfer", hours.person)
        case "message":
            return Say(words)
        case "hang_up":
            return Say("")
        case _:
            return None


def told(persona: Persona, clock: Callable[[], datetime] = now) -> str:
    """What the agent is told of its hours in a session that begins now; "" where it has none."""
    hours = opening_hours(persona.agent, tuple(persona.agent.transfers))
    if hours is None:
        return ""
    at = clock()
    if hours.is_open(at):
        return OPEN
    opening = hours.next_opening(at)
    text = (
        ""
        if opening is None
        else f"You open again {spoken(opening, at)} ({opening:%Y-%m-%d %H:%M}). "
    )
    return CLOSED.format(opening=text)
