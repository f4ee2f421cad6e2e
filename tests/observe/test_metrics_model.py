"""Invariant: what a model did, cost and lost is counted under the model that did it, and a lost
session leaves exactly one trace: a reconnect, a failover or a failure."""

import pytest

from app.call.call import Call
from app.call.commands import CloseLeg, Command, EndCall, Summarise, TakeLeg
from app.call.endings import EndReason
from app.call.events import (
    CarrierClosed,
    DeadlineReached,
    Event,
    LegCause,
    ModelClosed,
    ModelFault,
    ModelReady,
    RateLimits,
    ResponseFinished,
    RolloverRequested,
    StreamStarted,
    SummaryWritten,
    Usage,
)
from app.observe.metrics import Metrics
from app.observe.prices import load_prices
from tests.call.virtual_model import Answer, Say
from tests.observe.metered import every_sample, metered_line, samples

TICK = DeadlineReached()
USAGE = Usage(
    input_text_tokens=1_000,
    input_audio_tokens=2_000,
    cached_text_tokens=600,
    cached_audio_tokens=500,
    output_text_tokens=100,
    output_audio_tokens=300,
    total_tokens=3_400,
)


class Steps:
    """Steps of a call as the bridge tells them, made up: the heart has no part in it."""

    def __init__(self, **options: object) -> None:
        self.metrics = Metrics(**options)  # type: ignore[arg-type]
        self.call = Call()
        self(0, StreamStarted("call", "stream"))

    def __call__(self, now_ms: int, event: Event, *commands: Command) -> None:
        self.metrics.step(self.call, event, list(commands), now_ms)

    def told(self, *parts: str) -> dict[str, float]:
        told = samples(self.metrics)
        return {name: value for name, value in told.items() if any(part in name for part in parts)}


def take(leg: int, cause: LegCause) -> TakeLeg:
    return TakeLeg(leg, (), 0, None, cause)


def carried(model: str = "gpt-realtime-2.1") -> Steps:
    steps = Steps()
    steps(50, ModelReady("session", model, leg=1), take(1, "start"))
    return steps


# Tokens and dollars


def test_tokens_are_counted_by_kind_and_cost_what_the_table_says() -> None:
    steps = carried()
    steps(100, ResponseFinished("r1", "completed", usage=USAGE))
    model = 'model="gpt-realtime-2.1"'
    assert steps.told("tokens", "cost") == pytest.approx(
        {
            f'earshot_tokens_total{{kind="text_in",{model}}}': 400,
            f'earshot_tokens_total{{kind="text_cached_in",{model}}}': 600,
            f'earshot_tokens_total{{kind="audio_in",{model}}}': 1_500,
            f'earshot_tokens_total{{kind="audio_cached_in",{model}}}': 500,
            f'earshot_tokens_total{{kind="text_out",{model}}}': 100,
            f'earshot_tokens_total{{kind="audio_out",{model}}}': 300,
            f"earshot_cost_usd_total{{{model}}}": (
                400 * 4 + 600 * 0.4 + 1_500 * 32 + 500 * 0.4 + 100 * 24 + 300 * 64
            )
            / 1e6,
        }
    )


def test_a_model_without_a_price_is_other_and_costs_nothing() -> None:
    steps = carried("my-own-model-for-+15550109999")
    steps(100, ResponseFinished("r1", "completed", usage=Usage(output_audio_tokens=7)))
    assert steps.told("tokens", "cost") == {
        'earshot_tokens_total{kind="audio_out",model="other"}': 7
    }


def test_tokens_count_for_the_leg_that_carries_the_call() -> None:
    steps = carried()
    usage = Usage(output_text_tokens=1)
    steps(100, ModelReady("session", "gpt-realtime-2.1-mini", leg=2))
    steps(200, ResponseFinished("r1", "completed", usage=usage))
    steps(300, TICK, take(2, "time"))
    steps(400, ResponseFinished("r2", "completed", usage=usage))
    steps(500, ResponseFinished("r3", "completed", usage=usage))
    assert steps.told("tokens") == {
        'earshot_tokens_total{kind="text_out",model="gpt-realtime-2.1"}': 1,
        'earshot_tokens_total{kind="text_out",model="gpt-realtime-2.1-mini"}': 2,
    }


