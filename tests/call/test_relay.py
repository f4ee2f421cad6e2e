"""One leg carries the call and the next is there in time: who is tried, when, and until when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call.attempts import FATAL_CAUSES
from app.call.commands import CloseLeg, Command, OpenLeg
from app.call.events import CloseCause
from app.call.leg_life import LIVED_MS, SHORT_LIFE_MS
from app.call.relay import TRANSITIONS, GivenUp, Relay, RelayState
from app.call.relay_settings import RelaySettings

PATIENT = 10**9
LOST: CloseCause = "lost"


def begun(call_id: str = "CA1", model: int = 0, **changes: Any) -> Relay:
    """Leg 1 is being opened since 0 ms."""
    relay = Relay(RelaySettings(**changes))
    assert relay.begin(call_id, model, 0) == OpenLeg(1, model)
    return relay


def carrying(lifetime_ms: int | None = None, **changes: Any) -> Relay:
    """Leg 1 carries the call since 0 ms."""
    relay = begun(**changes)
    taken(relay, 0, lifetime_ms)
    return relay


def taken(relay: Relay, now_ms: int, lifetime_ms: int | None = None) -> int:
    """The leg that is being opened is ready and carries the call from now on."""
    relay.ready(relay.next_leg, lifetime_ms, now_ms)
    assert relay.must_take
    return relay.take(now_ms)


def joining(now_ms: int = 1_000, **changes: Any) -> Relay:
    """Leg 1 carries the call, leg 2 is being opened since `now_ms`."""
    relay = carrying(**changes)
    assert relay.wish("time", now_ms)
    assert relay.summarised(now_ms) == [OpenLeg(2, 0)]
    return relay


def waiting(now_ms: int = 1_000, **changes: Any) -> Relay:
    """Leg 1 carries the call, leg 2 stands by since `now_ms`."""
    relay = joining(now_ms, **changes)
    relay.ready(2, None, now_ms)
    assert relay.state is RelayState.WAITING
    return relay


def fail(relay: Relay, now_ms: int, cause: CloseCause = "unreachable") -> list[Command]:
    """The attempt in progress fails."""
    return relay.closed(relay.next_leg, cause, "d", now_ms)


def waits(relay: Relay, attempts: int) -> list[int]:
    """How long each of the next attempts waited, when every one fails at once."""
    found, now_ms = [], 0
    for _ in range(attempts):
        opened = fail(relay, now_ms)
        due_ms = now_ms
        if not opened:
            assert relay.due_ms is not None
            due_ms = relay.due_ms
            opened = relay.expire(due_ms)
        assert [type(command) for command in opened] == [OpenLeg]
        found.append(due_ms - now_ms)
        now_ms = due_ms
    return found


# Attempts


def test_a_lost_leg_is_replaced_at_once_on_the_same_model() -> None:
    relay = carrying()

    assert relay.closed(1, LOST, "d", 5_000) == [OpenLeg(2, 0)]
    assert (relay.leg, relay.state, relay.cause) == (0, RelayState.OPENING, "drop")
    assert taken(relay, 5_300) == 2


def test_later_attempts_wait_by_chance_up_to_twice_as_long_each_time() -> None:
    bounds = [100, 200, 400, 800, 1_000, 1_000]
    found = [waits(begun(f"CA{n}", give_up_ms=PATIENT, filler=""), len(bounds)) for n in range(300)]

    for position, bound_ms in enumerate(bounds):
        here = sorted(row[position] for row in found)
        assert 0 <= here[0] < bound_ms // 10
        assert bound_ms * 9 // 10 < here[-1] <= bound_ms
        assert abs(sum(here) / len(here) - bound_ms / 2) < bound_ms / 8, "it is not even"


def test_the_waits_of_a_call_are_its_own_and_the_same_each_time() -> None:
    def of(call_id: str) -> list[int]:
        return waits(begun(call_id, give_up_ms=PATIENT, filler=""), 5)

    assert of("CA1") == of("CA1")
    assert len({tuple(of(f"CA{n}")) for n in range(20)}) == 20


def test_every_model_is_tried_at_once_in_the_agents_order_before_any_wait() -> None:
    relay = begun(model=1, models=3, give_up_ms=PATIENT, filler="")

    assert fail(relay, 10) == [OpenLeg(2, 2)]
    assert fail(relay, 20) == [OpenLeg(3, 0)]
    assert fail(relay, 30) == []
    assert relay.due_ms is not None
    assert relay.expire(relay.due_ms) == [OpenLeg(4, 1)]


def test_a_lost_leg_is_tried_again_on_its_own_model_before_the_others() -> None:
    relay = carrying(model=1, models=3)

    assert relay.closed(1, LOST, "d", 5_000) == [OpenLeg(2, 1)]
    causes = [relay.cause]
    assert fail(relay, 5_010) == [OpenLeg(3, 2)]
    assert [*causes, relay.cause] == ["drop", "failover"]


def test_the_first_model_of_a_call_is_never_beyond_the_list() -> None:
    assert Relay(RelaySettings(models=2)).begin("CA1", 5, 0) == OpenLeg(1, 1)


@pytest.mark.parametrize("cause", sorted(FATAL_CAUSES))
def test_a_model_that_refused_is_out_for_this_call(cause: CloseCause) -> None:
    relay = begun(models=3, give_up_ms=PATIENT, filler="")
    fail(relay, 0, cause)
    tried = [relay.model]
    for now_ms in range(1, 20_000, 100):
        opened = fail(relay, now_ms) if relay.next_leg else relay.expire(now_ms)
        tried += [command.model for command in opened if isinstance(command, OpenLeg)]

    assert len(tried) > 10
    assert set(tried) == {1, 2}


def test_a_model_that_fails_while_it_carries_the_call_is_out_too() -> None:
    relay = carrying(models=2)

    assert relay.closed(1, "failed", "d", 5_000) == [OpenLeg(2, 1)]
    assert relay.cause == "failover"
    assert fail(relay, 5_010) == []
    assert relay.due_ms is not None
    assert relay.expire(relay.due_ms) == [OpenLeg(3, 1)]


@pytest.mark.parametrize("models", [1, 2, 3])
def test_when_all_have_refused_the_call_is_given_up_at_once(models: int) -> None:
    relay = begun(models=models)
    for _ in range(models):
        assert relay.given_up is None
        last = relay.closed(relay.next_leg, "refused", f"by {relay.model}", 10)

    assert last == []
    assert relay.given_up == GivenUp("refused", f"by {models - 1}")
    assert relay.due_ms is None


def test_an_attempt_that_takes_too_long_is_closed_and_the_next_model_is_tried() -> None:
    relay = begun(models=2)
    assert relay.due_ms == 1_500

    assert relay.expire(1_499) == []
    assert relay.expire(1_500) == [CloseLeg(1), OpenLeg(2, 1)]
    relay.ready(1, None, 1_510)
    assert not relay.must_take, "leg 1 came too late"
    assert relay.closed(1, "refused", "late", 1_520) == []
    assert relay.expire(2_699) == []


@pytest.mark.parametrize("lost_ms", [0, 60_000])
def test_the_call_is_given_up_when_it_was_without_a_model_for_too_long(lost_ms: int) -> None:
    relay = begun(filler="") if not lost_ms else carrying(filler="")
    if lost_ms:
        relay.closed(1, LOST, "d", lost_ms)
    while relay.given_up is None:
        assert relay.due_ms is not None
        now_ms = relay.due_ms
        commands = relay.expire(now_ms)

    assert now_ms == lost_ms + relay.settings.give_up_ms
    assert relay.given_up.cause == "unreachable"
    assert commands == [CloseLeg(3 if lost_ms else 2)], "the attempt in progress"


def test_after_giving_up_nothing_is_opened_whatever_was_planned() -> None:
    relay = begun(backoff_ms=5_000, backoff_most_ms=5_000, filler_after_ms=2_900)
    assert fail(relay, 2_600) == []
    relay.expire(2_700)

    assert relay.given_up == GivenUp("unreachable", "d")
    assert relay.due_ms is None
    assert relay.expire(60_000) == []
    assert not relay.filler_due(60_000)


# Legs that are of no use


def lose(relay: Relay, now_ms: int, *, owed: bool, cause: CloseCause = "lost") -> bool:
    """The leg that carries the call is lost; a new one takes over at once. True: given up."""
    relay.closed(relay.leg, cause, "d", now_ms, owed=owed)
    if relay.given_up is None:
        taken(relay, now_ms)
    return relay.given_up is not None


def test_three_legs_in_a_row_that_answered_nothing_and_the_call_is_given_up() -> None:
    relay = carrying()

    assert [lose(relay, n * 5_000, owed=True) for n in (1, 2, 3)] == [False, False, True]
    assert relay.given_up == GivenUp("lost", "d")


def test_a_leg_that_fell_silent_counts_twice() -> None:
    relay = carrying()

    assert [lose(relay, n * 5_000, owed=True, cause="stalled") for n in (1, 2)] == [False, True]


def test_a_leg_that_owed_nothing_and_lived_a_while_counts_for_nothing() -> None:
    relay = carrying()
    assert not any(lose(relay, n * SHORT_LIFE_MS, owed=False) for n in range(1, 20))

    gone = [lose(relay, 19 * SHORT_LIFE_MS + n * (SHORT_LIFE_MS - 1), owed=False) for n in (1, 2)]
    assert gone == [False, False]
    assert lose(relay, 19 * SHORT_LIFE_MS + 3 * (SHORT_LIFE_MS - 1), owed=False)


@pytest.mark.parametrize("good", ["an answer", "a long life"])
def test_a_leg_that_was_of_use_begins_the_count_anew(good: str) -> None:
    relay = carrying()
    lose(relay, 1_000, owed=True)
    lose(relay, 2_000, owed=True)
    if good == "an answer":
        relay.fruitful()
    at_ms = 3_000 if good == "an answer" else 2_001 + LIVED_MS

    assert [lose(relay, at_ms + n, owed=True) for n in range(4)] == [False, False, False, True]


def test_an_answer_speaks_for_its_own_leg_only() -> None:
    relay = carrying()
    relay.fruitful()

    assert [lose(relay, n, owed=True) for n in range(1, 5)] == [False, False, False, True]


# A planned change


@pytest.mark.parametrize(
    ("lifetime_ms", "session_ms", "due_ms", "cause"),
    [
        (None, 900_000, 900_000, "time"),
        (3_600_000, 900_000, 900_000, "time"),
        (3_600_000, 7_200_000, 3_540_000, "expiry"),
        (40_000, 900_000, 30_000, "expiry"),
        (1, 900_000, 1, "expiry"),
        (0, 900_000, 900_000, "time"),
        (-5_000, 900_000, 900_000, "time"),
    ],
)
def test_the_next_leg_is_prepared_before_the_session_ends(
    lifetime_ms: int | None, session_ms: int, due_ms: int, cause: str
) -> None:
    relay = carrying(lifetime_ms, session_ms=session_ms)

    assert relay.due_ms == due_ms
    assert relay.due_for_change(due_ms - 1) is None
    assert relay.due_for_change(due_ms) == cause


def test_a_change_is_prepared_with_a_summary_and_without_one_that_does_not_come() -> None:
    relay = carrying()
    assert relay.wish("context", 1_000)
    assert not relay.wish("spend", 1_100), "one at a time"
    assert (relay.leg, relay.cause) == (1, "context")
    assert relay.due_ms == 1_000 + relay.settings.summary_timeout_ms
    assert relay.expire(6_999) == []

    assert relay.expire(7_000) == [OpenLeg(2, 0)]
    assert relay.summarised(7_010) == [], "it came too late"
    assert relay.leg == 1


def test_the_old_leg_carries_the_call_until_the_switch() -> None:
    relay = joining()
    assert not relay.must_take
    assert (relay.quiet_wait_over_ms, relay.force_ms) == (None, None)
    relay.ready(2, None, 1_200)
    assert not relay.must_take
    assert (relay.leg, relay.next_leg) == (1, 2)
    assert (relay.quiet_wait_over_ms, relay.force_ms) == (11_200, 121_200)

    assert relay.take(1_500) == 2
    assert (relay.leg, relay.next_leg, relay.state) == (2, 0, RelayState.CARRYING)
    assert relay.closed(1, LOST, "", 1_600) == []


def test_the_switch_is_made_before_the_vendor_ends_the_old_session() -> None:
    relay = carrying(40_000)
    relay.wish("expiry", 30_000)
    relay.summarised(35_500)
    relay.ready(2, None, 36_000)

    assert (relay.quiet_wait_over_ms, relay.force_ms) == (36_000, 38_000)


@pytest.mark.parametrize("stands_by", [False, True])
def test_a_next_leg_that_fails_is_tried_again_later_and_the_call_notices_nothing(
    stands_by: bool,
) -> None:
    relay = waiting() if stands_by else joining()

    assert relay.closed(2, LOST, "d", 2_000) == []
    assert (relay.leg, relay.state) == (1, RelayState.JOINING)
    assert relay.due_ms == 2_000 + relay.settings.rejoin_ms
    assert relay.expire(6_999) == []
    assert relay.expire(7_000) == [OpenLeg(3, 0)]
    relay.ready(3, None, 7_300)
    assert relay.state is RelayState.WAITING


def test_a_next_leg_that_does_not_open_in_time_is_closed_and_tried_again_later() -> None:
    relay = joining()

    assert relay.expire(2_500) == [CloseLeg(2)]
    assert relay.expire(7_499) == []
    assert relay.expire(7_500) == [OpenLeg(3, 0)]


def test_a_change_that_is_refused_goes_to_the_next_model() -> None:
    relay = joining(models=2)
    fail(relay, 2_000, "refused")

    assert relay.expire(7_000) == [OpenLeg(3, 1)]
    assert relay.leg == 1


def test_a_change_that_every_model_refuses_leaves_the_call_where_it_is() -> None:
    relay = joining()
    assert fail(relay, 2_000, "refused") == []

    assert relay.given_up is None
    assert (relay.leg, relay.due_ms) == (1, None)
    assert relay.closed(1, LOST, "", 9_000) == []
    assert relay.given_up == GivenUp("lost", "")


# The leg that carries the call is lost during a change


def test_a_loss_while_the_next_leg_opens_waits_for_that_leg() -> None:
    relay = joining()

    assert relay.closed(1, LOST, "", 1_400) == []
    assert (relay.leg, relay.next_leg, relay.cause) == (0, 2, "drop")
    assert taken(relay, 1_600) == 2


def test_a_loss_does_not_lengthen_the_attempt_in_progress() -> None:
    relay = joining(models=2)
    relay.closed(1, LOST, "", 2_400)

    assert relay.expire(2_500)[0] == CloseLeg(2)


def test_a_loss_while_the_next_leg_stands_by_is_no_gap() -> None:
    relay = waiting()

    assert relay.closed(1, LOST, "", 1_400) == []
    assert relay.must_take
    assert relay.take(1_400) == 2


def test_a_loss_while_a_summary_is_written_does_not_wait_for_it() -> None:
    relay = carrying()
    relay.wish("time", 1_000)

    assert relay.closed(1, LOST, "", 1_400) == [OpenLeg(2, 0)]
    assert relay.summarised(1_500) == []
    assert relay.next_leg == 2


def test_a_leg_keeps_the_model_that_it_was_opened_on_when_the_old_one_is_lost() -> None:
    relay = joining(models=2)
    fail(relay, 2_000, "refused")
    relay.expire(7_000)
    relay.closed(1, LOST, "", 7_100)
    taken(relay, 7_200)

    assert relay.model == 1
    assert relay.closed(3, LOST, "", 9_999) == [OpenLeg(4, 1)]


def test_the_model_that_failed_is_out_and_not_the_one_of_the_leg_that_joins() -> None:
    relay = joining(models=2)
    fail(relay, 2_000, "refused")
    assert relay.expire(7_000) == [OpenLeg(3, 1)]
    relay.closed(1, "failed", "d", 7_100)

    assert fail(relay, 7_200) == [OpenLeg(4, 1)]
    assert relay.given_up is None


# The filler


def test_a_gap_that_gets_long_is_told_once() -> None:
    relay = carrying(give_up_ms=PATIENT)
    relay.closed(1, LOST, "", 1_000)

    assert not relay.filler_due(2_499)
    assert relay.filler_due(2_500)
    assert not relay.filler_due(2_600)


def test_a_short_gap_and_a_call_without_a_filler_are_told_nothing() -> None:
    short, without = carrying(), carrying(filler="")
    for relay in (short, without):
        relay.closed(1, LOST, "", 1_000)
    taken(short, 2_499)

    assert not short.filler_due(5_000)
    assert not without.filler_due(5_000)


# Whatever happens


def test_what_is_said_of_other_legs_is_ignored() -> None:
    relay = waiting()

    for leg in (0, 3, 99):
        assert relay.closed(leg, "refused", "", 1_500) == []
        relay.ready(leg, None, 1_500)
    relay.ready(2, None, 1_500)
    assert (relay.leg, relay.next_leg, relay.state) == (1, 2, RelayState.WAITING)


def test_every_state_but_the_last_has_a_way_out_and_a_way_in() -> None:
    ways_out = {state for state, _ in TRANSITIONS}

    assert ways_out == set(RelayState) - {RelayState.FAILED}
    assert set(TRANSITIONS.values()) == set(RelayState)


happenings = st.one_of(
    st.tuples(st.just("ready"), st.integers(0, 3), st.sampled_from([None, 0, 5_000, 90_000])),
    st.tuples(
        st.just("closed"),
        st.integers(0, 3),
        st.sampled_from(["lost", "unreachable", "refused", "stalled", "expired"]),
    ),
    st.tuples(st.just("wish"), st.just(0), st.none()),
    st.tuples(st.just("summary"), st.just(0), st.none()),
    st.tuples(st.just("switch"), st.just(0), st.none()),
    st.tuples(st.just("fruitful"), st.just(0), st.none()),
)


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from([0, 1, 50, 900, 3_000, 20_000]), happenings), max_size=40),
)
def test_no_order_of_happenings_breaks_the_relay(
    models: int, script: list[tuple[int, tuple[str, int, object]]]
) -> None:
    relay, now_ms = Relay(RelaySettings(models=models, session_ms=30_000)), 0
    opened: list[Command] = [relay.begin("CA1", 0, 0)]
    for wait_ms, (what, back, value) in script:
        end_ms = now_ms + wait_ms
        while (due_ms := relay.due_ms) is not None and due_ms <= end_ms:
            now_ms = max(now_ms, due_ms)
            if (cause := relay.due_for_change(now_ms)) is not None:
                relay.wish(cause, now_ms)
            opened += relay.expire(now_ms)
            relay.filler_due(now_ms)
            assert relay.due_ms is None or relay.due_ms > now_ms
        now_ms = end_ms
        leg = max(0, relay.next_leg or relay.leg) - back
        if what == "ready":
            relay.ready(leg, value, now_ms)  # type: ignore[arg-type]
        elif what == "closed":
            opened += relay.closed(leg, value, "", now_ms)  # type: ignore[arg-type]
        elif what == "wish":
            relay.wish("operator", now_ms)
        elif what == "summary":
            opened += relay.summarised(now_ms)
        elif what == "fruitful":
            relay.fruitful()
        if relay.must_take or (what == "switch" and relay.state is RelayState.WAITING):
            relay.take(now_ms)
        assert (relay.given_up is not None) is (relay.state is RelayState.FAILED)
        assert not relay.leg or relay.leg != relay.next_leg

    numbers = [command.leg for command in opened if isinstance(command, OpenLeg)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(c.model < models for c in opened if isinstance(c, OpenLeg))


@pytest.mark.parametrize(("models", "last"), [(3, 2), (1, 0)])
def test_the_last_model_is_that_of_who_speaks_when_the_change_is_made(
    models: int, last: int
) -> None:
    """A spend cap asked for the cheapest model, then another agent took over."""
    relay = carrying(models=3)
    relay.prefer_last()
    assert relay.change("agent", models, 1_000) == [OpenLeg(2, 0)]
    taken_over = relay.next_leg
    relay.ready(taken_over, None, 1_100)
    relay.take(1_200)
    assert relay.wish("spend", 2_000)
    assert relay.summarised(2_100) == [OpenLeg(3, last)]
    relay.ready(3, None, 2_200)
    relay.take(2_300)
    assert relay.wish("time", 3_000)
    assert relay.summarised(3_100) == [OpenLeg(4, last)], "it stays with that one"
