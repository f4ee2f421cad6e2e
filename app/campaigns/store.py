"""The campaigns themselves: made from a plan, given a new one, moved from state to state.

Every change is one transaction with an entry of the log, which is only ever appended to. Of two
operators at once the second acts on what the first has left, or is told that it cannot be done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Row, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.campaigns.loading import plan_data, plan_of, version_of
from app.campaigns.plan import Plan
from app.campaigns.states import CampaignState, Move, moved
from app.campaigns.times import instant_ms
from app.records.database import Database
from app.records.tables import attempts, campaign_log, campaigns, contacts

MOST_BY: Final = 64


class CampaignError(Exception):
    """The operator's to mend; the text says how."""


class NoCampaignError(CampaignError):
    """There is none of that name."""


class CampaignExistsError(CampaignError):
    """There is one of that name already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    campaign_id: str
    state: CampaignState
    plan: Plan
    plan_version: str
    created_at_ms: int
    changed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Of a campaign's log. `detail`: of a move `from`, `to` and `why`; of a new plan its version
    before and after and the keys that changed."""

    entry_id: int
    at_ms: int
    by: str
    what: str
    detail: Mapping[str, Any]


async def create(database: Database, plan: Plan, *, by: str, now_ms: int) -> Campaign:
    """A draft. Raises `CampaignExistsError`."""
    state, version = CampaignState.DRAFT, version_of(plan)
    row = {
        "campaign_id": plan.name,
        "state": state.value,
        "plan": plan_data(plan),
        "plan_version": version,
        "created_at_ms": now_ms,
        "changed_at_ms": now_ms,
    }
    detail = {"to": state.value, "version": version}
    try:
        async with database.writing() as connection:
            await connection.execute(insert(campaigns), [row])
            await note(connection, plan.name, "create", detail, by=by, now_ms=now_ms)
    except IntegrityError as error:
        raise CampaignExistsError(f"There is a campaign {plan.name!r} already.") from error
    return await find(database, plan.name)


async def change(database: Database, plan: Plan, *, by: str, now_ms: int) -> Campaign:
    """The campaign of the plan's name goes by this plan from now on. Whoever was kept from being
    dialled by the old one is judged anew, at once. Raises `NoCampaignError`, and `CampaignError`
    for one that is stopped."""
    async with database.writing() as connection:
        before = await held(connection, plan.name)
        if before.state is CampaignState.STOPPED:
            raise CampaignError(f"{plan.name} is stopped: nothing changes it any more.")
        version = version_of(plan)
        if version == before.plan_version:
            return before
        values = {"plan": plan_data(plan), "plan_version": version, "changed_at_ms": now_ms}
        here = campaigns.c.campaign_id == plan.name
        await connection.execute(update(campaigns).where(here).values(values))
        detail = {
            "from": before.plan_version,
            "to": version,
            "changed": changed_keys(plan_data(before.plan), plan_data(plan)),
            "judged_anew": await _judge_anew(connection, plan.name, now_ms),
        }
        await note(connection, plan.name, "plan", detail, by=by, now_ms=now_ms)
    return await find(database, plan.name)


async def move(
    database: Database, campaign_id: str, move: Move, *, by: str, now_ms: int, why: str = ""
) -> Campaign:
    """Raises `NoCampaignError` and `WrongMoveError`."""
    async with database.writing() as connection:
        return await move_in(connection, campaign_id, move, by=by, now_ms=now_ms, why=why)


async def move_in(
    connection: AsyncConnection,
    campaign_id: str,
    move: Move,
    *,
    by: str,
    now_ms: int,
    why: str = "",
) -> Campaign:
    """The same within a transaction of the caller's."""
    before = await held(connection, campaign_id)
    after = moved(before.state, move)
    here = campaigns.c.campaign_id == campaign_id
    values = {"state": after.value, "changed_at_ms": now_ms}
    await connection.execute(update(campaigns).where(here).values(values))
    detail = {"from": before.state.value, "to": after.value, "why": why}
    await note(connection, campaign_id, move, detail, by=by, now_ms=now_ms)
    return await held(connection, campaign_id)


async def start(database: Database, campaign_id: str, *, by: str, now_ms: int) -> Campaign:
    """What an operator means by it: now, at the time of its schedule, or on after it was
    completed. Raises `NoCampaignError` and `WrongMoveError`."""
    async with database.writing() as connection:
        before = await held(connection, campaign_id)
        starts = before.plan.schedule.starts
        meant: Move = "start"
        if before.state is CampaignState.COMPLETED:
            meant = "extend"
        elif before.state is CampaignState.DRAFT and starts and instant_ms(starts) > now_ms:
            meant = "schedule"
        return await move_in(connection, campaign_id, meant, by=by, now_ms=now_ms)


