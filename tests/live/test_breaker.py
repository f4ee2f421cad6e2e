"""A breaker does only what its table says: it opens by failures in a row within the window, rests
its time, lets one call try, and closes when a model answers."""

from hypothesis import given
from hypothesis import strategies as st

from app.live.breaker import TRANSITIONS, Breaker, BreakerSettings, BreakerState

SETTINGS = BreakerSettings()
T_S = 1_800_000_000.0


def _opened() -> Breaker:
    breaker = Breaker(SETTINGS)
    for n in range(3):
        breaker.failed(T_S, f"f{n}")
    return breaker


def test_it_opens_at_the_third_failure_within_the_window() -> None:
    breaker = Breaker(SETTINGS)
    assert [breaker.failed(T_S + n * 4.9, f"f{n}") for n in range(3)] == [False, False, True]
    assert not breaker.allows(T_S + 10)


def test_failures_further_apart_do_not_open_it() -> None:
    breaker = Breaker(SETTINGS)
    assert not any(breaker.failed(T_S + n * 5.1, f"f{n}") for n in range(20))


def test_a_success_between_forgets_the_failures() -> None:
    breaker = Breaker(SETTINGS)
    for n in range(2):
        breaker.failed(T_S, f"f{n}")
    assert breaker.succeeded(T_S + 1)
    assert not breaker.failed(T_S + 2, "f2")
    assert breaker.allows(T_S + 2)


def test_after_its_rest_one_call_may_try_and_a_success_closes_it() -> None:
    breaker = _opened()
    assert not breaker.wants_probe(T_S + 14.9)
    assert breaker.wants_probe(T_S + 15)
    assert not breaker.allows(T_S + 15)
    breaker.grant_probe(T_S + 15)
    assert [breaker.allows(T_S + 15) for _ in range(3)] == [True, False, False]
    assert not breaker.wants_probe(T_S + 16)
    assert breaker.succeeded(T_S + 17)
    assert breaker.allows(T_S + 17)


def test_a_failed_try_opens_it_again_for_a_whole_rest() -> None:
    breaker = _opened()
    breaker.grant_probe(T_S + 15)
    assert breaker.failed(T_S + 16, "probe")
    assert breaker.open_until_s == T_S + 31
    assert not breaker.allows(T_S + 30.9)


def test_a_try_of_which_nothing_is_heard_is_followed_by_another() -> None:
    breaker = _opened()
    breaker.grant_probe(T_S + 15)
    assert breaker.allows(T_S + 15)
    assert not breaker.wants_probe(T_S + 29)
    assert breaker.wants_probe(T_S + 30)


def test_late_failures_of_calls_that_began_before_do_not_prolong_the_rest() -> None:
    breaker = _opened()
    assert not breaker.failed(T_S + 5, "late")
    assert breaker.open_until_s == T_S + 15


def test_what_others_saw_counts_here_once() -> None:
    breaker = Breaker(SETTINGS)
    breaker.failed(T_S, "ours")
    others = {"ours": T_S, "theirs": T_S}
    for _ in range(3):
        assert not breaker.learn(T_S + 1, failures=others, open_until_s=0, closed_s=0)
    others["third"] = T_S
    assert breaker.learn(T_S + 1, failures=others, open_until_s=0, closed_s=0)


def test_what_others_opened_is_open_here_and_what_they_closed_is_closed() -> None:
    breaker = Breaker(SETTINGS)
    breaker.learn(T_S, failures={}, open_until_s=T_S + 15, closed_s=T_S - 20)
    assert not breaker.allows(T_S)
    breaker.learn(T_S + 17, failures={}, open_until_s=T_S + 15, closed_s=T_S + 16)
    assert breaker.allows(T_S + 17)
    breaker.learn(T_S + 18, failures={}, open_until_s=T_S + 15, closed_s=T_S + 16)
    assert breaker.allows(T_S + 18)


def test_an_old_success_elsewhere_does_not_close_what_opened_since() -> None:
    breaker = _opened()
    breaker.learn(T_S + 1, failures={}, open_until_s=0, closed_s=T_S - 1)
    assert not breaker.allows(T_S + 1)


def test_every_state_can_be_left_and_leads_to_closed_by_a_success() -> None:
    for state in BreakerState:
        assert any(source is state for source, _ in TRANSITIONS)
        if state is not BreakerState.CLOSED:
            assert TRANSITIONS[state, "succeeded"] is BreakerState.CLOSED


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["failed", "succeeded", "ask", "grant", "learn_open", "learn_closed"]),
        st.floats(0, 8, allow_nan=False),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_an_open_breaker_allows_nothing_and_one_probe_allows_one_call(
    steps: list[tuple[str, float]],
) -> None:
    breaker, now_s, granted = Breaker(SETTINGS), T_S, 0
    for number, (step, wait_s) in enumerate(steps):
        now_s += wait_s
        before = breaker.state(now_s)
        if step == "failed":
            opened = breaker.failed(now_s, f"f{number}")
            assert opened == (before is not _OPEN and breaker.state(now_s) is _OPEN)
        elif step == "succeeded":
            breaker.succeeded(now_s)
            assert breaker.state(now_s) is BreakerState.CLOSED
        elif step == "grant":
            granted = int(breaker.wants_probe(now_s)) or granted
            breaker.grant_probe(now_s)
        elif step == "learn_open":
            breaker.learn(now_s, failures={}, open_until_s=now_s + 15, closed_s=0)
        elif step == "learn_closed":
            breaker.learn(now_s, failures={}, open_until_s=0, closed_s=now_s)
            assert breaker.state(now_s) is BreakerState.CLOSED
        elif breaker.allows(now_s) and before is not BreakerState.CLOSED:
            assert before is BreakerState.HALF_OPEN
            assert granted == 1
            granted = 0
        if breaker.state(now_s) is _OPEN:
            assert now_s < breaker.open_until_s <= now_s + SETTINGS.open_s
            assert not breaker.allows(now_s)


_OPEN = BreakerState.OPEN
