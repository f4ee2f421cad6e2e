"""A call that leaves its worker goes on elsewhere; one without a model is not silent for long."""

import pytest

from app.call.call import Call
from app.call.commands import (
    CreateResponse,
    DeleteItem,
    EndCall,
    OpenLeg,
    PlayPhrase,
    RunTool,
    SendAudio,
    TakeLeg,
    TruncateItem,
)
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    DeadlineReached,
    Entry,
    HangUpRequested,
    ModelReady,
    PhraseStored,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    TextReceived,
    ToolFinished,
)
from app.call.phases import CallSettings, Phase
from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON
from tests.call.handover_play import (
    AGENT,
    CALLER,
    FACTS,
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
    running_tool,
    talking,
    until,
)

# Another worker


def resumed(call: Call, *, moved: bool = False) -> Call:
    """The call as another worker takes it over."""
    later = Call(call.settings)
    snapshot = call.snapshot(moved=moved)
    play(later, 0, StreamStarted("call", "another", resumed=snapshot))
    return later


def test_another_worker_goes_on_where_this_one_died_and_says_so_once() -> None:
    call, now_ms = conversed()
    play(call, now_ms, RolloverRequested(), SummaryWritten("summary-1", FACTS))
    later = Call(CallSettings(greeting="Greet."))
    snapshot = call.snapshot()
    assert (snapshot.call_id, snapshot.summary, snapshot.entries) == (
        "call",
        FACTS,
        (CALLER, AGENT),
    )

    opened = one(OpenLeg, play(later, 0, StreamStarted("call", "other", resumed=snapshot)))
    assert FACTS in opened.context
    taken, asked = play(later, 300, ModelReady("s", "m"))
    assert taken == TakeLeg(1, (CALLER, AGENT), 0, 1_000, "worker")
    assert asked == CreateResponse("create-1", CUT_OFF_BY_THE_LINE)
    assert play(later, 400, CallerAudioBegan(0)) == []
    play(later, 500, ResponseCreated("r1", "create-1"))
    assert play(later, 600, ResponseFinished("r1", "completed")) == []


def test_a_call_that_was_moved_in_a_quiet_moment_explains_nothing() -> None:
    later = resumed(conversed()[0], moved=True)

    assert [type(c) for c in play(later, 300, ModelReady("s", "m"))] == [TakeLeg]
    assert of(CreateResponse, play(later, 400, CallerAudioBegan(0))) == []


def test_a_call_that_was_moved_while_the_caller_waited_answers() -> None:
    call = talking()
    caller_says(call, 1_000)
    assert call.snapshot().unanswered

    later = resumed(call, moved=True)
    assert of(CreateResponse, play(later, 300, ModelReady("s", "m"))) == [
        CreateResponse("create-1")
    ]


@pytest.mark.parametrize(("left_ms", "asked"), [(1_110, ""), (4_000, GO_ON)])
def test_an_answer_that_a_move_cut_is_gone_on_with(left_ms: int, asked: str) -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "Good day to you.", 5_000)
    ends_answer(call, 1_100, "a1")
    until(call, left_ms)
    play(call, left_ms, HangUpRequested("drain"), HangUpRequested("drain"))
    assert call.timeline.end_reason is EndReason.DRAINED

    later = resumed(call, moved=True)
    assert of(CreateResponse, play(later, 300, ModelReady("s", "m"))) == [
        CreateResponse("create-1", asked)
    ]


def test_what_a_move_left_unheard_is_not_told_of_as_begun() -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "Good day to you.", 2_000)
    play(call, 1_100, TextReceived("r-a1", "a2", "One moment."), AudioReceived("r-a1", "a2", 8_000))
    play(call, 1_100, TextReceived("r-a1", "a3", "And then."))
    until(call, 2_400)
    play(call, 2_400, HangUpRequested("drain"), HangUpRequested("drain"))

    caller, agent = call.snapshot(moved=True).entries
    assert (caller, agent.item_id) == (CALLER, "a1")
    assert agent.text.startswith("Good day")
    assert agent.text.endswith(" [interrupted]")
    unheard = [(line.text, line.unheard, line.interrupted) for line in call.transcript.lines[2:]]
    assert unheard == [("", "One moment.", False), ("", "And then.", False)]


def test_what_the_caller_cut_before_a_move_is_told_of_as_cut() -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "Good day to you.", 2_000)
    until(call, 1_200)
    play(call, 1_200, SpeechStarted("c2", 1_200, 1_200))
    play(call, 1_210, HangUpRequested("drain"), HangUpRequested("drain"))
    assert call.snapshot(moved=True).entries == (CALLER, Entry("agent", "a1", "[interrupted]"))


def test_open_tools_are_asked_for_again_under_the_same_id_on_another_worker() -> None:
    call = running_tool()
    later = Call(call.settings)
    commands = play(later, 0, StreamStarted("call", "another", resumed=call.snapshot()))
    assert of(RunTool, commands) == [RunTool("t1", "book", '{"n": 2}')]

    assert play(later, 50, ToolFinished("t1", "booked")) == []
    taken, asked = play(later, 300, ModelReady("s", "m"))
    assert isinstance(taken, TakeLeg)
    assert [(e.call_id, e.output) for e in taken.entries] == [("t1", "booked")]
    assert asked == CreateResponse("create-1", CUT_OFF_BY_THE_LINE), "it answers the output too"


def test_what_another_worker_knew_is_in_the_snapshots_of_this_one() -> None:
    call, now_ms = conversed()
    play(call, now_ms, RolloverRequested(), SummaryWritten("summary-1", FACTS))
    call.bill.usd = 0.25
    later = resumed(call)
    snapshot = later.snapshot()

    assert (snapshot.summary, snapshot.entries) == (FACTS, (CALLER, AGENT))
    assert snapshot.cost_usd == 0.25


