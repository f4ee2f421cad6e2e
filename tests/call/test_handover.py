"""A planned change of legs finds its moment and loses, doubles and interrupts nothing."""

from dataclasses import replace
from typing import Any

import pytest

from app.call.call import Call
from app.call.carried_speech import CARRIED_WAIT_MS, WORDS_WAIT_MS
from app.call.commands import (
    CloseLeg,
    CreateResponse,
    OpenLeg,
    SendClear,
    Summarise,
    TakeLeg,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CarrierClosed,
    DeadlineReached,
    Entry,
    KeyPressed,
    ModelClosed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    ToolCall,
    Usage,
)
from app.call.handover import LOOK_MS
from app.call.phases import CallSettings
from app.call.prices import Prices
from app.call.relay_settings import RelaySettings
from app.call.summary import GO_ON, IN_PROGRESS
from tests.call.handover_play import (
    AGENT,
    CALLER,
    FACTS,
    answers,
    begins_to_answer,
    caller_says,
    comes_back,
    conversed,
    drops,
    ends_answer,
    of,
    one,
    play,
    plays_out,
    stands_by,
    talking,
    until,
)

# A planned change in a quiet moment


def test_a_planned_change_is_summary_session_switch() -> None:
    call, now_ms = conversed()

    asked = one(Summarise, play(call, now_ms, RolloverRequested()))
    assert (asked.request_id, asked.by, asked.conversation) == ("summary-1", "session", "")
    opened = play(call, now_ms + 10, SummaryWritten("summary-1", FACTS))
    assert [(c.leg, c.model) for c in of(OpenLeg, opened)] == [(2, 0)]
    context = one(OpenLeg, opened).context
    assert context.startswith(IN_PROGRESS)
    assert FACTS in context

    taken = play(call, now_ms + 300, ModelReady("s", "m", leg=2))
    assert taken == [TakeLeg(2, (CALLER, AGENT), 1_000, 1_000, "operator")]
    assert until(call, now_ms + 60_000) == []


def test_what_the_summary_covers_is_told_no_more_but_for_the_last_of_it() -> None:
    call, now_ms = conversed(keep_entries=1)
    play(call, now_ms, RolloverRequested())
    caller_says(call, now_ms + 600, "c2", "And now?")
    now_ms = answers(call, now_ms + 700, "a2", "Now too.")
    play(call, now_ms, SummaryWritten("summary-1", FACTS))

    told = one(TakeLeg, comes_back(call, now_ms)).entries
    assert told == (AGENT, Entry("caller", "c2", "And now?"), Entry("agent", "a2", "Now too."))


@pytest.mark.parametrize("written", ["", "  "])
def test_without_a_summary_the_words_are_told_and_the_record_says_so(written: str) -> None:
    call, now_ms = conversed()
    play(call, now_ms, RolloverRequested())
    opened = play(call, now_ms, SummaryWritten("summary-1", written))

    assert one(OpenLeg, opened).context == IN_PROGRESS
    assert one(TakeLeg, comes_back(call, now_ms)).entries == (CALLER, AGENT)
    assert [note.kind for note in call.timeline.notes] == ["fallback"]


def test_a_summary_that_does_not_come_is_not_waited_for() -> None:
    call, now_ms = conversed()
    play(call, now_ms, RolloverRequested())

    assert until(call, now_ms + 5_999) == []
    assert [c.leg for c in of(OpenLeg, until(call, now_ms + 6_000))] == [2]


def test_a_text_model_is_given_the_conversation_as_text() -> None:
    call, now_ms = conversed(summary_by="text_model")
    asked = one(Summarise, play(call, now_ms, RolloverRequested()))

    assert asked.by == "text_model"
    assert asked.conversation == "Caller: Hello?\nAgent: Good day."


