"""The verdict on each number of a table that was written by hand, over the shipped rules and the
world's real time zones and holidays; and beside each stretch of time, the millisecond before it."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from app.campaigns.jurisdictions import load_law
from app.campaigns.places import PublicHolidays, places
from app.policy.dialing.deciding import Law, may_dial
from app.policy.dialing.people import person_of
from app.policy.dialing.words import Allowed, Answer, DialRules, History, Never
from app.policy.hours import Span
from tests.policy.dialing.stage import ALWAYS, CONSENT, ms, week

ROWS = list(
    csv.DictReader(Path(__file__).with_name("golden.csv").read_text(encoding="utf-8").splitlines())
)
PLANS: dict[str, DialRules] = {
    "wide": ALWAYS,
    "daily": replace(ALWAYS, week=week((9, 20))),
    "office": replace(
        ALWAYS,
        purpose="service",
        skip_holidays=True,
        week={day: (Span(9 * 60, 17 * 60),) for day in range(5)},
    ),
    "night": replace(ALWAYS, purpose="emergency", week=week((22, 26))),
    "dawn": replace(ALWAYS, purpose="emergency", week={day: (Span(135, 195),) for day in range(7)}),
}
LAW = Law(load_law(), PublicHolidays())


def verdict(row: dict[str, str], at_ms: int) -> Answer:
    person = person_of(
        row["number"],
        places(),
        zones_column=row["zones"],
        address_zones=row["address_zones"],
        subdivision=row["subdivision"],
        consent=CONSENT,
    )
    return may_dial(person, History(), PLANS[row["plan"]], LAW, at_ms)


def test_the_table_is_large_enough() -> None:
    assert len(ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['number']} {row['note']}" for row in ROWS])
def test_each_verdict_is_the_one_written_by_hand(row: dict[str, str]) -> None:
    at_ms = ms(row["at"])
    answer = verdict(row, at_ms)
    if isinstance(answer, Allowed):
        assert (row["verdict"], ms(row["then"])) == ("allowed", answer.until_ms)
        assert isinstance(verdict(row, answer.until_ms - 1), Allowed)
        assert not isinstance(verdict(row, answer.until_ms), Allowed)
    elif isinstance(answer, Never):
        assert row["verdict"] == f"never {answer.rule}"
    else:
        assert (row["verdict"], ms(row["then"])) == (answer.rule, answer.again_ms)
        assert isinstance(verdict(row, answer.again_ms), Allowed)
        assert not isinstance(verdict(row, answer.again_ms - 1), Allowed)
