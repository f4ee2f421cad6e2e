"""News of the carrier, at whichever process hears it: late, twice, out of order, or before our own
`placed` was written. What is written is the same in every order.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.dialling.claims import ATTEMPT_COLUMNS, attempt_of, is_
from app.campaigns.dialling.words import OPEN, Attempt, AttemptState
from app.campaigns.dialling.writes import Writes
from app.campaigns.outcome_of import Went, outcome_of
from app.campaigns.outcomes import Outcome
from app.campaigns.ports import CallFate, Heard
from app.records.tables import attempts, contacts

logger = logging.getLogger(__name__)

_A = attempts.c
_C = contacts.c
_S = AttemptState
OVER: Final[frozenset[CallFate]] = frozenset(
    {"completed", "busy", "no-answer", "failed", "canceled"}
)
_ANSWERED: Final[frozenset[CallFate]] = frozenset({"in-progress", "completed"})
BESIDE: Final = -1
"""The `sequence` of a verdict on who answered."""


@dataclass(frozen=True, slots=True)
class Known:
    """The attempt as it stands after the news. `attempt` None: we know of no such attempt."""

    attempt: Attempt | None


class Hearing:
    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    async def hear(self, heard: Heard) -> Known:
        """Write down what it says, if it says anything new. On the disk when this returns, so that
        the carrier may be told that it was heard. Raises `DatabaseAwayError`."""

        async def work(connection: AsyncConnection) -> Known:
            return await _heard(connection, heard)

        return await self._writes.run("hear", work)


async def _heard(connection: AsyncConnection, heard: Heard) -> Known:
    look = select(*ATTEMPT_COLUMNS).where(_A.attempt_id == heard.attempt_id).with_for_update()
    row = (await connection.execute(look)).one_or_none()
    attempt = None if row is None else attempt_of(row)
    if attempt is None:
        _tell(logging.WARNING, "the carrier told of an attempt that is unknown", heard)
        return Known(None)
    if attempt.call_id not in (None, heard.call_id):
        _tell(logging.ERROR, "the carrier has two calls for one attempt", heard)
        return Known(attempt)
    if attempt.call_id is None and not await _owned_by_it(connection, attempt, heard):
        return Known(attempt)
    values = news(attempt, heard)
    if not values:
        return Known(attempt)
    if attempt.state is _S.GIVEN_UP and not await _reopened(connection, attempt, heard):
        # The contact has gone on without it: what happened is written down, and no more.
        values |= {"state": _S.GIVEN_UP}
    await connection.execute(
        update(attempts).where(_A.attempt_id == attempt.attempt_id).values(**values)
    )
    return Known(attempt)


def news(attempt: Attempt, heard: Heard) -> dict[str, Any]:
    """The columns that change. What is known is never taken back by what comes late."""
    values: dict[str, Any] = {}
    if attempt.call_id is None:
        values |= {"call_id": heard.call_id}
    beside = heard.sequence == BESIDE
    if attempt.state is not _S.ENDED:
        over = heard.fate in OVER and not beside
        state = _S.ENDED if over else _S.PLACED
        if state is not attempt.state:
            values |= {"state": state}
        if state is _S.ENDED:
            values |= {"ended_at_ms": heard.at_ms}
            came = _came(heard, heard.answered_by or attempt.answered_by or "")
            values |= {"outcome": func.coalesce(_A.outcome, came)}
    if heard.fate in _ANSWERED and not beside:
        at_ms = heard.at_ms - 1_000 * (heard.duration_s or 0)
        if attempt.answered_at_ms is None or at_ms < attempt.answered_at_ms:
            values |= {"answered_at_ms": at_ms}
    if heard.answered_by and not attempt.answered_by:
        values |= {"answered_by": heard.answered_by}
        if attempt.state is _S.ENDED and attempt.outcome is Outcome.ANSWERED:
            values |= {"outcome": outcome_of("completed", Went(heard.answered_by))}
    return values


def _came(heard: Heard, answered_by: str) -> Outcome:
    """Of a call that is over. Whoever knows more of a conversation, such as that a message was
    left, writes the attempt's outcome before its end, and that one stays."""
    return outcome_of(heard.fate, Went(answered_by), sip_code=heard.sip_code)


async def _owned_by_it(connection: AsyncConnection, attempt: Attempt, heard: Heard) -> bool:
    """Whether no other attempt has this call."""
    theirs = exists().where(_A.call_id == heard.call_id, _A.attempt_id != attempt.attempt_id)
    if (await connection.execute(select(theirs))).scalar_one():
        _tell(logging.ERROR, "the carrier names two attempts for one call", heard)
        return False
    return True


async def _reopened(connection: AsyncConnection, attempt: Attempt, heard: Heard) -> bool:
    """An attempt was given up, and the carrier had a call for it after all. Its contact is held
    again, by nobody yet, as long as nothing else was begun for it."""
    _tell(logging.ERROR, "an attempt that was given up was placed after all", heard)
    free = ~exists().where(
        _A.number == attempt.number,
        _A.attempt_id != attempt.attempt_id,
        _A.state.in_(OPEN),
    )
    statement = (
        update(contacts)
        .where(
            _C.contact_id == attempt.contact_id,
            _C.attempts.in_((attempt.ordinal, attempt.ordinal - 1)),
            free,
        )
        .values(state=is_("held"), worker="", lease_until_ms=0, attempts=attempt.ordinal - 1)
    )
    return (await connection.execute(statement)).rowcount == 1


def _tell(level: int, text: str, heard: Heard) -> None:
    fields = {"attempt": heard.attempt_id, "call": heard.call_id, "fate": heard.fate}
    logger.log(level, text, extra={"fields": fields})
