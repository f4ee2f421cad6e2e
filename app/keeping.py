"""What callers leave for the operator, by the agents' tools: told to the operator's systems.

Fits `app.telephone_line.Offices.keep`. It is kept only where somebody is told of it: otherwise the
agent would promise the caller what nobody hears of. In a campaign's call the campaign is told too
when the person wants to be called back.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from app.campaigns.asked_times import Asked
from app.dial_book import DialBook
from app.outgoing.events import CallbackRequested, MessageTaken
from app.outgoing.outgoing import Outgoing
from app.records.keeper import unix_ms
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


def with_callbacks(keep: Keep | None, dials: DialBook | None, attempt_id: str) -> Keep | None:
    """`attempt_id`: of the campaign's dial that the call is, "" if it is none."""
    if dials is None or not attempt_id:
        return keep

    async def both(fields: dict[str, str], key: str) -> bool:
        told = keep is not None and await keep(fields, key)
        asked = asked_of(fields)
        return (asked is not None and await dials.asked_back(attempt_id, asked)) or told

    return both


def asked_of(fields: Mapping[str, str], now_ms: Callable[[], int] = unix_ms) -> Asked | None:
    """None: it is no request to be called back, or to another number than the one that was
    dialled, which a person has to see to."""
    if fields.get("kind") != "callback" or fields.get("number"):
        return None
    return Asked(
        said_at_ms=now_ms(),
        in_minutes=int(fields.get("in_minutes") or 0),
        day=fields.get("day", ""),
        time=fields.get("time", ""),
    )


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
