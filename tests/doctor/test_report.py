"""The report's verdict follows from its checks, and a mask gives no secret away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.doctor.report import Check, Report, Status, masked

statuses: st.SearchStrategy[Status] = st.sampled_from(["ok", "warn", "fail", "skip"])


def report(*given: Status) -> Report:
    return Report(tuple(Check("g", "n", status, "s") for status in given))


@given(st.lists(statuses))
def test_only_a_failure_makes_the_exit_code_1(given_statuses: list[Status]) -> None:
    made = report(*given_statuses)
    assert made.exit_code == (1 if "fail" in given_statuses else 0)
    assert made.summary.startswith("Not ready" if "fail" in given_statuses else "Ready")


@pytest.mark.parametrize(
    ("found", "summary"),
    [
        (report("ok", "skip"), "Ready for calls."),
        (report("warn"), "Ready for calls, 1 to look at."),
        (
            report("warn", "fail", "warn"),
            "Not ready for calls: 1 thing needs mending, 2 to look at.",
        ),
        (report("fail", "fail"), "Not ready for calls: 2 things need mending."),
    ],
)
def test_the_summary_counts(found: Report, summary: str) -> None:
    assert found.summary == summary


@given(st.text("!#%&*", min_size=1))
def test_a_mask_shows_at_most_the_end_of_a_long_secret(secret: str) -> None:
    shown = masked(secret)
    assert sum(shown.count(c) for c in "!#%&*") <= (4 if len(secret) >= 20 else 0)
