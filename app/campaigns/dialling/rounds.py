"""An attempt is over: what is next for its contact, written once, by who holds it. And when no
contact is left, the campaign is completed."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Update, exists, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.claims import is_
from app.campaigns.dialling.words import Attempt, AttemptState, Contact, Next, Text
from app.campaigns.dialling.writes import Writes
from app.campaigns.states import CampaignState
from app.campaigns.store import note
from app.records.do_not_call import Entry, put
from app.records.tables import attempts, campaigns, contacts, texts

_A = attempts.c
_C = contacts.c
_K = campaigns.c
_OVER: Final = (AttemptState.ENDED, AttemptState.GIVEN_UP)


class NumberTakenError(Exception):
    """Another contact of the campaign has the number that was to be dialled next."""


class Rounds:
    """`worker`: who holds the contacts."""

    def __init__(self, writes: Writes, worker: str) -> None:
        self._writes = writes
        self._worker = worker

    async def conclude(
        self,
        contact: Contact,
        attempt: Attempt,
        then: Next,
        *,
        now_ms: int,
        why: Mapping[str, object] | None = None,
    ) -> bool:
        """The attempt is over; the next one has the next ordinal. False: it is not over after all,
        was concluded before, or this worker has lost the contact. Raises `NumberTakenError`."""
        statement = self._concluded(contact, attempt, then, why or {})

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(statement)).rowcount != 1:
                return False
            if then.never_again:
                entry = Entry(attempt.number, "own", now_ms, attempt.call_id, contact.campaign_id)
                await put(connection, [entry])
            if then.texts:
                rows = [_row(contact, attempt, text) for text in then.texts]
                await connection.execute(insert(texts), rows)
            return True

        try:
            return await self._writes.run("conclude", work)
        except IntegrityError as error:
            raise NumberTakenError from error

    def _concluded(
        self, contact: Contact, attempt: Attempt, then: Next, why: Mapping[str, object]
    ) -> Update:
        """Of no row but this contact's, as this worker holds it, and of no other attempt."""
        over = exists().where(_A.attempt_id == attempt.attempt_id, _A.state.in_(_OVER))
        came = {} if attempt.outcome is None else {"outcome": attempt.outcome}
        return (
            update(contacts)
            .where(
                _C.contact_id == contact.contact_id,
                _C.state == is_("held"),
                _C.worker == self._worker,
                _C.attempts == attempt.ordinal - 1,
                over,
            )
            .values(
                attempts=attempt.ordinal,
                state=then.state,
                due_at_ms=then.due_at_ms,
                number=then.number,
                step=then.step,
                worker=None,
                lease_until_ms=None,
                **came,
                **why,
            )
        )

    async def complete(self, campaign_id: str, now_ms: int) -> bool:
        """Where no contact of a running campaign is left to be dialled, and no message to be
        sent."""
        async with self._writes.database.reading() as connection:
            if (await connection.execute(select(_left(campaign_id)))).scalar_one():
                return False
        statement = (
            update(campaigns)
            .where(
                _K.campaign_id == campaign_id,
                _K.state == is_(CampaignState.RUNNING),
                ~_left(campaign_id),
            )
            .values(state=CampaignState.COMPLETED, changed_at_ms=now_ms)
        )
        detail = {"from": CampaignState.RUNNING, "to": CampaignState.COMPLETED, "why": ""}

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(statement)).rowcount != 1:
                return False
            by = self._worker
            await note(connection, campaign_id, "exhausted", detail, by=by, now_ms=now_ms)
            return True

        return await self._writes.run("complete", work)


def _left(campaign_id: str) -> Any:
    """A question for each index."""
    of_it = _C.campaign_id == literal(campaign_id)
    return or_(
        exists().where(of_it, _C.state == is_("waiting")),
        exists().where(of_it, _C.state == is_("held")),
        exists().where(
            texts.c.campaign_id == literal(campaign_id),
            or_(texts.c.state == is_("due"), texts.c.state == is_("requested")),
        ),
    )


def _row(contact: Contact, attempt: Attempt, text: Text) -> dict[str, Any]:
    return {
        "contact_id": contact.contact_id,
        "campaign_id": contact.campaign_id,
        "ordinal": attempt.ordinal,
        "step": text.step,
        "number": attempt.number,
        "from_number": attempt.from_number,
        "text": text.text,
        "state": "due",
        "due_at_ms": text.due_at_ms,
        "tries": 0,
    }
