"""The attempt's life in SQL. Each move compares with the state before it, so it is made once, by
whoever comes first; each is on the disk before the next thing is done outside.

An opt-out, a pause or a stop that was committed before an attempt is `requested` keeps it from
being requested: both are looked at in the transactions that write `intended` and `requested`, and
once more when `requested` is on the disk. (That last look is what makes it certain with two
transactions at once: whichever of them is written second sees the other.)
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.claims import is_
from app.campaigns.dialling.words import Attempt, AttemptState, Contact
from app.campaigns.dialling.writes import Step, Writes
from app.campaigns.outcomes import Outcome
from app.campaigns.states import CampaignState
from app.records.tables import attempts, campaigns, contacts, do_not_call

Hindrance: TypeAlias = Literal["not_held", "not_running", "do_not_call", "on_the_phone"]
"""Why nothing is asked of the carrier. not_held: this worker has lost the contact. on_the_phone: an
attempt on this number is under way, of whatever campaign."""
_A = attempts.c
_C = contacts.c
_S = AttemptState


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the carrier's refusal means for the attempt. `outcome` None: it is no attempt on the
    person, and is given up."""

    outcome: Outcome | None
    detail: str


class Ledger:
    """`worker`: who asks. Any process may write what became of an attempt."""

    def __init__(self, writes: Writes, worker: str) -> None:
        self._writes = writes
        self.worker = worker

    async def intend(
        self,
        contact: Contact,
        attempt_id: str,
        from_number: str,
        now_ms: int,
        *,
        judged_at_ms: int | None = None,
    ) -> Attempt | Hindrance:
        """Write down that this contact is about to be dialled. A number that another attempt was
        made on since `judged_at_ms` is to be judged anew."""
        attempt = Attempt(
            attempt_id=attempt_id,
            contact_id=contact.contact_id,
            ordinal=contact.ordinal,
            number=contact.number,
            from_number=from_number,
            state=_S.INTENDED,
            intended_at_ms=now_ms,
            worker=self.worker,
        )
        statement = self._intent(contact, attempt, now_ms if judged_at_ms is None else judged_at_ms)

        async def work(connection: AsyncConnection) -> Hindrance | None:
            if (await connection.execute(statement)).rowcount == 1:
                return None
            return await self._hindrance(connection, contact, attempt_id, now_ms)

        return await self._writes.run("intend", work) or attempt

    def _intent(self, contact: Contact, attempt: Attempt, judged_at_ms: int) -> Any:
        """Nothing is inserted where something stands against it, or where its ordinal or its
        number is taken."""
        values = select(
            literal(attempt.attempt_id, String),
            _C.contact_id,
            _C.campaign_id,
            literal(attempt.ordinal, Integer),
            _C.number,
            literal(attempt.from_number, String),
            is_(_S.INTENDED),
            literal(attempt.intended_at_ms, BigInteger),
            literal(self.worker, String),
        ).where(
            self._mine(contact, attempt.intended_at_ms),
            _C.number == contact.number,
            _running(_C.campaign_id),
            ~_listed(_C.number),
            ~_dialled_since(judged_at_ms),
        )
        columns = [
            "attempt_id", "contact_id", "campaign_id", "ordinal", "number", "from_number", "state",
            "intended_at_ms", "worker",
        ]  # fmt: skip
        if self._writes.database.kind == "postgresql":
            return postgresql.insert(attempts).from_select(columns, values).on_conflict_do_nothing()
        return sqlite.insert(attempts).from_select(columns, values).on_conflict_do_nothing()

    def _mine(self, contact: Contact, now_ms: int) -> ColumnElement[bool]:
        return and_(
            _C.contact_id == contact.contact_id,
            _C.state == is_("held"),
            _C.worker == self.worker,
            _C.lease_until_ms > now_ms,
            _C.attempts == contact.attempts,
        )

    async def _hindrance(
        self, connection: AsyncConnection, contact: Contact, attempt_id: str, now_ms: int
    ) -> Hindrance | None:
        """None: it was written before, by a transaction whose end we did not hear of."""
        found = await connection.execute(
            select(
                exists().where(_A.attempt_id == attempt_id),
                exists().where(self._mine(contact, now_ms)),
                _listed(literal(contact.number)),
                _running(literal(contact.campaign_id)),
            )
        )
        written, mine, listed, running = found.one()
        if written:
            return None
        if not mine:
            return "not_held"
        if listed:
            return "do_not_call"
        return "on_the_phone" if running else "not_running"

    async def request(self, attempt: Attempt, from_number: str, now_ms: int) -> bool:
        """The request is about to leave, from this number. False: it must not; see `hindrance`."""
        statement = (
            update(attempts)
            .where(
                _A.attempt_id == attempt.attempt_id,
                _A.state == is_(_S.INTENDED),
                _A.worker == attempt.worker,
                _running(_A.campaign_id),
                ~_listed(_A.number),
            )
            .values(
                state=is_(_S.REQUESTED),
                requested_at_ms=now_ms,
                from_number=from_number,
                worker=self.worker,
            )
        )
        return await self._moved("request", statement)

    async def hindrance(self, attempt_id: str) -> Hindrance | None:
        """What stands against asking the carrier for an attempt that it was not asked for."""
        unsent = or_(_A.state == is_(_S.INTENDED), _A.state == is_(_S.REQUESTED))
        looked = select(
            and_(unsent, _A.worker == self.worker),
            _listed(_A.number),
            _running(_A.campaign_id),
        ).where(_A.attempt_id == attempt_id)
        async with self._writes.database.reading() as connection:
            row = (await connection.execute(looked)).one_or_none()
        if row is None or not row[0]:
            return "not_held"
        if row[1]:
            return "do_not_call"
        return None if row[2] else "not_running"

    async def withdraw(self, attempt: Attempt, why: str, now_ms: int) -> bool:
        """Nothing was asked of the carrier for it, and nothing will be. Of one that is `requested`
        only who was about to send it may say so, and has sent nothing."""
        intended = and_(_A.state == is_(_S.INTENDED), _A.worker == attempt.worker)
        not_sent = and_(_A.state == is_(_S.REQUESTED), _A.worker == self.worker)
        statement = (
            update(attempts)
            .where(_A.attempt_id == attempt.attempt_id, or_(intended, not_sent))
            .values(state=is_(_S.GIVEN_UP), ended_at_ms=now_ms, detail=why)
        )
        return await self._moved("withdraw", statement)

    async def place(self, attempt_id: str, call_id: str) -> bool:
        """The carrier has this call for it. False: that was known before, by its news; or another
        attempt has the call."""
        return await self._moved("place", _with_call(attempt_id, call_id))

    async def refuse(self, attempt_id: str, refusal: Refusal, now_ms: int) -> bool:
        """The carrier said no."""
        state = _S.GIVEN_UP if refusal.outcome is None else _S.ENDED
        statement = (
            update(attempts)
            .where(_A.attempt_id == attempt_id, _A.state == is_(_S.REQUESTED))
            .values(state=state, ended_at_ms=now_ms, outcome=refusal.outcome, detail=refusal.detail)
        )
        return await self._moved("refuse", statement)

    async def adopt(self, attempt_id: str, call_id: str) -> bool:
        """As `place`, of a call that the carrier was asked for."""
        return await self._moved("adopt", _with_call(attempt_id, call_id))

    async def give_up(self, attempt_id: str, now_ms: int) -> bool:
        """The carrier was asked when it had to know, and has no such call."""
        statement = (
            update(attempts)
            .where(_A.attempt_id == attempt_id, _A.state == is_(_S.REQUESTED))
            .values(
                state=is_(_S.GIVEN_UP), ended_at_ms=now_ms, detail="the carrier has no such call"
            )
        )
        return await self._moved("give_up", statement)

    async def lose(self, attempt_id: str, now_ms: int) -> bool:
        """The carrier knows only calls that live, and has none; nobody told how one ended. It may
        have rung, so it counts as a dial."""
        statement = (
            update(attempts)
            .where(_A.attempt_id == attempt_id, _A.state == is_(_S.REQUESTED))
            .values(
                state=is_(_S.ENDED),
                ended_at_ms=now_ms,
                outcome=func.coalesce(_A.outcome, Outcome.FAILED),
                detail="nobody knows whether it was placed",
            )
        )
        return await self._moved("forget", statement)

    async def forget(self, attempt_id: str, outcome: Outcome, now_ms: int) -> bool:
        """The carrier does not know the call any more, and nobody will ever say how it ended."""
        statement = (
            update(attempts)
            .where(_A.attempt_id == attempt_id, _A.state == is_(_S.PLACED))
            .values(
                state=is_(_S.ENDED),
                ended_at_ms=now_ms,
                outcome=func.coalesce(_A.outcome, outcome),
                detail="the carrier has forgotten the call",
            )
        )
        return await self._moved("forget", statement)

    async def owned(self, call_ids: list[str]) -> set[str]:
        """Those of these calls that attempts of ours have."""
        async with self._writes.database.reading() as connection:
            found = await connection.execute(select(_A.call_id).where(_A.call_id.in_(call_ids)))
            return {call_id for call_id in found.scalars() if call_id}

    async def _moved(self, step: Step, statement: Any) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(statement)).rowcount == 1)

        return await self._writes.run(step, work)


def _with_call(attempt_id: str, call_id: str) -> Any:
    theirs = attempts.alias("theirs")
    taken = select(theirs.c.call_id).where(theirs.c.call_id == call_id).exists()
    return (
        update(attempts)
        .where(_A.attempt_id == attempt_id, _A.state == is_(_S.REQUESTED), ~taken)
        .values(state=is_(_S.PLACED), call_id=call_id)
    )


def _running(campaign_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(
        campaigns.c.campaign_id == campaign_id, campaigns.c.state == is_(CampaignState.RUNNING)
    )


def _dialled_since(at_ms: int) -> ColumnElement[bool]:
    made = _A.state != is_(_S.GIVEN_UP)
    return exists().where(_A.number == _C.number, _A.intended_at_ms >= at_ms, made)


def _listed(number: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(do_not_call.c.number == number)
