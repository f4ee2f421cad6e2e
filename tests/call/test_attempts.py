"""Sessions are tried on every model once without a wait, then with growing ones; never on a model
that is out. What the relay makes of it is in test_relay.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.attempts import FATAL_CAUSES, TRANSITIONS, Attempts, AttemptState
from app.call.commands import OpenLeg
from app.call.relay_settings import RelaySettings

SETTINGS = RelaySettings(models=3, attempt_ms=1_500, backoff_ms=100, backoff_most_ms=400)


def begun(model: int = 0, models: int = 3, call_id: str = "CA1") -> Attempts:
    attempts = Attempts(SETTINGS)
    attempts.of(models)
    attempts.begin(call_id, model)
    return attempts


def failing(attempts: Attempts, times: int) -> list[tuple[int, int]]:
    """The model of each attempt, and how long it waited, when every one fails at once."""
    found, now_ms = [], 0
    for _ in range(times):
        at_once = attempts.first or attempts.go_on(now_ms)
        due_ms = now_ms if at_once else attempts.due_ms
        assert due_ms is not None
        assert at_once or attempts.rested(due_ms)
        found.append((attempts.open(due_ms).model, due_ms - now_ms))
        now_ms = due_ms
        attempts.failed()
    return found


def test_every_model_is_tried_at_once_and_then_waited_for() -> None:
    found = failing(begun(model=1), 30)

    assert [model for model, _ in found] == [1, 2, 0] * 10
    assert [wait_ms for _, wait_ms in found[:3]] == [0, 0, 0]
    assert 200 < max(wait_ms for _, wait_ms in found) <= SETTINGS.backoff_most_ms
    assert all(wait_ms <= 100 * 2**n for n, (_, wait_ms) in enumerate(found[3:]))


def test_the_waits_come_from_the_calls_id() -> None:
    assert failing(begun(), 12) == failing(begun(), 12)
    assert failing(begun(), 12) != failing(begun(call_id="CA2"), 12)


def test_a_call_that_lost_its_model_anew_waits_for_nothing() -> None:
    attempts = begun()
    failing(attempts, 9)
    attempts.anew()

    assert [wait_ms for _, wait_ms in failing(attempts, 3)] == [0, 0, 0]


@pytest.mark.parametrize("cause", sorted(FATAL_CAUSES))
def test_a_model_that_is_out_is_tried_no_more_until_another_list_is_chosen_from(
    cause: str,
) -> None:
    attempts = begun()
    attempts.rule_out(0, cause)  # type: ignore[arg-type]
    assert not attempts.first
    assert {model for model, _ in failing(attempts, 9)} == {1, 2}
    attempts.rule_out(1, "lost")
    attempts.rule_out(2, "refused")
    assert attempts.possible
    attempts.rule_out(1, "refused")
    assert not attempts.possible
    attempts.of(1)

    assert attempts.possible
    assert attempts.open(0) == OpenLeg(10, 0)


def test_a_model_of_another_list_takes_none_of_this_one_away() -> None:
    attempts = begun(models=1)
    attempts.rule_out(2, "refused")

    assert attempts.possible


def test_a_model_that_went_out_during_the_wait_is_left_out() -> None:
    attempts = begun()
    attempts.pause(5_000)
    attempts.rule_out(0, "refused")
    assert not attempts.rested(4_999)
    assert attempts.rested(5_000)

    assert attempts.model == 1


def test_an_attempt_is_late_once_it_took_too_long_and_one_that_opened_is_not() -> None:
    attempts = begun()
    attempts.open(1_000)
    assert not attempts.late(2_499)
    assert attempts.late(2_500)
    assert attempts.opened()

    assert not attempts.late(9_999)
    assert attempts.due_ms is None
    assert not attempts.opened(), "none was being opened"


def test_every_state_has_a_way_in_and_a_way_out() -> None:
    assert {state for state, _ in TRANSITIONS} == set(AttemptState)
    assert set(TRANSITIONS.values()) == set(AttemptState)


@given(st.integers(0, 9), st.integers(1, 4), st.integers(1, 4))
def test_the_model_of_the_next_attempt_is_one_of_the_list(
    model: int, models: int, later: int
) -> None:
    attempts = begun(model=model, models=models)
    assert attempts.open(0).model < models
    attempts.of(later)
    attempts.return_to(model)

    assert attempts.state is AttemptState.IDLE
    assert attempts.open(0).model < later
