"""Each move of an attempt is made once, by whoever comes first; and what stands against a dial
before its request is on the disk keeps it from being requested."""

import asyncio

import pytest

from app.campaigns.dialling.ledger import Refusal
from app.campaigns.dialling.words import Attempt, Contact
from app.campaigns.outcomes import Outcome
from app.records.database import Database
from tests.campaigns.dialling.stage import (
    LEASE_MS,
    Stage,
    opt_out,
    rows,
    running,
    set_state,
    states,
)
from tests.campaigns.lists import LINE, NOW_MS, listed, made, number


async def intended(stage: Stage, attempt_id: str = "a1") -> tuple[Contact, Attempt]:
    contact = await stage.claimed()
    intent = await stage.ledger.intend(contact, attempt_id, LINE, NOW_MS)
    assert isinstance(intent, Attempt)
    return contact, intent


async def test_an_attempt_goes_its_way_once(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    _, attempt = await intended(stage)
    assert [await stage.ledger.request(attempt, LINE, NOW_MS) for _ in range(2)] == [True, False]
    assert [await stage.ledger.place("a1", "CA1") for _ in range(2)] == [True, False]
    assert not await stage.ledger.give_up("a1", NOW_MS)
    assert not await stage.ledger.withdraw(attempt, "late", NOW_MS)
    (row,) = await rows(database)
    assert (row["state"], row["call_id"], row["requested_at_ms"]) == ("placed", "CA1", NOW_MS)
    await stage.claims.hang_up()


async def test_one_ordinal_has_one_intent_however_many_try(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    tries = [stage.ledger.intend(contact, f"a{n}", LINE, NOW_MS) for n in range(8)]
    found = await asyncio.gather(*tries)
    assert sum(isinstance(one, Attempt) for one in found) == 1
    assert await states(database) == ["intended"]
    await stage.claims.hang_up()


async def test_an_intent_whose_commit_was_not_heard_of_is_found_again(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact, attempt = await intended(stage)
    assert await stage.ledger.intend(contact, "a1", LINE, NOW_MS) == attempt
    await stage.claims.hang_up()


async def test_two_campaigns_never_dial_one_number_at_once(database: Database) -> None:
    await running(database)
    await made(database, "autumn")
    await listed(database, 1, "autumn")
    await set_state(database, "running")
    stage = Stage(database)
    await intended(stage)
    (other,) = await stage.claims.claim("autumn", 1, NOW_MS)
    assert other.number == number(1)
    assert await stage.ledger.intend(other, "a2", LINE, NOW_MS) == "on_the_phone"
    await stage.claims.hang_up()


async def test_a_number_dialled_since_it_was_judged_is_judged_anew(database: Database) -> None:
    await running(database)
    await made(database, "autumn")
    await listed(database, 1, "autumn")
    await set_state(database, "running")
    stage = Stage(database)
    _, attempt = await intended(stage)
    await stage.ledger.request(attempt, LINE, NOW_MS)
    await stage.ledger.refuse("a1", Refusal(Outcome.FAILED, "no"), NOW_MS)
    (other,) = await stage.claims.claim("autumn", 1, NOW_MS)
    since = stage.ledger.intend(other, "a2", LINE, NOW_MS + 5, judged_at_ms=NOW_MS)
    assert await since == "on_the_phone"
    after = stage.ledger.intend(other, "a2", LINE, NOW_MS + 5, judged_at_ms=NOW_MS + 1)
    assert isinstance(await after, Attempt)
    await stage.claims.hang_up()


async def test_an_opt_out_before_the_intent_keeps_it_from_being_written(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    await opt_out(database)
    assert await stage.ledger.intend(contact, "a1", LINE, NOW_MS) == "do_not_call"
    assert await rows(database) == []
    await stage.claims.hang_up()


async def test_an_opt_out_or_a_pause_after_the_intent_keeps_it_from_being_requested(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    _, attempt = await intended(stage)
    await set_state(database, "paused")
    assert not await stage.ledger.request(attempt, LINE, NOW_MS)
    assert await stage.ledger.hindrance("a1") == "not_running"
    await set_state(database, "running")
    await opt_out(database)
    assert not await stage.ledger.request(attempt, LINE, NOW_MS)
    assert await stage.ledger.hindrance("a1") == "do_not_call"
    assert await states(database) == ["intended"]
    await stage.claims.hang_up()


@pytest.mark.parametrize("first", ["opt out", "request"])
async def test_of_an_opt_out_and_a_request_at_once_one_sees_the_other(
    database: Database, first: str
) -> None:
    """Whatever the order in which both are committed: looked at after the request is on the disk,
    an opt-out that was committed before is always seen."""
    await running(database)
    stage = Stage(database)
    _, attempt = await intended(stage)
    both = [opt_out(database), stage.ledger.request(attempt, LINE, NOW_MS)]
    await asyncio.gather(*(both if first == "opt out" else reversed(both)))
    assert await stage.ledger.hindrance("a1") == "do_not_call"
    await stage.claims.hang_up()


async def test_who_lost_its_lease_neither_intends_nor_requests(database: Database) -> None:
    await running(database, 2)
    zombie, heir = Stage(database, "zombie"), Stage(database, "heir")
    _, attempt = await intended(zombie)
    late = await zombie.claimed()
    later_ms = NOW_MS + LEASE_MS
    assert await zombie.ledger.intend(late, "a2", LINE, later_ms) == "not_held"
    await heir.claims.take_over(10, later_ms)
    assert not await zombie.ledger.request(attempt, LINE, later_ms)
    (held,) = await heir.claims.held()
    assert held.attempt is not None
    assert await heir.ledger.request(held.attempt, LINE, later_ms)
    assert await zombie.ledger.hindrance("a1") == "not_held"
    assert await heir.ledger.hindrance("a1") is None
    for stage in (zombie, heir):
        await stage.claims.hang_up()


async def test_what_another_has_requested_is_not_withdrawn(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    _, attempt = await intended(stage)
    await stage.ledger.request(attempt, LINE, NOW_MS)
    await Stage(database, "heir").claims.take_over(10, NOW_MS + LEASE_MS)
    assert not await stage.ledger.withdraw(attempt, "late", NOW_MS)
    assert await states(database) == ["requested"]
    await stage.claims.hang_up()


async def test_a_call_belongs_to_one_attempt(database: Database) -> None:
    await running(database, 2)
    stage = Stage(database)
    for name in ("a1", "a2"):
        _, attempt = await intended(stage, name)
        await stage.ledger.request(attempt, LINE, NOW_MS)
    assert await stage.ledger.place("a1", "CA1")
    assert not await stage.ledger.adopt("a2", "CA1")
    assert await stage.ledger.owned(["CA1", "CA2"]) == {"CA1"}
    assert await states(database) == ["placed", "requested"]
    await stage.claims.hang_up()
