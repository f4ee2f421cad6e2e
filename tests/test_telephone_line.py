"""A model's wish reaches the world only through the gate, and comes back as a sentence for it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.gate import Gate, Who
from app.policy.decisions import Decision
from app.policy.destinations import Cleared, Purpose
from app.telephone_line import (
    NO_LIST,
    NO_NUMBER,
    NO_NUMBER_TO_LIST,
    NO_TEXTS,
    NOT_BY_SIP,
    NOT_KEPT,
    NOT_SENT,
    Offices,
    TelephoneLine,
)
from tests.onward.house import CALL, CALLER, LINE, house


class Office:
    """Sends and keeps, or does not."""

    def __init__(self, works: bool = True) -> None:
        self.works = works
        self.sent: list[tuple[Cleared, str, str]] = []
        self.kept: list[tuple[dict[str, str], str]] = []
        self.decisions: list[Decision] = []
        self.listed: list[str] = []

    def record(self, decision: Decision) -> None:
        self.decisions.append(decision)

    async def send(self, to: Cleared, text: str, key: str) -> bool:
        self.sent.append((to, text, key))
        return self.works

    async def never_call(self, number: str) -> bool:
        self.listed.append(number)
        return self.works

    async def begin(self, key: str) -> str:
        return "" if self.works else "Not now."

    async def keep(self, fields: dict[str, str], key: str) -> bool:
        self.kept.append((fields, key))
        return self.works


Make = Callable[..., TelephoneLine]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    path, personas = house(tmp_path)
    who = Who(CALL, path, CALLER, LINE)

    def line(office: Office | None = None, caller: str = CALLER) -> TelephoneLine:
        if office is None:
            return TelephoneLine(Gate(personas), lambda: replace(who, caller=caller), Offices())
        gate = Gate(personas, record=office.record)
        offices = Offices(office.send, office.begin, office.keep, office.never_call)
        return TelephoneLine(gate, lambda: replace(who, caller=caller), offices)

    return line


async def test_a_transfer_is_judged_before_it_is_planned_and_not_counted(make: Make) -> None:
    office = Office()
    line = make(office)
    for _ in range(4):
        assert await line.may_transfer("desk") == ""
    assert "country" in await line.may_transfer("abroad")
    assert "no such target" in await line.may_transfer("+14155550111")
    assert [d.by for d in office.decisions] == ["model"] * 6


async def test_a_text_goes_to_the_caller_and_nobody_else(make: Make) -> None:
    office = Office()
    assert await make(office).send_text("Our address.", "k1") == ""
    [(to, text, key)] = office.sent
    assert (to.address, to.purpose, text, key) == (CALLER, Purpose.SMS, "Our address.", "k1")


@pytest.mark.parametrize("caller", ["", "anonymous", "sip:ann@pbx.example.com"])
async def test_a_caller_without_a_number_is_sent_none(make: Make, caller: str) -> None:
    office = Office()
    assert await make(office, caller).send_text("Hello.", "k1") == NO_NUMBER
    assert office.sent == []


async def test_a_number_that_the_policy_refuses_is_sent_none(make: Make) -> None:
    office = Office()
    assert await make(office, "+19005550123").send_text("Hello.", "k1") != ""
    assert office.sent == []
    assert [d.allowed for d in office.decisions] == [False]


async def test_what_did_not_work_is_told(make: Make) -> None:
    line = make(Office(works=False))
    assert await line.send_text("Hello.", "k1") == NOT_SENT
    assert await line.go_on_by_text("k1") == "Not now."
    assert await line.keep_message({"kind": "message"}, "k1") == NOT_KEPT


async def test_what_works_is_told_as_nothing(make: Make) -> None:
    office = Office()
    line = make(office)
    assert await line.go_on_by_text("k1") == ""
    assert await line.keep_message({"kind": "message"}, "k1") == ""
    assert office.kept == [({"kind": "message"}, "k1")]


async def test_a_line_without_offices_says_so(make: Make) -> None:
    line = make()
    assert await line.send_text("Hello.", "k1") == NO_TEXTS
    assert await line.go_on_by_text("k1") == NO_TEXTS
    assert await line.keep_message({}, "k1") == NOT_KEPT


async def test_a_refer_is_promised_only_to_who_came_by_sip(tmp_path: Path) -> None:
    path, personas = house(tmp_path)
    who = Who(CALL, path, CALLER, LINE)

    def line(by_sip: bool) -> TelephoneLine:
        gate = Gate(personas)
        return TelephoneLine(gate, lambda: who, Offices(), how=lambda key: "refer", by_sip=by_sip)

    assert await line(False).may_transfer("desk") == NOT_BY_SIP
    refused = await line(True).may_transfer("desk")
    assert refused not in ("", NOT_BY_SIP), "a number is nothing that a REFER could lead to"


async def test_who_wants_no_more_calls_is_listed_by_the_carriers_number(make: Make) -> None:
    office = Office()
    assert await make(office).never_call("k1") == ""
    assert office.listed == [CALLER]
    assert await make(Office(works=False)).never_call("k1") == NOT_KEPT
    assert await make(office, "anonymous").never_call("k1") == NO_NUMBER_TO_LIST
    assert await make().never_call("k1") == NO_LIST
