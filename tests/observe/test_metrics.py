"""Invariant: what happens in a call is counted once, where it belongs, and says nothing about who
called; the metrics never harm a call."""

import logging
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import (
    CallerAudioBegan,
    CallerTranscribed,
    CarrierClosed,
    Direction,
    KeyPressed,
    ModelReady,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    Snapshot,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
    Usage,
)
from app.observe.metrics import Metrics
from app.observe.metrics_families import SECTIONS
from tests.call.virtual_model import Answer, Say
from tests.observe.metered import MODEL, Metered, every_sample, metered_line, samples

READY = ModelReady("session", MODEL)


def begun(metrics: Metrics | None = None, call_id: str = "call") -> Metered:
    metered = Metered(metrics)
    metered.at(0, StreamStarted(call_id, "stream"), CallerAudioBegan(0))
    metered.at(50, READY)
    return metered


def test_a_call_without_a_word_counts_its_beginning_and_its_end() -> None:
    metered = begun()
    assert samples(metered.metrics) == {
        'earshot_calls_started_total{direction="inbound",entry="new"}': 1,
        "earshot_calls_in_progress": 1,
    }

    metered.at(20_000, CarrierClosed("hangup"))
    assert samples(metered.metrics) == {
        'earshot_calls_started_total{direction="inbound",entry="new"}': 1,
        'earshot_calls_ended_total{fault="nobody",reason="caller_hung_up"}': 1,
        "earshot_call_duration_seconds_count": 1,
        "earshot_call_duration_seconds_sum": 20.0,
    }


@pytest.mark.parametrize(
    ("resumed", "entry"),
    [
        (None, "new"),
        (Snapshot("call", "outbound", moved=True), "moved"),
        (Snapshot("call", "outbound"), "rescued"),
    ],
)
def test_how_a_call_came_here_is_told_apart(resumed: Snapshot | None, entry: str) -> None:
    metered = Metered()
    direction: Direction = "outbound"
    metered.at(0, StreamStarted("call", "stream", direction, resumed=resumed))
    name = f'earshot_calls_started_total{{direction="outbound",entry="{entry}"}}'
    assert samples(metered.metrics)[name] == 1


def test_calls_are_counted_apart_from_each_other() -> None:
    metrics = Metrics()
    one, two = begun(metrics, "one"), begun(metrics, "two")
    one.at(1_000, CarrierClosed("hangup"))
    assert samples(metrics)["earshot_calls_in_progress"] == 1
    two.at(2_000, CarrierClosed("lost"))
    told = samples(metrics)
    assert "earshot_calls_in_progress" not in told
    assert told['earshot_calls_ended_total{fault="carrier",reason="carrier_lost"}'] == 1
    assert told["earshot_call_duration_seconds_count"] == 2


def test_an_end_that_no_step_told_is_counted_once_with_what_the_line_did() -> None:
    metered = begun()
    end = EndCall(EndReason.INTERNAL_ERROR, "KeyError")
    metered.call.timeline.close(end.reason, end.detail, 3_000)
    for _ in range(2):
        metered.metrics.stream_ended(
            metered.call, end, malformed_frames=2, padded_ms=1_500, dropped_ms=20
        )
    assert samples(metered.metrics) == {
        'earshot_calls_started_total{direction="inbound",entry="new"}': 1,
        'earshot_calls_ended_total{fault="us",reason="internal_error"}': 1,
        "earshot_call_duration_seconds_count": 1,
        "earshot_call_duration_seconds_sum": 3.0,
        "earshot_malformed_frames_total": 4,
        "earshot_caller_audio_padded_seconds_total": 3.0,
        "earshot_caller_audio_dropped_seconds_total": 0.04,
    }


def test_an_end_that_a_step_told_is_not_counted_again() -> None:
    metered = begun()
    (end,) = metered.at(1_000, CarrierClosed("hangup"))
    assert isinstance(end, EndCall)
    metered.metrics.stream_ended(metered.call, end, malformed_frames=0, padded_ms=0, dropped_ms=0)
    told = samples(metered.metrics)
    assert told['earshot_calls_ended_total{fault="nobody",reason="caller_hung_up"}'] == 1
    assert "earshot_calls_in_progress" not in told


