"""Dialler workers that are killed at every step of the dial path, and at random, dial nobody twice
for one attempt and lose nobody: the ledger and the carrier's own log agree, call by call."""

from typing import NamedTuple

from bench.dialling import PLAN, POINTS, RARE, hold
from bench.dialling_audit import Rows, audit
from tests.records.conftest import database_url, postgres

__all__ = ["database_url", "postgres"]

PEOPLE = 200


def test_kill_9_at_every_step(database_url: str) -> None:
    workers = 1 if database_url.startswith("sqlite") else 2
    told = hold(database_url, workers, PEOPLE, 8, 6)
    assert {name: found for name, found in told.audit.problems.items() if found} == {}
    ends = [told.audit.figures[f"contacts {state}"] for state in ("done", "never")]
    assert sum(ends) == PEOPLE
    # How many of the eight find a worker to kill before all is dialled is a matter of speed.
    assert told.killed + told.stopped >= 4
    assert {point for point in POINTS if point[1] not in RARE} <= told.died_at <= POINTS


def test_the_audit_finds_what_it_looks_for() -> None:
    """A call that the ledger has given up, one that was asked for twice, one that nobody knows."""
    call = {"call_id": "CA1", "attempt_id": "a1", "to": "+1", "way": "busy", "created_at_ms": 1}
    row = Attempted("a1", 1, 1, "+1", "given_up", None, None, 1, 5, "")
    again = Attempted("a2", 1, 2, "+1", "ended", "CA2", "answered", 2, 9, "")
    person = Person(1, "spring", "+1", ("+1",), "done", 2, None)
    log = {
        "calls": [call, {**call, "call_id": "CA3"}],
        "asked": [("a1", "+1", 1), ("a1", "+1", 2), ("a9", "+1", 50_000)],
        "refused": {},
    }
    found = audit(Rows([person], [row, again], {"+1": 3}), log, PLAN, [(40_000, 60_000)])
    assert {name: len(some) for name, some in found.problems.items()} == {
        "attempts with two calls": 1,
        "attempts that the carrier was asked for twice": 1,
        "calls that the ledger does not know": 1,
        "attempts that differ from the carrier's log": 2,
        "contacts lost": 0,
        "contacts dialled that must not be": 0,
        "dialled after they were put on the list": 1,
        "asked for while the campaign was paused": 1,
        "calls to one number at once": 0,
    }


class Attempted(NamedTuple):
    attempt_id: str
    contact_id: int
    ordinal: int
    number: str
    state: str
    call_id: str | None
    outcome: str | None
    intended_at_ms: int
    ended_at_ms: int
    detail: str


class Person(NamedTuple):
    contact_id: int
    campaign_id: str
    number: str
    numbers: tuple[str, ...]
    state: str
    attempts: int
    worker: str | None
