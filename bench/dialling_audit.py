"""The ledger beside the carrier's own log: who was dialled twice, who was lost, what differs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import select

from app.campaigns.following import Again, Dialled, what_next
from app.campaigns.outcomes import Outcome
from app.campaigns.plan import Plan
from app.records.database import Database, sql_url
from app.records.tables import attempts, contacts, do_not_call
from bench.dialling_worker import TIMING, never_dialled

_CAME: Final = {
    "answered": Outcome.ANSWERED,
    "machine": Outcome.MACHINE,
    "no_answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "rejected": Outcome.REJECTED,
    "wrong": Outcome.INVALID_NUMBER,
    "failed": Outcome.FAILED,
}
"""What the ledger must say of a call, by what the carrier did with it."""
SENT_WITHIN_MS: Final = TIMING.send_within_ms + 200
"""A request that was written down before an opt-out or a pause may still arrive so much later."""


@dataclass(frozen=True, slots=True)
class Rows:
    contacts: list[Any]
    attempts: list[Any]
    listed: dict[str, int]
    """When numbers were put on the do-not-call list."""


@dataclass(frozen=True, slots=True)
class Audit:
    figures: dict[str, int]
    problems: dict[str, list[str]]


async def read(url: str) -> Rows:
    database = Database(sql_url(url))
    async with database.reading() as connection:
        people = (await connection.execute(select(contacts))).all()
        tried = (await connection.execute(select(attempts).order_by(attempts.c.ordinal))).all()
        listed = (await connection.execute(select(do_not_call.c.number, do_not_call.c.at_ms))).all()
    await database.close()
    return Rows(list(people), list(tried), {number: at_ms for number, at_ms in listed})


def audit(
    rows: Rows, log: Mapping[str, Any], plan: Plan, pauses: Iterable[tuple[int, int]]
) -> Audit:
    """`log`: the carrier's. `pauses`: from when until when the campaign was paused, Unix ms."""
    by_attempt: dict[str, list[Any]] = defaultdict(list)
    for call in log["calls"]:
        by_attempt[call["attempt_id"]].append(call)
    asked = Counter(attempt_id for attempt_id, _, _ in log["asked"])
    known = {row.attempt_id: row for row in rows.attempts}
    problems = {
        "attempts with two calls": [a for a, calls in by_attempt.items() if len(calls) > 1],
        "attempts that the carrier was asked for twice": [a for a, n in asked.items() if n > 1],
        "calls that the ledger does not know": [a for a in asked if a not in known],
        "attempts that differ from the carrier's log": [
            row.attempt_id
            for row in rows.attempts
            if _differs(row, by_attempt[row.attempt_id], log["refused"].get(row.attempt_id))
        ],
        "contacts lost": list(_lost(rows, plan)),
        "contacts dialled that must not be": [
            str(row.contact_id)
            for row in rows.contacts
            if never_dialled(row.contact_id) and row.attempts
        ],
        "dialled after they were put on the list": [
            attempt_id
            for attempt_id, to, at_ms in log["asked"]
            if at_ms > rows.listed.get(to, at_ms) + SENT_WITHIN_MS
        ],
        "asked for while the campaign was paused": [
            attempt_id
            for attempt_id, _, at_ms in log["asked"]
            if any(began + SENT_WITHIN_MS < at_ms < ended for began, ended in pauses)
        ],
        "calls to one number at once": list(_at_once(rows)),
    }
    states = Counter(f"attempts {row.state}" for row in rows.attempts)
    states |= Counter(f"  {row.detail}" for row in rows.attempts if row.state == "given_up")
    ends = Counter(f"contacts {row.state}" for row in rows.contacts)
    figures = {"calls in the carrier's log": len(log["calls"]), "orders": len(log["asked"])}
    return Audit({**figures, **states, **ends}, problems)


def _differs(row: Any, calls: list[Any], refused: str | None) -> bool:
    """Whether the ledger says of an attempt anything else than the carrier."""
    if row.state not in ("ended", "given_up"):
        return True
    if not calls:
        unplaced = Outcome.INVALID_NUMBER if refused == "no_such_number" else None
        # The answer of a refusal may have been lost: then the carrier was asked, and had no call.
        given_up = row.state == "given_up" and row.outcome is None
        return row.call_id is not None or (row.outcome != unplaced and not given_up)
    call = calls[0]
    came = row.outcome == _CAME[call["way"]] or _verdict_lost(row, call)
    return row.state != "ended" or row.call_id != call["call_id"] or not came


def _verdict_lost(row: Any, call: Any) -> bool:
    """All news that a machine had answered were lost, and asking does not tell."""
    unheard = {"machine": Outcome.ANSWERED, "rejected": Outcome.BUSY, "wrong": Outcome.FAILED}
    return bool(row.outcome == unheard.get(call["way"]))


def _lost(rows: Rows, plan: Plan) -> Iterable[str]:
    """Those that have no end, or another one than the outcomes of their attempts lead to."""
    tried: dict[int, list[Any]] = defaultdict(list)
    for row in rows.attempts:
        tried[row.contact_id].append(row)
    for row in rows.contacts:
        mine = tried[row.contact_id]
        if row.attempts != len(mine) or row.worker is not None:
            yield f"{row.contact_id}: {row.attempts} attempts, the ledger has {len(mine)}"
        elif row.state == "never":
            if not never_dialled(row.contact_id) and row.number not in rows.listed:
                yield f"{row.contact_id}: never dialled, for no reason"
        elif row.state != "done":
            yield f"{row.contact_id}: {row.state}"
        elif (state := _due(row, mine, plan)) != "done":
            yield f"{row.contact_id}: done, and should be {state}"


def _due(row: Any, mine: list[Any], plan: Plan) -> str:
    dials = [
        Dialled(number=a.number, outcome=Outcome(a.outcome), ended_at_ms=a.ended_at_ms)
        for a in mine
        if a.outcome is not None
    ]
    if not dials:
        return "waiting"
    return (
        "waiting" if isinstance(what_next(plan.steps, dials, row.numbers).then, Again) else "done"
    )


def _at_once(rows: Rows) -> Iterable[str]:
    """Attempts on one number whose times overlap."""
    spans: dict[str, list[Any]] = defaultdict(list)
    for row in rows.attempts:
        spans[row.number].append(row)
    for number, mine in spans.items():
        ordered = sorted(mine, key=lambda row: row.intended_at_ms)
        for before, after in pairwise(ordered):
            if (before.ended_at_ms or 0) > after.intended_at_ms + TIMING.skew_ms:
                yield f"{number}: {before.attempt_id}, {after.attempt_id}"
