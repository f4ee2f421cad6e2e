"""Which worker has which contact, and until when.

A contact that waits and is due is claimed by one worker: PostgreSQL's `FOR UPDATE SKIP LOCKED` in
one statement, SQLite's only writer. The living renew their leases; what the dead held is taken over
with whatever was under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from app.campaigns.dialling.words import Attempt, AttemptState, Contact
from app.campaigns.dialling.writes import Step, Writes
from app.campaigns.outcomes import Outcome
from app.campaigns.states import CampaignState
from app.records.database import Database, Kind
from app.records.tables import attempts, campaigns, contacts


def is_(state: str) -> ColumnElement[str]:
    """Written into the statement: an index of the rows in one state is used only where the planner
    sees the state."""
    return literal_column(f"'{state}'", String)


_C = contacts.c
CONTACT_COLUMNS: Final = (
    _C.contact_id, _C.campaign_id, _C.number, _C.numbers, _C.zones, _C.variables, _C.consent,
    _C.due_at_ms, _C.step, _C.attempts,
)  # fmt: skip
_A = attempts.c
ATTEMPT_COLUMNS: Final = (
    _A.attempt_id, _A.contact_id.label("of_contact"), _A.ordinal, _A.number.label("dialled"),
    _A.from_number, _A.state, _A.intended_at_ms, _A.requested_at_ms, _A.call_id,
    _A.answered_at_ms, _A.answered_by, _A.outcome, _A.worker,
)  # fmt: skip


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A contact with the attempt that is under way, if there is one."""

    contact: Contact
    attempt: Attempt | None


