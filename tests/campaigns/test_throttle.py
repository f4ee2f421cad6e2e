"""The pace falls before the limit is reached; above it the rate can only fall, or nothing is
dialled; and it always says why it is slower than the plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.throttle import LEAST_SHARE, Answers, Throttle, throttled, was_abandoned

NONE = Answers()


@pytest.mark.parametrize(
    ("answered", "abandoned", "level", "share"),
    [
        (0, 0, "full", 1.0),
        (1, 0, "full", 1.0),
        (1000, 14, "full", 1.0),
        (1000, 15, "near", 1.0),
        (1000, 20, "near", 0.7),
        (10_000, 299, "near", 0.106),
        (1000, 30, "over", LEAST_SHARE),
        (33, 1, "over", LEAST_SHARE),
        (34, 1, "near", 0.135),
        (1, 1, "over", LEAST_SHARE),
    ],
)
def test_the_pace_falls_as_the_rate_nears_the_limit(
    answered: int, abandoned: int, level: str, share: float
) -> None:
    throttle = throttled(Answers(answered, abandoned), NONE, 0.03)
    assert throttle.level == level
    assert throttle.share == pytest.approx(share, abs=0.001)
    assert throttle.alone is (level == "over")


@pytest.mark.parametrize(
    ("since", "level"),
    [
        (Answers(1, 1), "over"),
        (Answers(2, 2), "stopped"),
        (Answers(66, 2), "stopped"),
        (Answers(67, 2), "over"),
        (Answers(500, 14), "over"),
    ],
)
def test_above_the_limit_it_stops_when_the_new_answers_do_not_bring_it_down(
    since: Answers, level: str
) -> None:
    throttle = throttled(Answers(1000, 40), since, 0.03)
    assert throttle.level == level
    assert (throttle.share == 0) is (level == "stopped")


@given(
    answered=st.integers(0, 5000),
    part=st.floats(0, 1),
    limit=st.sampled_from([0.0, 0.01, 0.03, 0.5, 1.0]),
)
def test_more_abandoned_calls_never_raise_the_pace(
    answered: int, part: float, limit: float
) -> None:
    abandoned = int(answered * part)
    here = throttled(Answers(answered, abandoned), NONE, limit)
    more = throttled(Answers(answered + 1, abandoned + 1), NONE, limit)
    assert more.share <= here.share
    assert bool(here.why) is (here.level != "full")
    assert LEAST_SHARE <= here.share <= 1


def test_it_says_why() -> None:
    near = throttled(Answers(100, 2), NONE, 0.03)
    assert near.why == (
        "2 of 100 live answers of 30 days were abandoned (2.00%, limit 3.00%): the pace is 70% of "
        "its full height"
    )
    over = throttled(Answers(100, 5), NONE, 0.03)
    assert over.why.endswith(": one call at a time until the rate is below the limit")
    stopped = throttled(Answers(100, 5), Answers(7, 2), 0.03)
    assert "and 2 of 7 since then, one call at a time: nothing is dialled" in stopped.why


def test_a_limit_of_all_is_none_and_one_of_nothing_bears_nothing() -> None:
    assert throttled(Answers(10, 10), NONE, 1.0) == Throttle("full")
    assert throttled(Answers(10, 0), NONE, 0.0) == Throttle("full")
    assert throttled(Answers(10_000, 1), NONE, 0.0).level == "over"


@pytest.mark.parametrize(
    ("first_audio_ms", "now_ms", "ended", "verdict"),
    [
        (2_000, 9_000, True, False),
        (2_001, 2_001, False, True),
        (None, 2_000, False, None),
        (None, 2_001, False, True),
        (None, 500, True, True),
    ],
)
def test_two_seconds_of_silence_are_an_abandoned_call(
    first_audio_ms: int | None, now_ms: int, ended: bool, verdict: bool | None
) -> None:
    first = None if first_audio_ms is None else 1_000_000 + first_audio_ms
    assert was_abandoned(1_000_000, first, 1_000_000 + now_ms, ended=ended) is verdict