def test_a_call_that_was_not_seen_to_begin_counts_nowhere() -> None:
    metrics, call = Metrics(), Call()
    metrics.step(call, RateLimits({"requests": 5}), [EndCall(EndReason.DRAINED)], 5)
    assert samples(metrics) == {}


def test_tools_are_counted_and_timed_by_how_they_went() -> None:
    metered = begun()
    calls = tuple(ToolCall(name, "item", name, "{}") for name in ("find", "book"))
    metered.at(1_000, ResponseCreated("r1"), ResponseFinished("r1", "completed", tool_calls=calls))
    metered.at(1_250, ToolFinished("find", "{}"))
    metered.at(3_000, ToolFinished("book", "{}", ok=False))
    told = samples(metered.metrics)
    assert told['earshot_tool_runs_total{ok="yes"}'] == 1
    assert told['earshot_tool_runs_total{ok="no"}'] == 1
    assert told['earshot_tool_duration_seconds_sum{ok="yes"}'] == 0.25
    assert told['earshot_tool_duration_seconds_sum{ok="no"}'] == 2.0


def test_refused_calls_and_changes_told_by_hand_are_counted() -> None:
    metrics = Metrics()
    metrics.refused("full")
    metrics.rolled_over("operator")
    metrics.reconnected(ok=True)
    metrics.reconnected(ok=False)
    assert samples(metrics) == {
        'earshot_calls_refused_total{why="full"}': 1,
        'earshot_rollovers_total{cause="operator"}': 1,
        'earshot_reconnects_total{outcome="ok"}': 1,
        'earshot_reconnects_total{outcome="failed"}': 1,
    }


def test_the_loops_lag_is_sampled_where_there_is_a_clock() -> None:
    metrics = Metrics()
    metrics.sample()
    assert samples(metrics) == {}

    lags: Iterator[int] = iter((0, 3, -1))
    metrics.watch_loop(lambda: next(lags), lambda: 40)
    for _ in range(3):
        metrics.sample()
    assert samples(metrics) == {
        "earshot_loop_lag_seconds_count": 3,
        "earshot_loop_lag_seconds_sum": 0.003,
        "earshot_loop_lag_worst_seconds": 0.04,
    }


