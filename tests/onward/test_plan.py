"""A plan survives being written down; nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.onward.happenings import Wanted
from app.onward.plan import Plan, read_plan

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(
    st.builds(
        Plan, st.sampled_from(["transfer", "menu", "voicemail"]), to=TEXT, agent=TEXT, brief=TEXT
    )
)
def test_a_plan_comes_back_as_it_was_written(plan: Plan) -> None:
    assert read_plan(plan.packed()) == plan


def test_a_plan_is_what_is_wanted() -> None:
    assert Plan("transfer", "desk", brief="they are locked in").wanted == Wanted("transfer", "desk")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "null",
        "[]",
        "3",
        '"transfer"',
        "{}",
        '{"what": "dial"}',
        '{"what": ["menu"]}',
        '{"what": "menu", "number": "+14155550100"}',
        '{"what": "transfer", "to": 3}',
        '{"what": "transfer", "brief": null}',
    ],
)
def test_nonsense_is_no_plan(text: str) -> None:
    assert read_plan(text) is None
