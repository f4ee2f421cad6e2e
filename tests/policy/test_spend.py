"""Nearing its cap and reaching it, a call's cost brings each of its actions once and in order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.spend import SpendAction, SpendRules, due

WARN, DOWNGRADE, END = SpendAction


@given(
    st.sampled_from(list(SpendAction)),
    st.lists(st.floats(0, 5), min_size=1),
)
def test_each_action_comes_once_and_when_it_is_due(then: SpendAction, costs: list[float]) -> None:
    rules = SpendRules(cap_usd=2.0, warn_share=0.5, then=then)
    done: list[SpendAction] = []
    for cost in sorted(costs):
        now = due(rules, cost, done)
        done += now
        assert (WARN in done) == (cost >= 1.0)
        if then is not WARN:
            assert (then in done) == (cost >= 2.0)
    assert len(done) == len(set(done))
    assert done in ([], [WARN], [WARN, then])


def test_a_jump_over_both_marks_brings_both() -> None:
    assert due(SpendRules(cap_usd=1.0, then=END), 9.0, ()) == [WARN, END]
    assert due(SpendRules(cap_usd=1.0, then=DOWNGRADE), 9.0, (WARN,)) == [DOWNGRADE]


def test_without_a_cap_nothing_is_ever_due() -> None:
    assert due(SpendRules(), 1e9, ()) == []


def test_a_cost_that_is_no_number_is_over_the_cap() -> None:
    assert due(SpendRules(cap_usd=1.0, then=END), math.nan, ()) == [WARN, END]


@pytest.mark.parametrize(
    "wrong", [{"cap_usd": -1.0}, {"cap_usd": math.nan}, {"warn_share": 0.0}, {"warn_share": 1.1}]
)
def test_rules_that_cannot_be_meant_are_not_made(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        SpendRules(**wrong)  # type: ignore[arg-type]
