"""Invariant: each answer, interruption and gap counts once, as the timeline has its times."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.call.commands import Command, SendMark
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    DeadlineReached,
    ItemAdded,
    MarkEchoed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
)
from app.call.timeline import Stamp
from tests.call.virtual_model import Answer, Say
from tests.observe.metered import Metered, MeteredLine, every_sample, metered_line, samples

MS = 8
"""Bytes of μ-law."""


def begun() -> Metered:
    metered = Metered()
    metered.at(0, StreamStarted("call", "stream"), CallerAudioBegan(0))
    metered.at(50, ModelReady("session", "gpt-realtime-2.1"))
    return metered


def asked(metered: Metered) -> None:
    """The caller speaks from 700 to 2400 ms; the model notices at 1000 and 3000 ms."""
    metered.at(1_000, SpeechStarted("c1", 700, 1_000))
    metered.at(3_000, SpeechStopped("c1", 2_900, 3_000, 500))


def answering(metered: Metered, audio_ms: int = 2_000) -> list[Command]:
    """The answer's first audio comes at 3400 ms."""
    metered.at(3_010, ResponseCreated("r1"))
    return metered.at(
        3_400, ItemAdded("r1", "a", "message"), AudioReceived("r1", "a", audio_ms * MS)
    )


def figures(metered: Metered, *parts: str) -> dict[str, float]:
    told = samples(metered.metrics)
    return {name: value for name, value in told.items() if any(part in name for part in parts)}


# Latency


def test_a_turn_is_timed_when_its_first_frame_was_played() -> None:
    metered = begun()
    asked(metered)
    answering(metered)
    assert figures(metered, "turn_", "answers") == {}

    metered.at(3_450, MarkEchoed("s0.0", 3_440, 3_460))
    assert figures(metered, "turn_", "answers") == pytest.approx(
        {
            'earshot_answers_total{cause="caller"}': 1,
            "earshot_turn_latency_seconds_count": 1,
            "earshot_turn_latency_seconds_sum": 1.05,
            'earshot_turn_part_seconds_count{part="vad"}': 1,
            'earshot_turn_part_seconds_sum{part="vad"}': 0.6,
            'earshot_turn_part_seconds_count{part="model"}': 1,
            'earshot_turn_part_seconds_sum{part="model"}': 0.4,
            'earshot_turn_part_seconds_count{part="send"}': 1,
            'earshot_turn_part_seconds_count{part="play"}': 1,
            'earshot_turn_part_seconds_sum{part="play"}': 0.05,
        }
    )


def test_a_turn_is_timed_once() -> None:
    metered = begun()
    asked(metered)
    answering(metered, 100)
    metered.at(3_450, MarkEchoed("s0.0", 3_440, 3_460))
    before = figures(metered, "turn_", "answers")
    metered.at(3_460, ResponseFinished("r1", "completed"))
    metered.at(3_600, MarkEchoed("e0.800", 3_590, 3_610))
    metered.at(4_000, CarrierClosed("hangup"))
    assert figures(metered, "turn_", "answers") == before


def test_a_latency_falls_into_its_bucket() -> None:
    metered = begun()
    asked(metered)
    answering(metered)
    metered.at(3_450, MarkEchoed("s0.0", 3_440, 3_460))
    told = every_sample(metered.metrics.render()[0])
    assert told['earshot_turn_latency_seconds_bucket{le="1.0"}'] == 0
    assert told['earshot_turn_latency_seconds_bucket{le="1.25"}'] == 1


def test_an_answer_that_began_before_the_caller_had_finished_is_no_latency() -> None:
    metered = begun()
    metered.at(1_000, SpeechStarted("c1", 700, 1_000))
    metered.at(3_000, SpeechStopped("c1", 2_900, 3_000, 500))
    answering(metered)
    metered.at(3_450, MarkEchoed("s0.0", 2_300, 2_320))
    told = figures(metered, "turn_latency", "answers")
    assert told == {'earshot_answers_total{cause="caller"}': 1}


def test_an_answer_whose_playing_nobody_confirmed_counts_at_the_end() -> None:
    metered = begun()
    asked(metered)
    answering(metered)
    metered.at(3_500, CarrierClosed("lost"))
    assert figures(metered, "turn_", "answers") == {'earshot_answers_total{cause="caller"}': 1}


# Interruptions


def test_an_interruption_counts_when_its_fence_is_back() -> None:
    metered = begun()
    asked(metered)
    answering(metered)
    metered.at(3_440, MarkEchoed("s0.0", 3_440, 3_440))
    metered.at(3_500, SpeechStarted("c2", 3_200, 3_500))
    assert figures(metered, "interruption") == {}

    metered.at(3_560, MarkEchoed("f0", 3_540, 3_540))
    told = figures(metered, "interruption")
    heard = metered.call.timeline.turns[0].interruption
    assert heard is not None and 80 <= heard.heard_ms <= 120
    assert told == {
        'earshot_interruptions_total{by="fence"}': 1,
        "earshot_interruption_heard_ratio_count": 1,
        "earshot_interruption_heard_ratio_sum": heard.heard_ms / 2_000,
    }
    metered.at(3_700, DeadlineReached())
    metered.at(3_800, SpeechStopped("c2", 3_700, 3_800), CarrierClosed("hangup"))
    assert figures(metered, "interruption") == told


