"""Every dial takes the first step that fits and is not used up; no step is taken more often than it
may be, so every sequence ends; a retry after a long wait comes at another hour of the day."""

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.following import (
    APART_MS,
    DAY_MS,
    HOUR_MS,
    Again,
    Dialled,
    Done,
    Message,
    NeverAgain,
    Next,
    StepError,
    wait_ms,
    what_next,
)
from app.campaigns.outcomes import Outcome
from app.campaigns.plan import USUAL_STEPS, Came, Step
from app.policy.dialing.deciding import may_dial
from app.policy.dialing.words import Allowed, History, NotNow
from tests.policy.dialing.stage import ALWAYS, NEW_YORKER, law_of, ms, week

HOME, WORK, OTHER = "+12125550123", "+12125550124", "+12125550125"
NINE = ms("2026-11-23T14:00")


def dial(outcome: Outcome, at_ms: int = NINE, number: str = HOME, **more: object) -> Dialled:
    return Dialled(number=number, outcome=outcome, ended_at_ms=at_ms, **more)  # type: ignore[arg-type]


def after(
    *dials: Dialled, steps: Sequence[Step] = USUAL_STEPS, numbers: Sequence[str] = (HOME,)
) -> Next:
    return what_next(steps, dials, numbers)


def test_busy_is_tried_again_soon_and_then_given_up() -> None:
    busy = dial(Outcome.BUSY)
    assert after(busy) == Next((), Again(NINE + 20 * 60_000, HOME, "retry", 0))
    assert after(busy, busy).then == Again(NINE + 20 * 60_000, HOME, "retry", 0)
    assert after(busy, busy, busy) == Next((), Done("exhausted"))


def test_each_step_is_counted_by_itself() -> None:
    seen = after(dial(Outcome.BUSY), dial(Outcome.BUSY), dial(Outcome.FAILED)).then
    assert isinstance(seen, Again)
    assert (seen.step, seen.at_ms) == (1, NINE + HOUR_MS)


def test_a_conversation_ends_it_unless_it_says_otherwise() -> None:
    assert after(dial(Outcome.ANSWERED)) == Next((), Done("reached"))
    asked = dial(Outcome.ANSWERED, disposition="callback", callback_at_ms=NINE + 5 * HOUR_MS)
    assert after(asked).then == Again(NINE + 5 * HOUR_MS, HOME, "callback", 4)
    vague = dial(Outcome.ANSWERED, disposition="callback")
    assert after(vague).then == Again(NINE + 4 * HOUR_MS, HOME, "callback", 4)
    past = dial(Outcome.ANSWERED, disposition="callback", callback_at_ms=NINE - 1)
    assert after(past).then == Again(NINE + 4 * HOUR_MS, HOME, "callback", 4)


def test_a_day_later_is_at_another_hour() -> None:
    then = after(dial(Outcome.NO_ANSWER)).then
    assert then == Again(NINE + DAY_MS + 3 * HOUR_MS, HOME, "retry", 2)
    later = after(dial(Outcome.NO_ANSWER), dial(Outcome.NO_ANSWER, NINE + 27 * HOUR_MS)).then
    assert isinstance(later, Again)
    assert all(
        (later.at_ms - failed) % DAY_MS >= APART_MS for failed in (NINE, NINE + 27 * HOUR_MS)
    )


def test_the_other_hour_is_one_that_the_policy_allows() -> None:
    rules, law = replace(ALWAYS, week=week((9, 17))), law_of()

    def opens(at_ms: int) -> int | None:
        answer = may_dial(NEW_YORKER, History(), rules, law, at_ms)
        if isinstance(answer, Allowed):
            return at_ms
        return answer.again_ms if isinstance(answer, NotNow) else None

    failed = dial(Outcome.NO_ANSWER, ms("2026-11-23T21:30"))  # 16:30 in New York.
    then = what_next(USUAL_STEPS, [failed], (HOME,), opens).then
    assert then == Again(ms("2026-11-25T14:00"), HOME, "retry", 2)


