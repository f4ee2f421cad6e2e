"""A person is only asked for when all allow it, at every moment up to the request itself; what
cannot be known is left for who asks the carrier; what was permitted for nothing is given back."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from app.campaigns.dialling.words import Wait
from app.campaigns.dialling.writes import Point
from app.campaigns.ports import FateUnknownError, NotPlacedError
from app.policy.dialing.words import Allowed, DialRule, Never, NotNow
from app.records.database import Database
from tests.campaigns.dialling.stage import (
    CAMPAIGN,
    NO_SUCH,
    TIMING,
    TOO_MANY,
    Crash,
    Stage,
    opt_out,
    person,
    rows,
    running,
    set_state,
    states,
)
from tests.campaigns.lists import LINE, NOW_MS, number


async def dialled(stage: Stage) -> None:
    await stage.dial.dial(CAMPAIGN, await stage.claimed(), None)
    await stage.claims.hang_up()


async def test_a_call_is_ordered_once_with_its_attempt(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    await dialled(stage)
    (order,), (row,) = stage.carrier.orders, await rows(database)
    assert (order.attempt_id, order.to, order.from_) == (row["attempt_id"], number(1), LINE)
    assert (row["state"], row["call_id"], row["worker"]) == ("placed", "CA1", "w1")
    assert (await person(database))["state"] == "held"


async def test_a_campaigns_calls_leave_by_its_own_trunk(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    ids = replace(CAMPAIGN.plan.caller_ids, trunk="BY7")
    campaign = replace(CAMPAIGN, plan=replace(CAMPAIGN.plan, caller_ids=ids))
    await stage.dial.dial(campaign, await stage.claimed(), None)
    await stage.claims.hang_up()
    assert [order.trunk for order in stage.carrier.orders] == ["BY7"]


async def test_not_now_puts_it_back_until_then_and_never_closes_it(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    stage.answer = NotNow(DialRule.WINDOW, "it is night there", NOW_MS + 9)
    await dialled(stage)
    contact = await person(database)
    assert (contact["state"], contact["due_at_ms"]) == ("waiting", NOW_MS + 9)
    assert (contact["why_rule"], contact["why"]) == ("window", "it is night there")
    stage.clock.now_ms += 9
    stage.answer = Never(DialRule.NO_CONSENT, "no consent")
    await dialled(stage)
    contact = await person(database)
    assert (contact["state"], contact["why_rule"]) == ("never", "no_consent")
    assert stage.carrier.orders == []
    assert await rows(database) == []


async def test_what_waits_for_a_permit_longer_than_it_is_allowed_is_judged_again(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    stage.answer = Allowed(NOW_MS)
    stage.pace.waits = [Wait(NOW_MS + 1)]
    await dialled(stage)
    assert stage.judged == 2
    assert await states(database) == ["placed"]


Happens = Callable[[Database], Coroutine[Any, Any, None]]


async def paused(database: Database) -> None:
    await set_state(database, "paused")


async def opted_out(database: Database) -> None:
    await opt_out(database, number(1))


@pytest.mark.parametrize("point", ["judged", "intended", "requested"])
@pytest.mark.parametrize(
    ("happens", "state"), [(opted_out, "never"), (paused, "waiting")], ids=["opt-out", "pause"]
)
async def test_what_is_committed_before_the_request_leaves_keeps_it_back(
    database: Database, happens: Happens, state: str, point: str
) -> None:
    """At each moment of the way: once it was judged, once it was intended, once it stood there as
    requested."""
    await running(database)
    stage = Stage(database)
    hindrance, request = stage.ledger.hindrance, stage.ledger.request

    async def request_after(*given: Any) -> bool:
        await happens(database)
        return await request(*given)

    async def hindrance_after(attempt_id: str) -> Any:
        await happens(database)
        return await hindrance(attempt_id)

    match point:
        case "judged":
            stage.pace.meanwhile = partial(happens, database)
        case "intended":
            stage.ledger.request = request_after  # type: ignore[method-assign, assignment]
        case _:
            stage.ledger.hindrance = hindrance_after  # type: ignore[method-assign]
    await dialled(stage)
    assert stage.carrier.orders == []
    assert stage.pace.out == []
    assert (await person(database))["state"] == state
    assert await states(database) == ([] if point == "judged" else ["given_up"])


async def test_a_request_that_could_not_leave_in_time_never_leaves(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    hindrance = stage.ledger.hindrance

    async def slow(attempt_id: str) -> Any:
        stage.clock.now_ms += TIMING.send_within_ms + 1
        return await hindrance(attempt_id)

    stage.ledger.hindrance = slow  # type: ignore[method-assign]
    await dialled(stage)
    assert stage.carrier.orders == []
    assert await states(database) == ["given_up"]
    assert (await person(database))["state"] == "waiting"


@pytest.mark.parametrize("answer", [FateUnknownError("cut"), "never"])
async def test_an_order_without_an_answer_stays_requested(
    database: Database, answer: Exception | str
) -> None:
    await running(database)
    stage = Stage(database, timing=type(TIMING)(request_limit_ms=20))
    stage.carrier.answers = [answer]
    await dialled(stage)
    assert await states(database) == ["requested"]
    assert stage.pace.out == [1]


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (NO_SUCH, "ended", "invalid_number"),
        (NotPlacedError("no"), "ended", "failed"),
        (TOO_MANY, "given_up", None),
    ],
)
async def test_what_the_carrier_refuses(
    database: Database, error: Exception, state: str, outcome: str | None
) -> None:
    await running(database)
    stage = Stage(database)
    stage.carrier.answers = [error]
    await dialled(stage)
    (row,) = await rows(database)
    assert (row["state"], row["outcome"]) == (state, outcome)


async def test_too_many_requests_silence_the_whole_worker(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    stage.carrier.answers = [TOO_MANY]
    await dialled(stage)
    assert stage.mood.quiet_until_ms == NOW_MS + 2_000


async def test_an_intent_of_a_dead_worker_is_gone_on_with(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    await stage.ledger.intend(contact, "a1", "+442079460999", NOW_MS)
    (held,) = await stage.claims.held()
    await stage.dial.dial(CAMPAIGN, held.contact, held.attempt)
    (row,) = await rows(database)
    assert (row["attempt_id"], row["state"], row["from_number"]) == ("a1", "placed", LINE)
    assert [order.from_ for order in stage.carrier.orders] == [LINE]
    await stage.claims.hang_up()


async def test_an_intent_that_may_not_be_dialled_any_more_is_taken_back(
    database: Database,
) -> None:
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    await stage.ledger.intend(contact, "a1", LINE, NOW_MS)
    (held,) = await stage.claims.held()
    stage.answer = NotNow(DialRule.WINDOW, "it is night there", NOW_MS + 9)
    await stage.dial.dial(CAMPAIGN, held.contact, held.attempt)
    assert await states(database) == ["given_up"]
    after = await person(database)
    assert (after["state"], after["due_at_ms"], after["attempts"]) == ("waiting", NOW_MS + 9, 1)
    await stage.claims.hang_up()


@pytest.mark.parametrize(
    ("point", "left"),
    [
        (("after", "intend"), "intended"),
        (("after", "request"), "requested"),
        (("before", "send"), "requested"),
        (("after", "send"), "requested"),
        (("before", "place"), "requested"),
        (("after", "place"), "placed"),
    ],
)
async def test_what_stands_there_after_a_death(database: Database, point: Point, left: str) -> None:
    """The ledger is never behind what the carrier may know. On SQLite such a death ends the task
    that writes, so what dies is looked at where each write is a transaction of its own."""
    if database.kind == "sqlite" and point[1] != "send":
        return
    await running(database)
    stage = Stage(database)
    contact = await stage.claimed()
    stage.points.crash = point
    with pytest.raises(Crash):
        await stage.dial.dial(CAMPAIGN, contact, None)
    assert await states(database) == [left]
    asked = bool(stage.carrier.orders)
    assert asked is (point in ((("after", "send"), ("before", "place"), ("after", "place"))))
    await stage.claims.hang_up()


async def test_a_worker_that_leaves_dials_nobody_more(database: Database) -> None:
    await running(database)
    stage = Stage(database)
    stage.mood.leaving = True
    await dialled(stage)
    assert stage.carrier.orders == []
    assert (await person(database))["state"] == "waiting"