def test_the_next_summary_carries_the_facts_of_the_one_before() -> None:
    call, now_ms = conversed()
    stands_by(call, now_ms)
    asked = one(Summarise, play(call, now_ms + 100, RolloverRequested()))

    assert asked.request_id == "summary-2"
    assert FACTS in asked.instructions


def test_a_second_wish_during_a_change_changes_nothing() -> None:
    call, now_ms = conversed()
    play(call, now_ms, RolloverRequested())

    assert play(call, now_ms + 10, RolloverRequested()) == []


@pytest.mark.parametrize(
    ("relay", "usage", "cause"),
    [
        ({"context_tokens": 900}, Usage(input_text_tokens=400, input_audio_tokens=500), "context"),
        ({"spend_usd": 0.5}, Usage(output_audio_tokens=500_000), "spend"),
    ],
)
def test_an_answer_that_read_or_cost_too_much_begins_a_change(
    relay: dict[str, Any], usage: Usage, cause: str
) -> None:
    prices = Prices(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    call = Call(CallSettings(relay=RelaySettings(**relay), prices=(prices,)))
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    less = replace(usage, input_audio_tokens=499 if cause == "context" else 0)
    if cause == "spend":
        less = Usage(output_audio_tokens=499_999)
    play(call, 100, ResponseCreated("r1"))
    assert play(call, 200, ResponseFinished("r1", "completed", usage=less)) == []
    if cause == "spend":
        usage = Usage(output_audio_tokens=1)
    play(call, 300, ResponseCreated("r2"))

    asked = play(call, 400, ResponseFinished("r2", "completed", usage=usage))
    assert [type(c) for c in asked] == [Summarise]
    play(call, 500, SummaryWritten("summary-1", FACTS))
    assert one(TakeLeg, comes_back(call, 600)).cause == cause


def test_what_a_leg_cost_is_forgotten_with_it_and_the_calls_cost_is_not() -> None:
    prices = Prices(0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    call = Call(CallSettings(relay=RelaySettings(spend_usd=0.5), prices=(prices,)))
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    costly = Usage(output_audio_tokens=400_000)
    play(call, 100, ResponseCreated("r1"), ResponseFinished("r1", "completed", usage=costly))
    stands_by(call, 200)
    assert call.handover.relay.leg == 2

    play(call, 300, ResponseCreated("r2"))
    assert play(call, 400, ResponseFinished("r2", "completed", usage=costly)) == []
    play(call, 500, SummaryWritten("another", "", Usage(output_audio_tokens=1_000)))
    assert call.bill.usd == pytest.approx(0.801)


def test_a_long_call_is_summarised_without_a_change_so_that_a_drop_has_little_to_tell() -> None:
    call = talking(summary_every=4, keep_entries=1)
    now_ms, asked = 1_000, list[Summarise]()
    for n in range(4):
        caller_says(call, now_ms, f"c{n}")
        begins_to_answer(call, now_ms, f"a{n}", "Yes.", 200)
        asked += of(Summarise, ends_answer(call, now_ms, f"a{n}"))
        now_ms = plays_out(call, now_ms) + 1_000
        if len(asked) == 1:
            assert play(call, now_ms, SummaryWritten("summary-1", FACTS)) == []

    assert [a.request_id for a in asked] == ["summary-1", "summary-2"]
    context = one(OpenLeg, drops(call, now_ms)).context
    assert FACTS in context
    assert [e.item_id for e in one(TakeLeg, comes_back(call, now_ms)).entries] == [
        "a1",
        "c2",
        "a2",
        "c3",
        "a3",
    ]


# The quiet moment


def test_the_switch_waits_until_the_last_word_was_heard() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "Good day.", 2_000)
    ends_answer(call, 100, "a1")

    assert stands_by(call, 200) == []
    assert of(TakeLeg, until(call, 1_500)) == []
    now_ms = plays_out(call, 1_500)
    assert call.handover.relay.leg == 2
    assert call.timeline.legs[1].taken_ms == now_ms


@pytest.mark.parametrize("busy", ["thinking", "answering", "tool", "keys", "words", "speaking"])
def test_the_switch_waits_while_somebody_speaks_thinks_or_works(busy: str) -> None:
    call = talking()
    match busy:
        case "thinking":
            caller_says(call, 1_000)
        case "answering":
            play(call, 1_000, ResponseCreated("r1"))
        case "tool":
            run = ToolCall("t1", "i1", "book", "{}")
            play(call, 900, ResponseCreated("r1"))
            play(call, 1_000, ResponseFinished("r1", "completed", tool_calls=(run,)))
        case "keys":
            play(call, 1_000, KeyPressed("1"))
        case "words":
            caller_says(call, 900, text="")
            play(call, 950, ResponseCreated("r1"), ResponseFinished("r1", "completed"))
        case _:
            play(call, 1_000, SpeechStarted("c1", 700, 1_000))

    assert of(TakeLeg, stands_by(call, 1_010)) == []
    assert call.due_ms is not None
    assert call.due_ms <= 1_010 + LOOK_MS
    assert of(TakeLeg, until(call, 1_500)) == []


def test_words_that_do_not_come_are_waited_for_in_bounds_and_the_voice_is_told() -> None:
    call = talking()
    caller_says(call, 1_000, text="")
    play(call, 1_050, ResponseCreated("r1"), ResponseFinished("r1", "completed"))
    stands_by(call, 1_100)

    assert of(TakeLeg, until(call, 1_000 + WORDS_WAIT_MS)) == []
    told = one(TakeLeg, until(call, 1_000 + WORDS_WAIT_MS + LOOK_MS)).entries
    assert told == (Entry("caller", "c1", audio_start_ms=500, audio_end_ms=1_000),)


def test_after_a_while_only_an_answer_in_progress_holds_up_the_switch() -> None:
    call = talking(quiet_wait_ms=1_000, force_wait_ms=5_000)
    begins_to_answer(call, 100, "a1", "Good day.", 4_000)
    stands_by(call, 200)
    assert of(TakeLeg, until(call, 1_500)) == []

    ended = ends_answer(call, 1_600, "a1")
    assert one(TakeLeg, ended).leg == 2
    assert of(SendClear, ended) == []
    assert call.playout.unplayed, "the caller goes on hearing it"


def test_a_caller_who_speaks_on_and_on_is_handed_over_from_the_first_byte() -> None:
    call = talking(quiet_wait_ms=1_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    stands_by(call, 600)
    assert of(TakeLeg, until(call, 1_599)) == []

    taken = one(TakeLeg, until(call, 1_700))
    assert (taken.heard_ms, taken.replay_ms, taken.entries) == (200, None, ())


def test_the_speech_that_was_handed_over_is_the_same_turn() -> None:
    call = talking(quiet_wait_ms=1_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    stands_by(call, 600)
    until(call, 1_700)

    assert play(call, 1_800, SpeechStarted("n1", 210, 1_800)) == []
    play(call, 2_500, SpeechStopped("n1", 2_400, 2_500), CallerTranscribed("n1", "Good day."))
    assert [(line.item_id, str(line)) for line in call.transcript.lines] == [("n1", "Good day.")]
    assert [turn.cause for turn in call.timeline.turns] == ["caller"]
    (line,) = call.transcript.lines
    assert (line.audio_start_ms, line.audio_end_ms) == (200, 2_400)


def test_speech_that_the_new_leg_does_not_find_ends_there_and_is_answered() -> None:
    call = talking(quiet_wait_ms=1_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    stands_by(call, 600)
    taken_ms = 1_600
    assert of(TakeLeg, until(call, taken_ms))

    answer_ms = taken_ms + CARRIED_WAIT_MS + call.settings.responses.answer_timeout_ms
    assert of(CreateResponse, until(call, answer_ms - 1)) == []
    assert of(CreateResponse, until(call, answer_ms)) == [CreateResponse("create-1")]


def test_at_the_deadline_even_an_answer_in_progress_gives_way_and_its_sound_plays_on() -> None:
    call = talking(quiet_wait_ms=1_000, force_wait_ms=3_000)
    begins_to_answer(call, 100, "a1", "Our hours are long.", 10_000)
    play(call, 200, RolloverRequested())
    play(call, 200, SummaryWritten("summary-1", FACTS))
    play(call, 200, ModelReady("s", "m", leg=2))
    for at_ms in range(1_000, 3_200, 1_000):
        play(call, at_ms, AudioReceived("r-a1", "a1", 800))
        assert of(TakeLeg, until(call, at_ms + 100)) == []

    commands = until(call, 3_200 + LOOK_MS)
    told = Entry("agent", "a1", "Our hours are long. [interrupted]")
    assert one(TakeLeg, commands).entries == (told,)
    assert of(CreateResponse, commands) == [CreateResponse("create-1", GO_ON)]
    assert of(SendClear, commands) == []
    assert play(call, 3_300, AudioReceived("r-a1", "a1", 800)) == [], "of the closed leg"


def test_the_old_session_is_left_before_its_vendor_ends_it() -> None:
    call = talking()
    play(call, 0, RolloverRequested())
    play(call, 0, SummaryWritten("summary-1", FACTS))
    play(call, 0, ModelReady("s", "m", 20_000, leg=2))
    play(call, 100, SpeechStarted("c1", 0, 100))
    play(call, 15_000, DeadlineReached())
    play(call, 15_000, SummaryWritten("summary-2", FACTS))
    play(call, 15_100, ModelReady("s", "m", leg=3))

    assert of(TakeLeg, until(call, 15_999)) == []
    taken = one(TakeLeg, until(call, 16_100))
    assert (taken.leg, taken.cause) == (3, "expiry")


# What must be kept of the caller's voice


def test_the_callers_voice_is_kept_while_it_may_be_asked_for() -> None:
    call = talking()
    assert call.handover.needed_from_ms is None
    play(call, 500, SpeechStarted("c1", 200, 500))
    assert call.handover.needed_from_ms == 200
    play(call, 900, SpeechStopped("c1", 800, 900))
    assert call.handover.needed_from_ms == 200
    play(call, 950, CallerTranscribed("c1", "Hello?"))
    assert call.handover.needed_from_ms is None


# The record


def test_the_record_knows_every_leg_and_why_it_came_and_went() -> None:
    call, now_ms = conversed()
    stands_by(call, now_ms)
    drops(call, now_ms + 5_000)
    play(call, now_ms + 5_010, ModelClosed("unreachable", "", 3))
    until(call, now_ms + 5_200)
    comes_back(call, now_ms + 5_300)
    play(call, now_ms + 9_000, CarrierClosed("hangup"))

    legs = [(leg.number, leg.cause, leg.closed_by) for leg in call.timeline.legs]
    assert legs == [
        (1, "start", None),
        (2, "operator", "lost"),
        (3, None, "unreachable"),
        (4, "drop", None),
    ]
    assert call.timeline.legs[0].closed_ms == now_ms
    record = call.timeline.as_json()["legs"]
    assert isinstance(record, list)
    assert [leg["taken_ms"] for leg in record] == [0, now_ms, None, now_ms + 5_300]


def test_a_leg_that_is_of_no_use_is_closed() -> None:
    call = talking(models=2)
    failed = ResponseFinished("r1", "failed", error_code="server_error")
    play(call, 100, ResponseCreated("r1"), failed)
    play(call, 200, ResponseCreated("r2", "create-1"))

    commands = play(call, 300, ResponseFinished("r2", "failed", error_code="server_error"))
    assert commands[0] == CloseLeg(1)
    assert [(c.leg, c.model) for c in of(OpenLeg, commands)] == [(2, 1)]
    assert of(CreateResponse, comes_back(call, 600)) == [CreateResponse("create-2")]