def test_a_summary_costs_whoever_wrote_it() -> None:
    steps = Steps(summary_model="gpt-realtime-mini")
    steps(50, ModelReady("session", "gpt-realtime-2.1"), take(1, "start"))
    written = SummaryWritten("s", "{}", Usage(output_text_tokens=5))
    steps(100, TICK, Summarise("s", "session", ""))
    steps(200, written)
    steps(300, TICK, Summarise("s", "text_model", ""))
    steps(400, written)
    assert steps.told("tokens") == {
        'earshot_tokens_total{kind="text_out",model="gpt-realtime-2.1"}': 5,
        'earshot_tokens_total{kind="text_out",model="gpt-realtime-mini"}': 5,
    }


def test_a_vendors_negative_counts_break_nothing() -> None:
    steps = carried()
    steps(100, ResponseFinished("r1", "completed", usage=Usage(output_text_tokens=-5)))
    steps(200, ResponseFinished("r2", "completed", usage=Usage(output_text_tokens=5)))
    assert steps.told("tokens") == {
        'earshot_tokens_total{kind="text_out",model="gpt-realtime-2.1"}': 5
    }


def test_the_date_of_the_prices_is_told() -> None:
    told = every_sample(Metrics(prices=load_prices()).render()[0])
    assert told["earshot_prices_as_of_timestamp_seconds"] == 1_795_132_800  # 2026-11-20 in UTC


# Faults and limits


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("rate_limit_exceeded", "rate_limit_exceeded"),
        ("invalid_request_error.rate_limit_exceeded", "rate_limit_exceeded"),
        ("who_knows", "other"),
        ("", "other"),
        ("+15550109999", "other"),
    ],
)
def test_only_known_codes_become_labels(code: str, label: str) -> None:
    steps = Steps(error_codes=("rate_limit_exceeded", "server_error"))
    steps(100, ModelFault(code, "words of the vendor", "retryable"))
    steps(200, ResponseFinished("r1", "failed", error_code=code))
    assert steps.told("model_errors", "responses") == {
        f'earshot_model_errors_total{{code="{label}",kind="retryable"}}': 1,
        f'earshot_model_errors_total{{code="{label}",kind="failed_response"}}': 1,
        'earshot_responses_total{status="failed"}': 1,
    }


def test_the_remainder_of_a_limit_is_the_newest_one_of_its_model() -> None:
    steps = carried()
    steps(100, RateLimits({"requests": 99, "tokens": 1_000}))
    steps(200, RateLimits({"requests": 98, "unheard_of": 5}))
    assert steps.told("rate_limit") == {
        'earshot_rate_limit_remaining{limit="requests",model="gpt-realtime-2.1"}': 98,
        'earshot_rate_limit_remaining{limit="tokens",model="gpt-realtime-2.1"}': 1_000,
    }


# Legs


@pytest.mark.parametrize("cause", ["time", "expiry", "context", "spend", "operator"])
def test_a_planned_change_is_a_rollover_by_its_cause(cause: LegCause) -> None:
    steps = carried()
    steps(900, TICK, take(2, cause))
    assert steps.told("rollovers", "reconnects", "failovers", "takeovers", "gap") == {
        f'earshot_rollovers_total{{cause="{cause}"}}': 1
    }


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        ("drop", 'earshot_reconnects_total{outcome="ok"}'),
        ("failover", "earshot_failovers_total"),
    ],
)
def test_a_lost_session_leaves_a_gap_until_the_next_one_takes_over(
    cause: LegCause, name: str
) -> None:
    steps = carried()
    steps(1_000, ModelClosed("lost", leg=1))
    steps(1_100, ModelClosed("unreachable", leg=2))
    steps(1_400, ModelReady("session", "gpt-realtime-2.1", leg=3), take(3, cause))
    assert steps.told("rollovers", "reconnects", "failovers", "takeovers", "gap", "closes") == {
        name: 1,
        'earshot_model_closes_total{cause="lost"}': 1,
        'earshot_model_closes_total{cause="unreachable"}': 1,
        "earshot_model_gap_seconds_count": 1,
        "earshot_model_gap_seconds_sum": 0.4,
    }


