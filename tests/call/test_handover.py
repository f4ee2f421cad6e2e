"""A change of legs loses nothing that was said, repeats nothing, and asks for what is owed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from app.call.call import Call
from app.call.commands import (
    AddUserText,
    CloseLeg,
    Command,
    CreateResponse,
    DeleteItem,
    EndCall,
    OpenLeg,
    PlayPhrase,
    RewriteItem,
    RunTool,
    SendAudio,
    SendClear,
    SendMark,
    SendToolOutput,
    Summarise,
    TakeLeg,
    TruncateItem,
)
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CarrierClosed,
    DeadlineReached,
    Entry,
    Event,
    HangUpRequested,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ModelClosed,
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
    ToolCall,
    ToolFinished,
    Usage,
)
from app.call.handover import CARRIED_WAIT_MS, LOOK_MS, WORDS_WAIT_MS
from app.call.phases import CallSettings, Phase
from app.call.prices import Prices
from app.call.relay import RelaySettings
from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON, IN_PROGRESS

T = TypeVar("T", bound=Command)
FACTS = '{"facts": ["4711"]}'
LATE_MS = 1_000_000
"""Later than anything that these tests wait for, where one does not care when."""


def play(call: Call, now_ms: int, *events: Event) -> list[Command]:
    return [command for event in events for command in call.handle(event, now_ms)]


def of(kind: type[T], commands: Sequence[Command]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def until(call: Call, end_ms: int) -> list[Command]:
    """Every deadline up to `end_ms` is handled in its time."""
    commands: list[Command] = []
    while (due_ms := call.due_ms) is not None and due_ms <= end_ms:
        commands += play(call, due_ms, DeadlineReached())
    return commands


def talking(greeting: str = "", **relay: Any) -> Call:
    """Leg 1 carries the call at 0 ms."""
    given = {"session_ms": LATE_MS, "give_up_ms": LATE_MS, "attempt_ms": LATE_MS, "filler": ""}
    settings = CallSettings(greeting=greeting, relay=RelaySettings(**{**given, **relay}))
    call = Call(settings)
    play(call, 0, StreamStarted("call", "stream"), CallerAudioBegan(0), ModelReady("s", "m"))
    return call


def caller_says(call: Call, now_ms: int, item_id: str = "c1", text: str = "Hello?") -> None:
    """A turn of half a second that ends now."""
    play(call, now_ms - 500, SpeechStarted(item_id, now_ms - 500, now_ms - 500))
    play(call, now_ms, SpeechStopped(item_id, now_ms, now_ms))
    if text:
        play(call, now_ms, CallerTranscribed(item_id, text))


def begins_to_answer(call: Call, now_ms: int, item_id: str, text: str, ms: int) -> list[Command]:
    """`ms` of an answer that goes on."""
    response_id = f"r-{item_id}"
    return play(
        call,
        now_ms,
        ResponseCreated(response_id),
        ItemAdded(response_id, item_id, "message"),
        TextReceived(response_id, item_id, text),
        AudioReceived(response_id, item_id, ms * 8),
    )


def ends_answer(call: Call, now_ms: int, item_id: str, *tools: ToolCall) -> list[Command]:
    return play(call, now_ms, ResponseFinished(f"r-{item_id}", "completed", tool_calls=tools))


def plays_out(call: Call, now_ms: int) -> int:
    """The carrier plays and confirms all that there is; returns when that is done."""
    marks: list[str] = []
    while call.playout.unplayed:
        due_ms = call.playout.due_ms
        now_ms = max(now_ms, due_ms or now_ms)
        marks += [c.name for c in play(call, now_ms, DeadlineReached()) if isinstance(c, SendMark)]
        if due_ms is None:
            now_ms = max(now_ms, call.playout.play_end_ms)
            position = call.playout._now.sent
            play(call, now_ms, MarkEchoed(f"e{call.playout.generation}.{position}", now_ms, now_ms))
    return now_ms


def answers(call: Call, now_ms: int, item_id: str = "a1", text: str = "Good day.") -> int:
    """A whole answer of 200 ms, heard to its end; returns when that is."""
    begins_to_answer(call, now_ms, item_id, text, 200)
    ends_answer(call, now_ms, item_id)
    return plays_out(call, now_ms)


def drops(call: Call, now_ms: int) -> list[Command]:
    """The leg that carries the call is lost. The next one is being opened."""
    commands = play(call, now_ms, ModelClosed("lost", "", call.handover.relay.leg))
    assert call.handover.relay.next_leg
    return commands


def comes_back(call: Call, now_ms: int) -> list[Command]:
    """The leg that is being opened is ready."""
    return play(call, now_ms, ModelReady("s", "m", leg=call.handover.relay.next_leg))


def stands_by(call: Call, now_ms: int) -> list[Command]:
    """A planned change, as far as to a next leg that is ready."""
    play(call, now_ms, RolloverRequested())
    play(call, now_ms, SummaryWritten(call.handover._asked, FACTS))
    return comes_back(call, now_ms)


def one(kind: type[T], commands: Sequence[Command]) -> T:
    (found,) = of(kind, commands)
    return found


CALLER = Entry("caller", "c1", "Hello?")
AGENT = Entry("agent", "a1", "Good day.")


def conversed(**relay: Any) -> tuple[Call, int]:
    """The caller said something, the agent answered, all is quiet now."""
    call = talking(**relay)
    caller_says(call, 1_000)
    return call, answers(call, 1_200)


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
    assert call.handover.cost_usd == pytest.approx(0.801)


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
    assert one(TakeLeg, commands).entries == (Entry("agent", "a1", "Our hours are long."),)
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


# What a lost leg owed


def test_a_drop_before_the_greeting_sounded_and_the_greeting_is_asked_again() -> None:
    for events in ((), (ResponseCreated("r1", "create-1"), ItemAdded("r1", "a1", "message"))):
        call = talking("Greet.")
        play(call, 100, *events)
        drops(call, 200)

        taken, asked = comes_back(call, 500)
        assert isinstance(taken, TakeLeg)
        assert taken.entries == ()
        assert asked == CreateResponse("create-2", "Greet.")


def test_a_drop_in_mid_answer_and_the_next_leg_goes_on_from_there() -> None:
    call = talking()
    caller_says(call, 1_000)
    begins_to_answer(call, 1_100, "a1", "We are open", 700)
    lost = drops(call, 1_200)
    assert of(SendClear, lost) == []
    assert call.playout.unplayed

    taken, asked = comes_back(call, 1_400)
    assert isinstance(taken, TakeLeg)
    assert taken.entries == (CALLER, Entry("agent", "a1", "We are open"))
    assert (taken.heard_ms, taken.replay_ms, taken.cause) == (1_000, 1_000, "drop")
    assert asked == CreateResponse("create-1", GO_ON)


def test_an_answer_of_which_nothing_is_worth_mentioning_came_is_asked_for_anew() -> None:
    call = talking("Greet.")
    play(call, 100, ResponseCreated("r1", "create-1"), AudioReceived("r1", "a1", 159))
    drops(call, 200)

    assert of(CreateResponse, comes_back(call, 500)) == [CreateResponse("create-2", "Greet.")]


@pytest.mark.parametrize("words", ["Hello?", ""])
def test_a_drop_between_question_and_answer_and_the_question_is_answered(words: str) -> None:
    call = talking()
    caller_says(call, 1_000, text=words)
    drops(call, 1_100)

    taken, asked = comes_back(call, 1_400)
    voice = Entry("caller", "c1", audio_start_ms=500, audio_end_ms=1_000)
    assert isinstance(taken, TakeLeg)
    assert taken.entries == ((CALLER,) if words else (voice,))
    assert taken.heard_ms == 1_000, "or it would be heard and answered a second time"
    assert asked == CreateResponse("create-1")


def test_words_that_come_too_late_are_heard_of_as_a_voice_and_known_afterwards() -> None:
    call = talking()
    caller_says(call, 1_000, text="")
    drops(call, 1_100)
    comes_back(call, 1_400)
    play(call, 1_500, CallerTranscribed("c1", "Hello?"))
    drops(call, 1_600)

    assert one(TakeLeg, comes_back(call, 1_700)).entries == (CALLER,)


def test_a_drop_while_nobody_owes_anything_says_nothing() -> None:
    call, now_ms = conversed()
    drops(call, now_ms + 5_000)

    assert [type(c) for c in comes_back(call, now_ms + 5_300)] == [TakeLeg]
    assert of(CreateResponse, until(call, now_ms + 60_000)) == []


def test_an_answer_that_the_caller_interrupted_is_not_gone_on_with() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "We are open", 2_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)

    assert [type(c) for c in comes_back(call, 900)] == [TakeLeg]


def test_the_agent_greets_once_however_often_its_sessions_change() -> None:
    call = talking("Greet.")
    play(call, 100, ResponseCreated("r1", "create-1"), AudioReceived("r1", "g", 1_600))
    play(call, 200, ResponseFinished("r1", "completed"))
    now_ms, commands = plays_out(call, 200), list[Command]()
    for n in range(20):
        now_ms += 3_000
        if n % 2:
            drops(call, now_ms)
            commands += comes_back(call, now_ms + 100)
        else:
            commands += stands_by(call, now_ms)
        play(call, now_ms + 200, CallerAudioBegan(0))

    assert [c.leg for c in of(TakeLeg, commands)] == list(range(2, 22))
    assert of(CreateResponse, commands) == []


def test_what_the_caller_says_during_a_drop_is_heard_from_its_first_byte() -> None:
    call = talking()
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)
    taken = one(TakeLeg, comes_back(call, 900))

    assert (taken.heard_ms, taken.replay_ms) == (200, None)
    assert play(call, 1_000, SpeechStarted("n1", 200, 1_000)) == []
    assert [turn.cause for turn in call.timeline.turns] == ["caller"]


def test_speech_that_lasts_through_two_drops_is_still_handed_over() -> None:
    call = talking(give_up_ms=60_000)
    play(call, 500, SpeechStarted("c1", 200, 500))
    drops(call, 600)
    comes_back(call, 900)
    drops(call, 1_000)
    until(call, 900 + CARRIED_WAIT_MS + 500)

    taken = one(TakeLeg, comes_back(call, 900 + CARRIED_WAIT_MS + 600))
    assert (taken.heard_ms, taken.replay_ms) == (200, None)


# Keys and tools


BOOK = ToolCall("t1", "i1", "book", '{"n": 2}')


def running_tool() -> Call:
    call = talking()
    play(call, 100, ResponseCreated("r1"))
    assert play(call, 200, ResponseFinished("r1", "completed", tool_calls=(BOOK,))) == [
        RunTool("t1", "book", '{"n": 2}')
    ]
    return call


def test_the_output_of_a_tool_goes_to_the_leg_that_was_told_of_its_call() -> None:
    call = running_tool()
    drops(call, 300)
    taken = one(TakeLeg, comes_back(call, 600))
    run = Entry("tool", "i1", call_id="t1", name="book", arguments='{"n": 2}')
    assert taken.entries == (run,)

    output, asked = play(call, 900, ToolFinished("t1", "booked"))
    assert output == SendToolOutput("output-t1", "t1", "booked")
    assert asked == CreateResponse("create-1")


def test_keys_and_outputs_of_a_gap_are_told_to_the_next_leg_and_answered_once() -> None:
    call = running_tool()
    drops(call, 300)
    assert play(call, 400, ToolFinished("t1", "booked"), KeyPressed("7")) == []
    assert until(call, 1_900) == []

    taken, asked = comes_back(call, 2_000)
    assert isinstance(taken, TakeLeg)
    tool, keys = taken.entries
    assert (tool.call_id, tool.output) == ("t1", "booked")
    assert (keys.kind, keys.text) == ("keys", "The caller pressed these keys: 7")
    assert asked == CreateResponse("create-1")
    assert of(AddUserText, until(call, 6_000)) == []


def test_keys_that_are_still_being_pressed_are_told_by_themselves() -> None:
    call = talking()
    play(call, 100, KeyPressed("4"))
    drops(call, 200)
    assert one(TakeLeg, comes_back(call, 500)).entries == ()

    told, asked = until(call, 1_600)
    assert isinstance(told, AddUserText)
    assert isinstance(asked, CreateResponse)


def test_a_tool_that_runs_longer_than_the_history_reaches_is_told_all_the_same() -> None:
    call = running_tool()
    call.handover.settings = replace(call.settings.relay, most_entries=2)
    now_ms = 1_000
    for n in range(4):
        caller_says(call, now_ms, f"c{n}")
        now_ms = answers(call, now_ms, f"a{n}") + 1_000
    drops(call, now_ms)

    told = one(TakeLeg, comes_back(call, now_ms)).entries
    assert [e.item_id for e in told] == ["i1", "c3", "a3"]


# What the new leg believes of what the old one said


def forced(*lines: tuple[str, str, int]) -> Call:
    """Leg 2 took over at 3 s while these items of leg 1 play: id, text, length in ms."""
    call = talking()
    play(call, 2_900, ResponseCreated("r1"))
    for item_id, text, ms in lines:
        play(
            call,
            2_900,
            ItemAdded("r1", item_id, "message"),
            TextReceived("r1", item_id, text),
            AudioReceived("r1", item_id, ms * 8),
        )
    play(call, 2_950, ResponseFinished("r1", "completed"))
    drops(call, 2_960)
    assert one(TakeLeg, comes_back(call, 3_000)).entries == tuple(
        Entry("agent", item_id, text) for item_id, text, _ in lines
    )
    return call


def interrupted(call: Call, now_ms: int, heard_ms: int) -> list[Command]:
    """The carrier has played `heard_ms` when the caller cuts in."""
    until(call, now_ms)
    start_ms = now_ms - heard_ms
    play(call, now_ms, MarkEchoed("s0.0", start_ms - 20, start_ms))
    assert of(SendClear, play(call, now_ms, SpeechStarted("c1", now_ms, now_ms)))
    return play(call, now_ms + 10, MarkEchoed("f0", now_ms, now_ms + 20))


def test_an_interruption_after_the_switch_corrects_what_the_new_leg_was_told() -> None:
    call = forced(("a0", "Yes.", 200), ("a1", "one two three four five six", 2_000))
    commands = interrupted(call, 4_220, 1_200)

    assert not [c for c in commands if isinstance(c, TruncateItem | DeleteItem)]
    rewrite = one(RewriteItem, commands)
    assert (rewrite.item_id, rewrite.speaker) == ("a1", "agent")
    assert rewrite.text == str(call.transcript.lines[1]) == "one two three [interrupted]"
    assert rewrite.new_id not in ("a0", "a1")


def test_what_was_told_and_never_heard_is_taken_back() -> None:
    call = forced(("a0", "Good day to you.", 1_000), ("a1", "Never heard.", 1_000))
    first, second = of(RewriteItem, interrupted(call, 3_400, 500))

    assert first.item_id == "a0"
    assert first.text.endswith("[interrupted]")
    assert (second.item_id, second.text) == ("a1", "")


def test_an_item_of_the_present_leg_is_cut_as_ever() -> None:
    call = forced(("a0", "Yes.", 200))
    now_ms = plays_out(call, 3_000)
    begins_to_answer(call, now_ms, "b1", "one two", 2_000)
    play(call, now_ms, SpeechStarted("c1", now_ms, now_ms))
    commands = play(call, now_ms + 510, DeadlineReached())

    assert of(RewriteItem, commands) == []
    assert [c.item_id for c in commands if isinstance(c, TruncateItem | DeleteItem)] == ["b1"]


def test_an_interruption_while_no_leg_is_there_is_told_to_the_next_one() -> None:
    call = talking()
    begins_to_answer(call, 100, "a1", "one two three four", 2_000)
    until(call, 1_000)
    play(call, 1_100, SpeechStarted("c1", 1_000, 1_100))
    drops(call, 1_150)
    play(call, 1_160, MarkEchoed("s0.0", 80, 100))
    assert play(call, 1_200, MarkEchoed("f0", 1_100, 1_120)) == []

    told = one(TakeLeg, comes_back(call, 1_500)).entries
    assert told == (Entry("agent", "a1", "one two [interrupted]"),)


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
    call.handover.cost_usd = 0.25
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
