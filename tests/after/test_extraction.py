"""Invariant: a call's record is asked for, mended once, and bounded in requests, time and tokens;
whatever the model does, something true comes of it."""

import json

import pytest

from app.after.extraction import Extracted, ExtractionLimits, Extractor
from app.agents.after_table import AfterCall
from app.call.prices import Prices
from app.models.openai_answer import TextFailed
from tests.after.talk import BOOKING, QUICK, TABLE, USAGE, FakeModel, conversation
from tests.after.test_checking import RIGHT

PRICES = Prices(1.0, 0.1, 0, 0, 10.0, 0)
BUSY = TextFailed("limited", "HTTP 429, rate_limit_exceeded")
FINE = json.dumps(RIGHT)
WRONG_DAY = json.dumps(
    {**RIGHT, "fields": {**RIGHT["fields"], "day": {"value": "Friday", "evidence": None}}}
)


async def extracted(
    model: FakeModel, limits: ExtractionLimits = QUICK, table: AfterCall = TABLE
) -> Extracted:
    extractor = Extractor(model, {"m": PRICES}.get, limits)
    return await extractor.extract(table, "m", BOOKING)


async def test_a_right_answer_takes_one_request_and_says_what_it_cost() -> None:
    model = FakeModel(FINE)
    found = await extracted(model)
    assert found.status == "ok"
    assert (found.asked, found.usage, found.model) == (1, USAGE, "m")
    assert found.cost_usd == pytest.approx((100 * 1.0 + 10 * 10.0) / 1e6)
    assert found.answer == ""
    [asked] = model.asked
    assert asked["text"] == BOOKING.as_text()
    assert "A table for four" not in asked["instructions"]
    assert asked["tokens"] == QUICK.tokens + 4 * QUICK.field_tokens


async def test_what_is_told_has_every_name_that_was_asked_for() -> None:
    told = (await extracted(FakeModel(FINE))).as_json()
    assert told == {
        "status": "ok",
        "summary": "A table for four was booked.",
        "disposition": "booked",
        "fields": {"guests": 4, "phone": "+15550100123", "day": "2026-11-27", "room": "garden"},
        "evidence": {
            "guests": "a table for four",
            "phone": "+1 555 010 0123",
            "room": "in the garden",
            "disposition": "It is booked.",
        },
        "problems": {},
        "model": "m",
        "cost_usd": pytest.approx(0.0002),
    }


async def test_a_wrong_answer_is_mended_once() -> None:
    model = FakeModel(WRONG_DAY, FINE)
    found = await extracted(model)
    assert (found.status, found.asked) == ("ok", 2)
    assert found.usage.total_tokens == 2 * USAGE.total_tokens
    assert "- day: not in the form" in model.prompts[1]
    assert "Friday" not in model.prompts[1]


async def test_what_is_wrong_twice_is_null_and_the_rest_is_kept() -> None:
    model = FakeModel(WRONG_DAY)
    found = await extracted(model)
    assert (found.status, found.asked) == ("partial", 2)
    assert found.as_json()["problems"] == {"day": "wrong_form"}
    assert found.checked.fields["guests"].value == 4
    assert found.answer == WRONG_DAY


async def test_made_up_evidence_is_not_asked_about_again() -> None:
    answer = {**RIGHT, "disposition": {"value": "paid", "evidence": "I paid by card"}}
    found = await extracted(FakeModel(json.dumps(answer)))
    assert (found.status, found.asked) == ("partial", 1)
    assert found.as_json()["disposition"] is None
    assert found.as_json()["problems"] == {"disposition": "made_up"}


async def test_nonsense_twice_is_a_failure_with_the_answer_kept() -> None:
    found = await extracted(FakeModel("Certainly! Here it is."))
    assert (found.status, found.cause, found.asked) == ("failed", "unusable", 2)
    assert found.answer == "Certainly! Here it is."
    assert found.as_record()["answer"] == "Certainly! Here it is."
    assert "answer" not in found.as_json()


async def test_a_busy_service_is_asked_again_and_no_more_often_than_allowed() -> None:
    assert (await extracted(FakeModel(BUSY, BUSY, FINE))).status == "ok"
    model = FakeModel(BUSY)
    found = await extracted(model)
    assert (found.status, found.asked) == ("failed", QUICK.attempts)
    assert found.cause == "limited: HTTP 429, rate_limit_exceeded"
    assert len(model.asked) == QUICK.attempts
    assert found.as_json()["fields"] == dict.fromkeys(TABLE.fields)


async def test_a_refusal_is_not_repeated() -> None:
    model = FakeModel(TextFailed("refused", "HTTP 401, invalid_api_key"))
    assert (await extracted(model)).status == "failed"
    assert len(model.asked) == 1


async def test_a_failed_mending_leaves_what_was_there() -> None:
    found = await extracted(FakeModel(WRONG_DAY, TextFailed("refused")))
    assert found.status == "partial"
    assert found.checked.summary


async def test_all_requests_share_one_time() -> None:
    limits = ExtractionLimits(attempt_s=30.0, whole_s=100.0, wait_s=0.0)
    now_s = iter(range(0, 10_000, 40))
    model = FakeModel(TextFailed("late"))
    extractor = Extractor(model, lambda name: None, limits, lambda: float(next(now_s)))
    found = await extractor.extract(TABLE, "m", BOOKING)
    assert found.status == "failed"
    assert len(model.asked) < limits.attempts
    assert all(asked["timeout_s"] <= 30.0 for asked in model.asked)
    assert found.cost_usd is None


async def test_a_caller_who_said_nothing_costs_nothing() -> None:
    model = FakeModel(FINE)
    extractor = Extractor(model, lambda name: None, QUICK)
    found = await extractor.extract(TABLE, "m", conversation("Agent: Hello?"))
    assert found.status == "nothing_said"
    assert model.asked == []
    assert found.as_json()["fields"] == dict.fromkeys(TABLE.fields)


async def test_only_what_is_declared_is_asked_for() -> None:
    model = FakeModel('{"summary": "A call."}')
    found = await extracted(model, table=AfterCall())
    assert found.as_json()["summary"] == "A call."
    assert "disposition" not in found.as_json()
    assert list(model.asked[0]["schema"].schema["properties"]) == ["summary"]