class Claims:
    """Of one worker. `worker`: a name that no other process, past or present, has."""

    def __init__(self, writes: Writes, worker: str, lease_ms: int) -> None:
        self._writes = writes
        self.worker = worker
        self._lease_ms = lease_ms
        self._line = _Line(writes.database) if writes.database.kind == "postgresql" else None

    async def claim(self, campaign_id: str, most: int, now_ms: int) -> list[Contact]:
        """Up to `most` contacts that are due, for as long as the campaign runs."""
        statement = _CLAIMING[self._writes.database.kind]
        given = {
            "of_campaign": campaign_id,
            "by": self.worker,
            "most": most,
            "now_ms": now_ms,
            "until_ms": now_ms + self._lease_ms,
        }

        async def work(connection: AsyncConnection) -> list[Contact]:
            rows = (await connection.execute(statement, given)).all()
            return sorted(map(contact_of, rows), key=lambda c: (c.due_at_ms, c.contact_id))

        return await self._lightly("claim", work)

    async def _lightly(self, step: Step, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """A statement about leases: by PostgreSQL's own connection for them, which waits for none
        of the others."""
        if self._line is None:
            return await self._writes.run(step, work)
        self._writes.at(("before", step))
        result = await self._line.run(work)
        self._writes.at(("after", step))
        return result

    async def hang_up(self) -> None:
        """Give back the connection that claims are made on."""
        if self._line is not None:
            await self._line.close()

    async def take_over(self, most: int, now_ms: int) -> int:
        """Take contacts whose worker is dead, of campaigns in any state: what was under way must
        come to its end. Those with nothing under way wait again, for whoever claims them. Returns
        how many were taken."""
        idle = update(contacts).where(_C.contact_id.in_(_dead(~_under_way(), most, now_ms)))
        busy = (
            update(contacts)
            .where(_C.contact_id.in_(_dead(_under_way(), most, now_ms)))
            .values(worker=self.worker, lease_until_ms=now_ms + self._lease_ms)
            .returning(_C.contact_id)
        )

        async def work(connection: AsyncConnection) -> int:
            await connection.execute(
                idle.values(state=is_("waiting"), worker=None, lease_until_ms=None)
            )
            taken = (await connection.execute(busy)).scalars().all()
            if taken:
                await connection.execute(self._attempts_of(taken))
            return len(taken)

        return await self._writes.run("take_over", work)

    def _attempts_of(self, taken: Sequence[int]) -> Any:
        """Fences the one who was thought dead and is not: it moves only attempts of its own."""
        open_states = (AttemptState.INTENDED, AttemptState.REQUESTED)
        return (
            update(attempts)
            .where(_A.contact_id.in_(taken), _A.state.in_(open_states))
            .values(worker=self.worker)
        )

    async def renew(self, now_ms: int) -> None:
        """For all that it holds."""
        mine = update(contacts).where(_C.state == is_("held"), _C.worker == self.worker)
        statement = mine.values(lease_until_ms=now_ms + self._lease_ms)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._lightly("renew", work)

    async def held(self) -> list[Held]:
        """All that it has, with what is under way."""
        current = and_(_A.contact_id == _C.contact_id, _A.ordinal == _C.attempts + 1)
        statement = (
            select(*CONTACT_COLUMNS, *ATTEMPT_COLUMNS)
            .select_from(contacts.outerjoin(attempts, current))
            .where(_C.state == is_("held"), _C.worker == self.worker)
        )
        async with self._writes.database.reading() as connection:
            return [
                Held(contact_of(row), attempt_of(row))
                for row in await connection.execute(statement)
            ]

    async def put_back(
        self, contact: Contact, due_at_ms: int, why: Mapping[str, object] | None = None
    ) -> bool:
        """It waits again. False: it was not this worker's any more. `why`: columns that say why it
        was not dialled."""
        return await self._leave(
            contact, {"state": "waiting", "due_at_ms": due_at_ms, **(why or {})}
        )

    async def close(self, contact: Contact, why: Mapping[str, object]) -> bool:
        """It is never dialled in this campaign."""
        return await self._leave(contact, {"state": "never", **why})

    async def _leave(self, contact: Contact, values: Mapping[str, object]) -> bool:
        """Only between two attempts: one that is under way keeps its contact held."""
        statement = (
            update(contacts)
            .where(
                _C.contact_id == contact.contact_id,
                _C.state == is_("held"),
                _C.worker == self.worker,
                _C.attempts == contact.attempts,
                ~_under_way(),
            )
            .values(worker=None, lease_until_ms=None, **values)
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(statement)).rowcount == 1

        return await self._writes.run("put_back", work)

    async def let_go(self, now_ms: int) -> None:
        """This worker ends: others may have at once what it still holds."""
        mine = update(contacts).where(_C.state == is_("held"), _C.worker == self.worker)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(mine.values(lease_until_ms=now_ms))

        await self._writes.run("let_go", work)


class _Line:
    """A connection to PostgreSQL that is kept for claims."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[AsyncExitStack, AsyncConnection] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Raises `DatabaseAwayError`; the next one then begins with a new connection."""
        async with self._one_at_a_time:
            if self._kept is None:
                stack = AsyncExitStack()
                self._kept = stack, await stack.enter_async_context(self._database.at_once())
            stack, connection = self._kept
            try:
                return await work(connection)
            except BaseException as error:
                self._kept = None
                # Says it as the database's other ways do, and gives the connection back.
                await stack.__aexit__(type(error), error, error.__traceback__)
                raise

    async def close(self) -> None:
        if self._kept is not None:
            stack, self._kept = self._kept[0], None
            await stack.aclose()


def _claiming(kind: Kind) -> ReturningUpdate[Any]:
    """Made once: it is the statement that a dialler makes most often."""
    campaign = bindparam("of_campaign", type_=String)
    running = exists().where(
        campaigns.c.campaign_id == campaign, campaigns.c.state == is_(CampaignState.RUNNING)
    )
    due = (
        select(_C.contact_id)
        .where(_C.campaign_id == campaign, _C.state == is_("waiting"), running)
        .where(_C.due_at_ms <= bindparam("now_ms"))
        .order_by(_C.due_at_ms, _C.contact_id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    # Without waiting for the disk: who loses a claim to a dead database has written nothing since,
    # for what is written later takes it along.
    light = [func.set_config("synchronous_commit", "off", True)] if kind == "postgresql" else []
    return (
        update(contacts)
        .where(_C.contact_id.in_(select(due.c.contact_id)))
        .values(state=is_("held"), worker=bindparam("by"), lease_until_ms=bindparam("until_ms"))
        .returning(*CONTACT_COLUMNS, *light)
    )


_CLAIMING: Final[dict[Kind, ReturningUpdate[Any]]] = {
    "sqlite": _claiming("sqlite"),
    "postgresql": _claiming("postgresql"),
}


def _under_way() -> ColumnElement[bool]:
    """Whether a contact has the attempt that its next ordinal belongs to."""
    return exists().where(_A.contact_id == _C.contact_id, _A.ordinal == _C.attempts + 1)


def _dead(which: ColumnElement[bool], most: int, now_ms: int) -> Select[tuple[int]]:
    """Contacts whose lease has run out."""
    found = (
        select(_C.contact_id)
        .where(_C.state == is_("held"), _C.lease_until_ms <= now_ms, which)
        .order_by(_C.contact_id)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte()
    )
    return select(found.c.contact_id)


def contact_of(row: Any) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        campaign_id=row.campaign_id,
        number=row.number,
        numbers=tuple(row.numbers),
        zones=tuple(row.zones),
        variables=row.variables,
        consent=row.consent,
        due_at_ms=row.due_at_ms,
        step=row.step,
        attempts=row.attempts,
    )


def attempt_of(row: Any) -> Attempt | None:
    """None: the row has none."""
    if row.attempt_id is None:
        return None
    return Attempt(
        attempt_id=row.attempt_id,
        contact_id=row.of_contact,
        ordinal=row.ordinal,
        number=row.dialled,
        from_number=row.from_number,
        state=AttemptState(row.state),
        intended_at_ms=row.intended_at_ms,
        requested_at_ms=row.requested_at_ms,
        call_id=row.call_id,
        answered_at_ms=row.answered_at_ms,
        answered_by=row.answered_by,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        worker=row.worker,
    )