async def find(database: Database, campaign_id: str) -> Campaign:
    """Raises `NoCampaignError`."""
    async with database.reading() as connection:
        return await _found(connection, campaign_id, hold=False)


async def held(connection: AsyncConnection, campaign_id: str) -> Campaign:
    """As it is, and as it stays until the transaction ends. Raises `NoCampaignError`."""
    return await _found(connection, campaign_id, hold=True)


async def all_campaigns(database: Database) -> Sequence[Campaign]:
    """The newest first."""
    order = (campaigns.c.created_at_ms.desc(), campaigns.c.campaign_id)
    async with database.reading() as connection:
        rows = await connection.execute(select(campaigns).order_by(*order))
        return [_campaign(row) for row in rows]


async def log(database: Database, campaign_id: str, most: int = 50) -> Sequence[Entry]:
    """The newest entries, the newest first. Raises `NoCampaignError`."""
    query = (
        select(campaign_log)
        .where(campaign_log.c.campaign_id == campaign_id)
        .order_by(campaign_log.c.entry_id.desc())
        .limit(most)
    )
    async with database.reading() as connection:
        await _found(connection, campaign_id, hold=False)
        rows = await connection.execute(query)
        return [
            Entry(entry_id=r.entry_id, at_ms=r.at_ms, by=r.by, what=r.what, detail=r.detail)
            for r in rows
        ]


async def note(
    connection: AsyncConnection,
    campaign_id: str,
    what: str,
    detail: Mapping[str, Any],
    *,
    by: str,
    now_ms: int,
) -> None:
    """An entry of the log, in the transaction of what it tells. `detail` holds no numbers."""
    row = {"campaign_id": campaign_id, "at_ms": now_ms, "by": by[:MOST_BY]}
    await connection.execute(insert(campaign_log), [{**row, "what": what, "detail": dict(detail)}])


def changed_keys(
    before: Mapping[str, Any], after: Mapping[str, Any], table: str = ""
) -> dict[str, list[Any]]:
    """Key, as in "pacing.concurrent" -> what it was and what it is."""
    changed: dict[str, list[Any]] = {}
    for key in after:
        old, new = before.get(key), after[key]
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changed |= changed_keys(old, new, f"{table}{key}.")
        elif old != new:
            changed[f"{table}{key}"] = [old, new]
    return changed


async def _found(connection: AsyncConnection, campaign_id: str, *, hold: bool) -> Campaign:
    query = select(campaigns).where(campaigns.c.campaign_id == campaign_id)
    # FOR NO KEY UPDATE: contacts that only refer to the campaign need not wait.
    asked = query.with_for_update(key_share=True) if hold else query
    row = (await connection.execute(asked)).first()
    if row is not None:
        return _campaign(row)
    names = list((await connection.execute(select(campaigns.c.campaign_id))).scalars())
    near = get_close_matches(campaign_id, names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    there = ", ".join(sorted(names)) or "none"
    raise NoCampaignError(f"There is no campaign {campaign_id!r}; there are: {there}.{hint}")


def _campaign(row: Row[Any]) -> Campaign:
    return Campaign(
        campaign_id=row.campaign_id,
        state=CampaignState(row.state),
        plan=plan_of(row.plan),
        plan_version=row.plan_version,
        created_at_ms=row.created_at_ms,
        changed_at_ms=row.changed_at_ms,
    )


async def _judge_anew(connection: AsyncConnection, campaign_id: str, now_ms: int) -> int:
    """Those whom a rule kept from being dialled, since their last dial, are due now."""
    dialled_since = exists().where(
        attempts.c.contact_id == contacts.c.contact_id,
        attempts.c.intended_at_ms >= contacts.c.why_at_ms,
    )
    kept = (
        contacts.c.campaign_id == campaign_id,
        contacts.c.why_rule.is_not(None),
        or_(
            contacts.c.state == "never",
            (contacts.c.state == "waiting") & (contacts.c.due_at_ms > now_ms),
        ),
        ~dialled_since,
    )
    values = {"state": "waiting", "due_at_ms": now_ms}
    done = await connection.execute(update(contacts).where(*kept).values(values))
    return done.rowcount