def test_a_fault_of_the_metrics_is_told_once_and_is_not_the_calls(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metered = begun()

    def broken(*_: object) -> None:
        raise RuntimeError("full disk")

    metered.metrics._handlers[RateLimits] = broken
    with caplog.at_level(logging.ERROR):
        metered.at(60, RateLimits(), RateLimits())
    assert [record.message for record in caplog.records] == ["a metric could not be counted"]
    metered.at(70, CarrierClosed("hangup"))
    told = samples(metered.metrics, faulty=True)
    assert told["earshot_call_duration_seconds_count"] == 1


# What a whole call leaves behind

PERSONAL = ("CA0123456789abcdef", "+15550109999", "My name is Ada", "I heard Ada", "8")


def whole_call() -> Metrics:
    """A call with an interruption, a tool, keys, words and costs, through the real heart."""
    line = metered_line(7)
    call_id, number, caller_words, agent_words, key = PERSONAL
    line.model.script.extend(
        [
            Answer((Say("greeting", 2_000, text=agent_words),)),
            Answer(tools=(ToolCall("find-1", "tool-item", "find", f'{{"number":"{number}"}}'),)),
            Answer((Say("answer", 4_000, text=number),)),
            Answer((Say("last", 1_000),)),
            Answer((Say("keys", 500),)),
        ]
    )
    line.heap.at(0, lambda: line.deliver(StreamStarted(call_id, "stream")))
    line.heap.at(4_000, lambda: line.model.hear(1_200))
    line.heap.at(5_300, lambda: line.deliver(CallerTranscribed("caller-1", caller_words)))
    line.heap.at(7_000, lambda: line.model.hear(900))
    line.heap.at(12_000, lambda: line.deliver(KeyPressed(key)))
    line.heap.at(14_000, lambda: line.deliver(RateLimits({"requests": 9, number: 3})))
    usage = Usage(input_audio_tokens=1_000, output_audio_tokens=500, total_tokens=1_500)
    line.heap.at(15_000, lambda: line.deliver(ResponseFinished(call_id, "completed", usage=usage)))
    line.heap.at(15_500, lambda: line.deliver(TextReceived(call_id, "x", caller_words)))
    line.heap.at(16_000, lambda: line.deliver(CarrierClosed("hangup", number)))
    line.run_until(17_000)
    return line.metrics


def test_no_label_of_a_whole_call_says_anything_about_a_person() -> None:
    text = whole_call().render()[0].decode("utf-8")
    values = {
        value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for label, value in sample.labels.items()
        if label != "le"
    }
    assert "caller_hung_up" in values
    assert not [value for value in values for said in PERSONAL if said in value]


def test_every_label_value_of_a_whole_call_stands_in_the_declared_list() -> None:
    text = whole_call().render()[0].decode("utf-8")
    declared = {f.full_name: f.labels for part in SECTIONS.values() for f in part}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "le"}
            known = declared.get(family.name) or declared.get(f"{family.name}_total") or {}
            assert labels.keys() == known.keys(), family.name
            for label, value in labels.items():
                assert not known[label] or value in known[label], f"{family.name} {label}={value}"


def test_a_whole_call_leaves_these_samples() -> None:
    told = samples(whole_call())
    timed = {name for name in told if "_seconds_sum" in name or "_ratio_sum" in name}
    counted = {name: value for name, value in told.items() if name not in timed}
    assert counted == {
        'earshot_calls_started_total{direction="inbound",entry="new"}': 1,
        'earshot_calls_ended_total{fault="nobody",reason="caller_hung_up"}': 1,
        "earshot_call_duration_seconds_count": 1,
        'earshot_answers_total{cause="greeting"}': 1,
        'earshot_answers_total{cause="caller"}': 2,
        'earshot_answers_total{cause="keys"}': 1,
        "earshot_turn_latency_seconds_count": 2,
        'earshot_turn_part_seconds_count{part="vad"}': 2,
        'earshot_turn_part_seconds_count{part="model"}': 2,
        'earshot_turn_part_seconds_count{part="send"}': 4,
        'earshot_turn_part_seconds_count{part="play"}': 4,
        'earshot_interruptions_total{by="fence"}': 1,
        "earshot_interruption_heard_ratio_count": 1,
        'earshot_responses_total{status="completed"}': 6,
        'earshot_tool_runs_total{ok="yes"}': 1,
        'earshot_tool_duration_seconds_count{ok="yes"}': 1,
        'earshot_rate_limit_remaining{limit="requests",model="gpt-realtime-2.1"}': 9,
        'earshot_tokens_total{kind="audio_in",model="gpt-realtime-2.1"}': 1_000,
        'earshot_tokens_total{kind="audio_out",model="gpt-realtime-2.1"}': 500,
        'earshot_cost_usd_total{model="gpt-realtime-2.1"}': pytest.approx(0.064),
    }


def test_what_was_declared_is_there_before_the_first_call() -> None:
    text, content_type = Metrics().render()
    assert content_type.startswith("text/plain")
    told = every_sample(text)
    assert told['earshot_reconnects_total{outcome="failed"}'] == 0
    assert told['earshot_calls_ended_total{fault="us",reason="internal_error"}'] == 0
    assert not [name for name in told if 'fault="nobody",reason="internal_error"' in name]
    families = {f.name for f in text_string_to_metric_families(text.decode("utf-8"))}
    declared = {f.full_name.removesuffix("_total") for part in SECTIONS.values() for f in part}
    assert families == declared
