"""The measurement of the policy finds nothing, and finds something as soon as a rule is taken out:
its oracle does not lean on what it measures."""

from collections.abc import Callable

import pytest

from app.policy import destinations, number_rules
from bench.policy import CASES, Found, fuzzed, golden, report
from bench.policy_golden import NUMBERS
from bench.policy_oracle import Oracle


def nothing(*_args: object, **_named: object) -> None:
    return None


def test_no_forbidden_dial_and_every_refusal_has_its_rule() -> None:
    found = Found()
    fuzzed(found, 1_700, seed=7)
    assert (found.forbidden, found.without_rule, found.not_again) == ([], [], [])
    assert found.cleared.total() > 100
    assert len(found.rules) > 30


def test_nothing_of_the_golden_list_is_refused() -> None:
    found = Found()
    golden(found)
    assert found.refused_golden == []
    assert found.golden >= 150
    assert len(NUMBERS) >= 40
    assert "false refusals" in report(found)
    assert not found.missed


@pytest.mark.parametrize(
    ("module", "name", "by"),
    [
        (destinations, "number_refused", nothing),
        (destinations, "_address_refused", nothing),
        (number_rules, "never_dialled", nothing),
        (number_rules, "_special", nothing),
        (destinations, "odd_characters", nothing),
    ],
    ids=["numbers", "hosts", "premium", "special", "characters"],
)
def test_a_rule_that_is_taken_out_is_missed(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, by: Callable[..., None]
) -> None:
    if name == "odd_characters":
        monkeypatch.setattr("app.policy.numbers.odd_characters", by)
        monkeypatch.setattr("app.policy.numbers._broken_shape", by)
    monkeypatch.setattr(module, name, by)
    found = Found()
    fuzzed(found, 3_400, seed=7)
    assert found.missed


@pytest.mark.parametrize(
    ("asked", "dialled", "why"),
    [
        ("+12015550199", "+12015550199", "neither the caller's own nor on the list"),
        ("+19005551234", "+19005551234", "premium"),
        ("+12015550177", "+12025550143", "something else was dialled than was written"),
        ("sip:a@evil.example", "sip:a@evil.example", "no listed host"),
        ("sip:911@pbx.example.com", "sip:911@pbx.example.com", "emergency"),
        ("sip:a@pbx.example.com?Via=1", "sip:a@pbx.example.com?Via=1", "a header"),
        ("client:eve", "client:eve", "no listed client"),
        ("sales", "+12025550143", "not the configured target"),
        ("+12015550177", "+12015550177", ""),
    ],
)
def test_the_oracle_knows_what_must_not_be(asked: str, dialled: str, why: str) -> None:
    oracle: Oracle = CASES[1].oracle
    assert oracle.forbidden(asked, dialled, "+12015550177") == why
