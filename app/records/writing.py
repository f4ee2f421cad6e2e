"""What a call left behind, into the database: the same thing twice gives the same rows.

Whoever writes anything of a call holds the call's row first, so two workers that write two streams
of one call, or the same stream, do it one after the other.
"""

from typing import Any

import msgspec
from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.records.rows import Row, StreamRows, fit
from app.records.spool import Entry
from app.records.tables import attempts, calls, streams, turns, usage


async def write_call(connection: AsyncConnection, entry: Entry) -> None:
    """That there was the call, and since when. What is known already stays."""
    row: Row = {
        "call_id": entry.call_id,
        "direction": entry.direction,
        "agent": entry.agent,
        "agent_version": entry.agent_version,
        "caller": entry.caller,
        "called": entry.called,
        "attempt_id": entry.attempt_id or await _attempt_of(connection, entry.call_id),
        "started_at_ms": entry.at_ms,
    }
    row = fit(calls, row)
    await put(connection, calls, row, keep=True)
    this = calls.c.call_id == entry.call_id
    known = (await connection.execute(select(calls).where(this))).mappings().one()
    news = {
        name: row[name]
        for name in ("caller", "called", "attempt_id")
        if row[name] and not known[name]
    }
    if row["started_at_ms"] < known["started_at_ms"]:
        news["started_at_ms"] = row["started_at_ms"]
    if news:
        await connection.execute(update(calls).where(this).values(news))


async def write_stream(connection: AsyncConnection, entry: Entry, rows: StreamRows) -> None:
    """A stream that is over, with all that hangs on it."""
    await write_call(connection, entry)
    await put(connection, streams, rows.stream)
    for table, found in rows.parts:
        await connection.execute(delete(table).where(table.c.stream_id == entry.stream_id))
        if found:
            await connection.execute(insert(table), found)
    await _sum_up(connection, entry.call_id)


async def write_after(connection: AsyncConnection, entry: Entry, record: dict[str, Any]) -> None:
    """What was written about the call when it was over (`after.json`)."""
    length_ms = round(1_000 * (record.get("duration_s") or 0))
    began = msgspec.structs.replace(
        entry,
        at_ms=entry.at_ms - length_ms,
        agent=record["agent"],
        direction=record["direction"] or entry.direction,
    )
    await write_call(connection, began)
    told = {name: record.get(name) for name in ("disposition", "summary", "fields")}
    told["after_at_ms"] = entry.at_ms
    this = calls.c.call_id == entry.call_id
    await connection.execute(update(calls).where(this).values(fit(calls, told)))


async def put(connection: AsyncConnection, table: Table, row: Row, *, keep: bool = False) -> None:
    """Insert a row, or change the one with its primary key to it. `keep`: leave that as it is, but
    hold it until the transaction ends."""
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    if keep:
        changed = {keys[0]: row[keys[0]]}
    made: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    await connection.execute(
        made.values(row).on_conflict_do_update(index_elements=keys, set_=changed)
    )


async def _sum_up(connection: AsyncConnection, call_id: str) -> None:
    """The call's row says what its streams say together."""
    of_call = streams.c.call_id == call_id
    last = select(func.max(streams.c.ended_at_ms)).where(of_call)
    newest = (
        select(streams.c.agent, streams.c.agent_version, streams.c.document)
        .where(of_call)
        .order_by(streams.c.began_at_ms.desc(), streams.c.stream_id.desc())
        .limit(1)
    )
    agent, version, document = (await connection.execute(newest)).one()
    told = {name: document[name] for name in ("end_reason", "end_fault", "end_detail")}
    row = {
        **told,
        "direction": document["direction"],
        "agent": agent,
        "agent_version": version,
        "ended_at_ms": (await connection.execute(last)).scalar(),
        "cost_usd": await _cost(connection, call_id),
    }
    this = calls.c.call_id == call_id
    await connection.execute(update(calls).where(this).values(fit(calls, row)))


async def _cost(connection: AsyncConnection, call_id: str) -> float | None:
    """Of the conversation's models and of whoever judged its turns; None: nothing is known."""
    of_call = streams.c.call_id == call_id
    paid = select(usage.c.cost_usd).join(streams, streams.c.stream_id == usage.c.stream_id)
    found = (await connection.execute(paid.where(of_call))).scalars().all()
    judged = select(turns.c.ending).join(streams, streams.c.stream_id == turns.c.stream_id)
    endings = (await connection.execute(judged.where(of_call))).scalars().all()
    costs = [*found, *((ending or {}).get("judge_usd") for ending in endings)]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


async def _attempt_of(connection: AsyncConnection, call_id: str) -> str | None:
    """The dial that the call came from, where a campaign placed it."""
    found = select(attempts.c.attempt_id).where(attempts.c.call_id == call_id)
    attempt: str | None = (await connection.execute(found)).scalar()
    return attempt
