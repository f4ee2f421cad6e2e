"""A list holds what was asked for and nothing else, whole over all its pages, newest first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lab.carrier.calls import CarrierCall
from app.lab.carrier.parties import Party
from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import CallIdentity
from app.lab.phone.rest_list import page_of, read_wanted
from app.lab.phone.rest_order import CallOrder
from app.lab.phone.rest_wire import RestError

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ORDER = CallOrder(TwimlSource("http://bot.test/voice"), None, None, 60_000, None, None)


def call(number: int, *, to: str = "+1", dialled: datetime | None = NOON) -> CarrierCall:
    identity = CallIdentity(f"CA{number:032}", "AC1", "+2", to, "outbound-api")
    one = CarrierCall(identity, ORDER, Party(), int(NOON.timestamp() * 1000), 0, 1.0)
    one.dialled_ms = None if dialled is None else int(dialled.timestamp() * 1000)
    return one


def page(path: str, calls: list[CarrierCall]) -> dict[str, Any]:
    import json

    answer = page_of(make_mocked_request("GET", path), reversed(calls))
    body = json.loads(answer.text or "")
    assert isinstance(body, dict)
    return body


def sids(calls: list[CarrierCall]) -> list[str]:
    return [one.identity.call_sid for one in calls]


@settings(deadline=None)
@given(count=st.integers(0, 30), size=st.integers(1, 12), late=st.integers(0, 5))
def test_pages_hold_each_call_once_while_new_ones_arrive(count: int, size: int, late: int) -> None:
    calls = [call(n) for n in range(count)]
    before, seen = sids(calls), []
    path: str | None = f"/Calls.json?To=%2B1&PageSize={size}"
    while path is not None:
        body = page(path, calls)
        assert len(body["calls"]) <= size
        seen += [one["sid"] for one in body["calls"]]
        path = body["next_page_uri"]
        calls += [call(100 + len(calls) + n) for n in range(late)]
    assert seen == before[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("StartTime%3E=2026-01-02", True),
        ("StartTime%3E=2026-01-03", False),
        ("StartTime%3E=2026-01-02T12:00:00Z", True),
        ("StartTime%3E=2026-01-02T12:00:01Z", False),
        ("StartTime%3C=2026-01-02", False),
        ("StartTime%3C=2026-01-02T12:00:01Z", True),
        ("StartTime=2026-01-02", True),
        ("StartTime=2026-01-01", False),
        ("To=%2B1&From=%2B2", True),
        ("To=%2B3", False),
        ("From=%2B3", False),
        ("Status=queued", True),
        ("Status=ringing", False),
        ("EndTime%3E=2026-01-02", False),
        ("ParentCallSid=CA9", False),
    ],
)
def test_a_filter_lets_through_what_fits(query: str, found: bool) -> None:
    one = call(1, dialled=NOON + timedelta(milliseconds=400))
    assert sids([one] if found else []) == [
        listed["sid"] for listed in page(f"/Calls.json?{query}", [one])["calls"]
    ]


def test_a_call_that_waits_has_no_start_that_a_filter_could_find() -> None:
    body = page("/Calls.json?StartTime%3E=2020-01-01", [call(1, dialled=None)])
    assert body["calls"] == []
    assert len(page("/Calls.json", [call(1, dialled=None)])["calls"]) == 1


@pytest.mark.parametrize("query", [{"StartTime": "soon"}, {"EndTime<": "1st of May"}])
def test_a_time_that_is_none_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RestError):
        read_wanted(query)