def test_a_session_that_we_give_up_leaves_a_gap_as_well() -> None:
    steps = carried()
    steps.call.timeline.leg_opened(1, 0, 50)
    steps.call.timeline.leg_closed(1, "stalled", 1_000)
    steps(1_000, TICK, CloseLeg(1))
    steps(1_250, ModelReady("session", "gpt-realtime-2.1", leg=2), take(2, "drop"))
    assert steps.told("gap_seconds_sum", "closes") == {
        "earshot_model_gap_seconds_sum": 0.25,
        'earshot_model_closes_total{cause="stalled"}': 1,
    }


def test_the_end_of_a_session_that_carries_nothing_is_no_gap() -> None:
    steps = carried()
    steps(1_000, ModelClosed("unreachable", leg=2))
    steps(2_000, TICK, take(3, "time"), CloseLeg(1))
    steps(2_100, ModelClosed("lost", leg=1))
    steps(3_000, TICK, take(4, "time"))
    assert steps.told("gap", "reconnects") == {}


def test_the_first_session_is_no_change_and_a_takeover_is_none_of_ours() -> None:
    steps = Steps()
    steps(50, ModelReady("session", "gpt-realtime-2.1"), take(1, "worker"))
    assert steps.told("rollovers", "reconnects", "failovers", "takeovers", "gap") == {
        "earshot_takeovers_total": 1
    }
    assert carried().told("rollovers", "reconnects", "failovers", "takeovers", "gap") == {}


@pytest.mark.parametrize(
    ("reason", "failed"),
    [(EndReason.MODEL_UNREACHABLE, True), (EndReason.CALLER_HUNG_UP, False)],
)
def test_a_call_that_ends_for_want_of_a_model_is_a_failed_reconnect(
    reason: EndReason, failed: bool
) -> None:
    steps = carried()
    steps(1_000, ModelClosed("lost", leg=1))
    steps(3_700, TICK, EndCall(reason))
    name = 'earshot_reconnects_total{outcome="failed"}'
    assert steps.told("reconnects", "gap") == ({name: 1} if failed else {})


def test_a_call_that_never_had_a_model_is_no_failed_reconnect() -> None:
    steps = Steps()
    steps(1_000, ModelClosed("refused", leg=1), EndCall(EndReason.MODEL_REFUSED))
    assert steps.told("reconnects") == {}


@pytest.mark.parametrize("seed", range(5))
def test_the_real_relays_changes_are_counted(seed: int) -> None:
    line = metered_line(seed)
    line.model.script.append(Answer((Say("greeting", 1_000),)))
    line.open()
    for at_ms in (5_000, 20_000):
        line.heap.at(at_ms, line.drop)
    line.heap.at(60_000, lambda: line.deliver(RolloverRequested()))
    line.run_until(120_000)
    line.deliver(CarrierClosed("hangup"))
    told = samples(line.metrics)
    assert told['earshot_reconnects_total{outcome="ok"}'] == 2
    assert told['earshot_rollovers_total{cause="operator"}'] == 1
    assert told['earshot_model_closes_total{cause="lost"}'] == 2
    assert told["earshot_model_gap_seconds_count"] == 2
    assert 0.1 <= told["earshot_model_gap_seconds_sum"] <= 0.2
    assert not [name for name in told if "failovers" in name or "takeovers" in name]
