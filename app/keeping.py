"""What callers leave for the operator, by the agents' tools: told to the operator's systems.

Fits `app.telephone_line.Offices.keep`. It is kept only where somebody is told of it: otherwise the
agent would promise the caller what nobody hears of.
"""

from collections.abc import Callable
from typing import TypeAlias

from app.outgoing.events import CallbackRequested, MessageTaken
from app.outgoing.outgoing import Outgoing
from app.telephone_line import Keep

WhoOf: TypeAlias = Callable[[], tuple[str, str]]
"""The agent that speaks now, by the name or path under which it is known, and the call's id."""


def keeping(outgoing: Outgoing | None, who: WhoOf, direction: str) -> Keep | None:
    """None: there are no webhooks."""
    if outgoing is None:
        return None

    async def keep(fields: dict[str, str], key: str) -> bool:
        agent, call_id = who()
        event = _event(fields, key, agent, call_id, direction)
        return outgoing.reaches(agent, event.type) and await outgoing.accept(event)

    return keep


def _event(
    fields: dict[str, str], key: str, agent: str, call_id: str, direction: str
) -> MessageTaken | CallbackRequested:
    if fields.get("kind") == "callback":
        return CallbackRequested(
            call_id=call_id,
            agent=agent,
            direction=direction,
            occurrence=key,
            number=fields.get("number", ""),
            at=fields.get("when", ""),
            note=fields.get("about", ""),
        )
    return MessageTaken(
        call_id=call_id,
        agent=agent,
        direction=direction,
        occurrence=key,
        text=fields.get("message", ""),
        name=fields.get("name", ""),
        number=fields.get("number", ""),
    )