def test_a_drain_moves_a_quiet_call_at_once() -> None:
    call, now_ms = conversed()

    assert play(call, now_ms, HangUpRequested("drain")) == [EndCall(EndReason.DRAINED)]


def test_a_drain_moves_a_call_that_has_no_model_yet_at_once() -> None:
    call = Call()
    play(call, 0, StreamStarted("call", "stream"))

    assert play(call, 10, HangUpRequested("drain")) == [EndCall(EndReason.DRAINED)]


def test_a_drain_waits_for_a_quiet_moment() -> None:
    call = talking()
    caller_says(call, 1_000)
    assert play(call, 1_000, HangUpRequested("drain")) == []
    begins_to_answer(call, 1_100, "a1", "Good day.", 500)
    assert of(EndCall, ends_answer(call, 1_100, "a1")) == []
    plays_out(call, 1_100)

    assert call.timeline.end_reason is EndReason.DRAINED


def test_a_drain_does_not_wait_for_ever() -> None:
    call = talking()
    play(call, 1_000, SpeechStarted("c1", 1_000, 1_000), HangUpRequested("drain"))
    moved_ms = 1_000 + call.settings.move_wait_ms

    assert of(EndCall, until(call, moved_ms - 1)) == []
    assert of(EndCall, until(call, moved_ms)) == [EndCall(EndReason.DRAINED)]


def test_told_again_a_drain_moves_the_call_at_once() -> None:
    call = talking()
    play(call, 1_000, SpeechStarted("c1", 1_000, 1_000), HangUpRequested("drain"))

    assert play(call, 1_500, HangUpRequested("drain")) == [EndCall(EndReason.DRAINED)]


def test_a_goodbye_is_said_to_its_end_before_a_drain_and_keeps_no_pacer_busy() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "Goodbye.", 60_000)
    play(call, 200, HangUpRequested("operator"), HangUpRequested("drain"))
    play(call, 9_000, DeadlineReached())

    assert call.phase is Phase.GOODBYE
    assert call.due_ms is not None
    assert call.due_ms > 9_000


# The filler


def test_a_gap_that_gets_long_is_filled_with_a_phrase_that_no_model_said() -> None:
    call = talking(filler="One moment, please.")
    caller_says(call, 1_000)
    drops(call, 1_100)
    assert of(PlayPhrase, until(call, 2_599)) == []
    assert until(call, 2_600) == [PlayPhrase("One moment, please.")]

    sounds = play(call, 2_610, PhraseStored("One moment, please.", 8_000))
    assert of(SendAudio, sounds)
    assert str(call.transcript.lines[-1]) == "One moment, please."
    assert of(PlayPhrase, until(call, 2_700)) == []
    entries = one(TakeLeg, comes_back(call, 2_800)).entries
    assert [e.text for e in entries] == ["Hello?", "One moment, please."]


@pytest.mark.parametrize("too_late", ["a leg is there", "something plays", "no phrase"])
def test_a_phrase_without_a_purpose_is_not_played(too_late: str) -> None:
    call = talking(filler="One moment, please.")
    drops(call, 1_100)
    until(call, 2_600)
    n_bytes = 8_000
    match too_late:
        case "a leg is there":
            comes_back(call, 2_605)
        case "something plays":
            play(call, 2_605, PhraseStored("One moment, please.", 8_000))
        case _:
            n_bytes = 0

    assert play(call, 2_610, PhraseStored("One moment, please.", n_bytes)) == []


def test_no_filler_is_asked_for_over_a_voice_that_still_sounds() -> None:
    call = talking(filler="One moment, please.")
    begins_to_answer(call, 1_000, "a1", "A long answer.", 5_000)
    drops(call, 1_100)

    assert of(PlayPhrase, until(call, 3_500)) == []


def test_an_interrupted_phrase_is_no_models_memory() -> None:
    call = talking(filler="One moment, please.")
    drops(call, 1_100)
    until(call, 2_600)
    play(call, 2_610, PhraseStored("One moment, please.", 16_000))
    comes_back(call, 2_700)
    play(call, 2_800, SpeechStarted("c1", 2_700, 2_800))
    commands = play(call, 3_320, DeadlineReached())

    assert not [c for c in commands if isinstance(c, TruncateItem | DeleteItem)]


def test_a_call_that_must_move_waits_a_little_for_words_just_said() -> None:
    call = talking()
    play(call, 1_000, SpeechStarted("c1", 1_000, 1_000), HangUpRequested("drain"))
    play(call, 1_900, SpeechStopped("c1", 1_900, 1_900, 500))

    assert play(call, 2_000, HangUpRequested("drain")) == []
    assert call.due_ms is not None
    assert call.due_ms > 2_000
    ended = play(call, 2_300, CallerTranscribed("c1", "Four eight one."))
    assert ended[-1] == EndCall(EndReason.DRAINED)
    assert call.snapshot(moved=True).entries[-1].text == "Four eight one."


def test_words_that_do_not_come_hold_up_a_move_no_longer_than_that() -> None:
    call = talking()
    play(call, 1_000, SpeechStarted("c1", 1_000, 1_000), HangUpRequested("drain"))
    play(call, 1_900, SpeechStopped("c1", 1_900, 1_900, 500))
    play(call, 2_000, HangUpRequested("drain"))

    assert of(EndCall, until(call, 2_999)) == []
    assert of(EndCall, until(call, 3_000)) == [EndCall(EndReason.DRAINED)]
