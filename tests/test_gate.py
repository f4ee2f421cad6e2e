"""Nothing goes out that the gate did not clear: rules first, then limits, and each decision is
written down once, without a number."""

import logging
from pathlib import Path

import pytest

from app.gate import Gate, Who
from app.policy.decisions import Decision
from app.policy.destinations import By, Cleared, Purpose
from app.policy.verdicts import Refused, Rule
from tests.onward.house import CALL, CALLER, DESK, LINE, house


class Kept:
    """Decisions, and counts that all workers share."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.counts: dict[str, int] = {}
        self.away = False

    def __call__(self, decision: Decision) -> None:
        self.decisions.append(decision)

    async def add(self, key: str, ttl_s: int, n: int) -> int | None:
        if self.away:
            return None
        self.counts[key] = self.counts.get(key, 0) + n
        return self.counts[key]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def who(tmp_path: Path) -> Who:
    return Who(CALL, house(tmp_path)[0], CALLER, LINE)


@pytest.fixture
def gate(tmp_path: Path, kept: Kept) -> Gate:
    return Gate(house(tmp_path)[1], kept, kept, now_s=lambda: 1_800_000_000.0)


async def test_the_operators_transfer_is_cleared_for_what_was_asked_only(
    gate: Gate, who: Who
) -> None:
    cleared = await gate.clear(who, "desk", Purpose.TRANSFER, By.MODEL)
    assert isinstance(cleared, Cleared)
    assert (cleared.address, cleared.key, cleared.purpose) == (DESK, "desk", Purpose.TRANSFER)


@pytest.mark.parametrize(
    ("target", "purpose", "rule"),
    [
        ("abroad", Purpose.TRANSFER, Rule.COUNTRY),
        ("+14155550111", Purpose.TRANSFER, Rule.NOT_A_TARGET),
        ("nobody", Purpose.TRANSFER, Rule.NOT_A_TARGET),
        ("desk", Purpose.REFER, Rule.WRONG_KIND),
        ("client", Purpose.SMS, Rule.WRONG_KIND),
    ],
)
async def test_what_the_rules_refuse_is_refused_and_costs_no_limit(
    gate: Gate, who: Who, kept: Kept, target: str, purpose: Purpose, rule: Rule
) -> None:
    verdict = await gate.clear(who, target, purpose, By.MODEL)
    assert isinstance(verdict, Refused)
    assert verdict.rule is rule
    assert kept.counts == {}


async def test_the_lines_own_number_is_no_destination(gate: Gate, who: Who) -> None:
    verdict = await gate.clear(who, LINE, Purpose.TRANSFER, By.OPERATOR)
    assert isinstance(verdict, Refused)
    assert verdict.rule is Rule.OWN_NUMBER


async def test_limits_count_what_is_done_and_not_what_is_only_asked(gate: Gate, who: Who) -> None:
    for _ in range(5):
        asked = await gate.clear(who, "desk", Purpose.TRANSFER, By.MODEL, counts=False)
        assert isinstance(asked, Cleared)
    done = [await gate.clear(who, "desk", Purpose.TRANSFER, By.OPERATOR) for _ in range(3)]
    assert [isinstance(one, Cleared) for one in done] == [True, True, False]
    assert isinstance(done[2], Refused)
    assert done[2].rule is Rule.DIALS_PER_CALL


async def test_limits_hold_while_the_common_counts_are_away(
    gate: Gate, who: Who, kept: Kept
) -> None:
    kept.away = True
    done = [await gate.clear(who, "desk", Purpose.TRANSFER, By.OPERATOR) for _ in range(3)]
    assert [isinstance(one, Cleared) for one in done] == [True, True, False]


async def test_a_call_that_others_counted_elsewhere_is_counted_with_theirs(
    tmp_path: Path, who: Who, kept: Kept
) -> None:
    personas = house(tmp_path)[1]
    workers = [Gate(personas, kept) for _ in range(3)]
    done = [await one.clear(who, "desk", Purpose.TRANSFER, By.OPERATOR) for one in workers]
    assert [isinstance(one, Cleared) for one in done] == [True, True, False]


async def test_each_decision_is_written_down_and_logged_without_a_number(
    gate: Gate, who: Who, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await gate.clear(who, "desk", Purpose.TRANSFER, By.MODEL)
    await gate.clear(who, "+442079460123", Purpose.TRANSFER, By.MODEL)
    yes, no = kept.decisions
    assert (yes.call_id, yes.action, yes.allowed, yes.rule, yes.by) == (
        CALL, "transfer", True, "", "model",
    )  # fmt: skip
    assert (no.allowed, no.rule, no.subject_masked) == (False, "not_a_target", "…23")
    assert yes.at.tzinfo is not None
    written = yes.as_json + no.as_json + "".join(str(vars(record)) for record in caplog.records)
    assert "14155550100" not in written
    assert "442079460123" not in written
    told = [record.message for record in caplog.records if record.name == "app.gate"]
    assert told == ["allowed", "refused by policy"]


async def test_a_line_without_a_number_counts_as_the_operators_own(tmp_path: Path) -> None:
    path, personas = house(tmp_path)
    by_sip = Who(CALL, path, "sip:ann@pbx.example.com", "sip:bot@lab.sip.twilio.com")
    bare, known = Gate(personas), Gate(personas, own_number=LINE)

    refused = await bare.clear(by_sip, "desk", Purpose.TRANSFER, By.OPERATOR)
    assert isinstance(refused, Refused)
    assert refused.rule is Rule.COUNTRY
    assert isinstance(await known.clear(by_sip, "desk", Purpose.TRANSFER, By.OPERATOR), Cleared)
