"""What is next by the steps of the plan (`app.campaigns.following`): from all dials of the contact,
with what was found of their conversations by now.

What a conversation came to is found a while after it, by the agent's after-call work. A plan that
goes by it waits for it, but not for ever: many agents have no such work.
"""

from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.campaigns.asked_times import Asked
from app.campaigns.dialling.words import Attempt, Campaign, Contact, Next, Text
from app.campaigns.following import Again, Dialled, NeverAgain, what_next
from app.campaigns.outcomes import Outcome
from app.records.database import Database
from app.records.tables import attempts, calls

_A = attempts.c
_ENDED: Final = "ended"
CALLBACK: Final = "callback"
"""The disposition of a call in which a time to call back was noted, whatever else was found."""


class Steps:
    """A `Follow`. `found_within_ms`: see `Timing`."""

    def __init__(self, database: Database, found_within_ms: int) -> None:
        self._database = database
        self._found_within_ms = found_within_ms

    async def __call__(
        self, campaign: Campaign, contact: Contact, attempt: Attempt, now_ms: int
    ) -> Next | None:
        rows = await self._rows(contact)
        found_by_ms = now_ms - self._found_within_ms
        if rows and rows[-1].ended_at_ms > found_by_ms and _may_find_more(campaign, rows[-1]):
            return None
        dials = [_dialled(row, contact) for row in rows]
        found = what_next(campaign.plan.steps, dials, contact.numbers)
        texts = tuple(Text(m.text, m.at_ms, m.step) for m in found.messages)
        then = found.then
        match then:
            case Again():
                return Next("waiting", then.at_ms, then.number, then.step, texts=texts)
            case NeverAgain():
                return Next("never", now_ms, contact.number, then.step, never_again=True)
            case _:
                return Next("done", now_ms, contact.number, contact.step, texts=texts)

    async def _rows(self, contact: Contact) -> list[Any]:
        """Of those that came to something, oldest first."""
        statement = (
            select(
                _A.number,
                _A.outcome,
                _A.ended_at_ms,
                _A.callback,
                calls.c.disposition,
                calls.c.after_at_ms,
            )
            .select_from(attempts.outerjoin(calls, calls.c.call_id == _A.call_id))
            .where(_A.contact_id == contact.contact_id, _A.outcome.is_not(None))
            .where(_A.state == _ENDED)
            .order_by(_A.ordinal)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).all())


def _may_find_more(campaign: Campaign, newest: Any) -> bool:
    """Whether the newest dial's conversation may still come to something that the plan asks for."""
    return (
        any(step.dispositions for step in campaign.plan.steps)
        and newest.outcome == Outcome.ANSWERED
        and newest.callback is None
        and newest.after_at_ms is None
    )


def _dialled(row: Any, contact: Contact) -> Dialled:
    asked = Asked.of(row.callback)
    return Dialled(
        number=row.number,
        outcome=Outcome(row.outcome),
        ended_at_ms=row.ended_at_ms,
        disposition=CALLBACK if asked is not None else row.disposition or "",
        callback_at_ms=None if asked is None else asked.instant_ms(_zone(contact)),
    )


def _zone(contact: Contact) -> ZoneInfo:
    """Where they may be in several, the first: the policy asks all of them before it dials."""
    return ZoneInfo(contact.zones[0] if contact.zones else "UTC")