def test_a_wrong_number_leads_to_the_next_one_and_never_back() -> None:
    numbers = (HOME, WORK, OTHER)
    first = dial(Outcome.INVALID_NUMBER)
    then = after(first, numbers=numbers).then
    assert isinstance(then, Again) and (then.number, then.why) == (WORK, "other_number")
    second = dial(Outcome.FAX, number=WORK)
    then = after(first, second, numbers=numbers).then
    assert isinstance(then, Again) and then.number == OTHER
    third = dial(Outcome.INVALID_NUMBER, number=OTHER)
    assert after(first, second, third, numbers=numbers) == Next((), Done("exhausted"))


def test_a_number_never_dialled_comes_before_one_that_was() -> None:
    step = (Step(on=("no_answer",), then="other_number", times=9),)
    dials = [dial(Outcome.NO_ANSWER, number=number) for number in (HOME, WORK)]
    then = after(*dials, steps=step, numbers=(HOME, WORK, OTHER)).then
    assert isinstance(then, Again) and then.number == OTHER
    then = after(*dials, steps=step, numbers=(HOME, WORK)).then
    assert isinstance(then, Again) and then.number == HOME


def test_a_message_does_not_end_the_sequence() -> None:
    steps = (
        Step(on=("no_answer",), then="sms", text="We called.", after="5m"),
        Step(on=("no_answer",), after="1h", times=2),
    )
    missed = dial(Outcome.NO_ANSWER)
    assert after(missed, steps=steps) == Next(
        (Message("We called.", NINE + 5 * 60_000, HOME, 0),),
        Again(NINE + HOUR_MS, HOME, "retry", 1),
    )
    assert after(missed, missed, steps=steps).messages == ()
    assert after(missed, missed, missed, steps=steps) == Next((), Done("exhausted"))


def test_done_and_never() -> None:
    steps = (
        Step(dispositions=("opt_out",), then="never"),
        Step(on=("answered",), dispositions=("sold",), then="done"),
    )
    assert after(dial(Outcome.ANSWERED, disposition="opt_out"), steps=steps).then == NeverAgain(0)
    assert after(dial(Outcome.ANSWERED, disposition="sold"), steps=steps).then == Done("asked")
    assert after(dial(Outcome.NO_ANSWER, disposition="sold"), steps=steps).then == Done("exhausted")


def test_a_step_without_a_condition_fits_nothing() -> None:
    assert after(dial(Outcome.BUSY), steps=(Step(then="never"),)).then == Done("exhausted")


def test_waits() -> None:
    assert [wait_ms(text) for text in ("30m", "4h", "2d")] == [1_800_000, 14_400_000, 172_800_000]
    for wrong in ("", "4", "4y", "-1h", "1.5h", "soon"):
        with pytest.raises(StepError, match="expected a wait"):
            wait_ms(wrong)
    with pytest.raises(ValueError, match="at least one dial"):
        what_next(USUAL_STEPS, [], (HOME,))


came = st.sampled_from(get_args(Came))
plans = st.lists(
    st.builds(
        Step,
        on=st.lists(came, min_size=1, max_size=3).map(tuple),
        then=st.sampled_from(("retry", "other_number", "sms", "callback", "done", "never")),
        after=st.sampled_from(("5m", "7h", "2d")),
        times=st.integers(1, 3),
    ),
    max_size=5,
)


@given(steps=plans, luck=st.lists(st.sampled_from(list(Outcome)), min_size=60, max_size=60))
def test_every_sequence_ends_and_none_goes_back_in_time(
    steps: list[Step], luck: list[Outcome]
) -> None:
    numbers = (HOME, WORK, OTHER)
    dials = [dial(luck[0])]
    sent = 0
    while True:
        found = what_next(steps, dials, numbers)
        sent += len(found.messages)
        if not isinstance(found.then, Again):
            break
        assert found.then.at_ms > dials[-1].ended_at_ms
        assert found.then.number in numbers
        dials.append(dial(luck[len(dials)], found.then.at_ms, found.then.number))
    assert len(dials) - 1 <= sum(step.times for step in steps)
    assert sent <= sum(step.times for step in steps if step.then == "sms")