def test_a_fence_that_does_not_come_is_counted_as_an_estimate() -> None:
    metered = begun()
    asked(metered)
    answering(metered)
    metered.at(3_440, MarkEchoed("s0.0", 3_440, 3_440))
    metered.at(3_500, SpeechStarted("c2", 3_200, 3_500))
    metered.at(3_999, DeadlineReached())
    assert figures(metered, "interruptions") == {}
    metered.at(4_000, DeadlineReached())
    assert figures(metered, "interruptions") == {'earshot_interruptions_total{by="clock"}': 1}


def test_an_interruption_before_any_audio_is_one_while_thinking() -> None:
    metered = begun()
    asked(metered)
    metered.at(3_010, ResponseCreated("r1"))
    metered.at(3_200, SpeechStarted("c2", 3_000, 3_200))
    metered.at(3_900, SpeechStopped("c2", 3_800, 3_900))
    assert figures(metered, "interruption", "answers") == {
        'earshot_interruptions_total{by="thinking"}': 1
    }


def test_an_interruption_of_what_was_not_sent_yet_is_told_apart() -> None:
    metered = begun()
    asked(metered)
    metered.at(3_010, ResponseCreated("r1"))
    metered.at(3_400, ItemAdded("r1", "a", "message"), AudioReceived("r1", "a", 100))
    metered.at(3_410, SpeechStarted("c2", 3_300, 3_410))
    told = figures(metered, "interruption", "answers")
    assert told['earshot_interruptions_total{by="unsent"}'] == 1
    assert "earshot_interruption_heard_ratio_sum" not in told


# Gaps


def test_audio_that_comes_too_late_for_its_answer_is_an_underrun() -> None:
    metered = begun()
    asked(metered)
    answering(metered, 100)
    assert SendMark("s0.800") in metered.at(4_000, AudioReceived("r1", "a", 800))
    assert figures(metered, "underruns") == {"earshot_underruns_total": 1}


def test_the_beginning_of_the_next_answer_is_none() -> None:
    metered = begun()
    asked(metered)
    answering(metered, 100)
    metered.at(3_450, ResponseFinished("r1", "completed"))
    metered.at(4_000, ResponseCreated("r2"), ItemAdded("r2", "b", "message"))
    assert SendMark("s0.800") in metered.at(4_100, AudioReceived("r2", "b", 800))
    assert figures(metered, "underruns") == {}


# Whole calls in virtual time


def speaking(seed: int, stall_ms: float, barge_in_ms: float | None) -> MeteredLine:
    """Two answers; the first one stalls, the second one may be cut."""
    line = metered_line(seed)
    line.model.script.append(
        Answer((Say("one", 2_000, stall_at_ms=1_000, stall_ms=stall_ms, speed=20.0),))
    )
    line.model.script.extend(Answer((Say(f"more-{i}", 3_000, speed=20.0),)) for i in range(2))
    line.open()
    line.heap.at(9_000, lambda: line.model.hear(1_000))
    if barge_in_ms is not None:
        line.heap.at(11_000 + barge_in_ms, lambda: line.model.hear(1_000))
    line.run_until(20_000)
    line.deliver(CarrierClosed("hangup"))
    return line


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000), st.sampled_from([0.0, 5_000.0]), st.none() | st.floats(200, 2_000))
def test_the_figures_are_those_of_the_timeline(
    seed: int, stall_ms: float, barge_in_ms: float | None
) -> None:
    line = speaking(seed, stall_ms, barge_in_ms)
    told = every_sample(line.metrics.render()[0])
    turns = line.call.timeline.turns
    sent = [turn for turn in turns if Stamp.FIRST_FRAME_SENT in turn.stamps]
    waited = [turn.perceived_latency_ms for turn in turns]
    waits = [wait for wait in waited if wait is not None]
    assert told['earshot_answers_total{cause="greeting"}'] == 1
    assert told['earshot_answers_total{cause="caller"}'] == len(sent) - 1
    assert told["earshot_turn_latency_seconds_count"] == len(waits)
    assert told["earshot_turn_latency_seconds_sum"] == pytest.approx(sum(waits) / 1000)
    cuts = [turn.interruption for turn in turns if turn.interruption is not None]
    assert told['earshot_interruptions_total{by="fence"}'] == len(cuts) == (barge_in_ms is not None)
    assert told["earshot_underruns_total"] == (stall_ms > 0)
