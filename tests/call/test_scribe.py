"""Timeline and transcript say what happened in the call, under the turn in which it happened."""

from app.call.call import Call
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CarrierClosed,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ModelFault,
    ModelReady,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
    Usage,
)
from app.call.phases import CallSettings
from app.call.timeline import Stamp
from app.call.transcript import INTERRUPTED
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say

OPENING: tuple[Event, ...] = (
    StreamStarted("call", "stream"),
    CallerAudioBegan(0),
    ModelReady("session", "model"),
)


def play(call: Call, now_ms: int, *events: Event) -> None:
    for event in events:
        call.handle(event, now_ms)


def opened(greeting: str = "") -> Call:
    call = Call(CallSettings(greeting=greeting))
    play(call, 0, *OPENING)
    return call


def answer(response_id: str, item_id: str, text: str, ms: int) -> tuple[Event, ...]:
    return (
        ResponseCreated(response_id),
        ItemAdded(response_id, item_id, "message"),
        TextReceived(response_id, item_id, text),
        AudioReceived(response_id, item_id, ms * 8),
        ResponseFinished(response_id, "completed"),
    )


def test_an_answer_that_its_model_gave_up_has_the_words_that_came_to_sound() -> None:
    call = opened()
    *begun, _ = answer("r1", "a1", "We are open every day.", 1_100)
    play(call, 100, *begun, ResponseFinished("r1", "incomplete"))
    assert call.transcript.lines[0].text == "We are open"


def interrupted_line() -> VirtualLine:
    """Two seconds of a four second greeting are heard, then the caller speaks and is answered."""
    line = VirtualLine(5, Network(carrier_ms=40, jitter_ms=0))
    greeting = Say("a", 4_000, text="One two three four five six seven eight nine ten.")
    line.model.script.extend([Answer((greeting,)), Answer((Say("b", 1_000, text="Yes."),))])
    line.open()
    while len(line.carrier.played) < 16_000:
        line.run_for(1)
    line.model.hear(600)
    line.run_for(4_000)
    return line


def test_an_interruption_belongs_to_the_answer_that_was_cut() -> None:
    line = interrupted_line()

    greeting, speech = line.call.timeline.turns
    assert (greeting.cause, speech.cause) == ("greeting", "caller")
    assert speech.interruption is None
    assert greeting.interruption is not None
    assert greeting.interruption.by == "fence"
    assert abs(greeting.interruption.heard_ms - line.heard("a") / 8) <= 20
    assert 45 <= greeting.interruption.percent <= 75


def test_the_stamps_of_a_turn_are_in_the_order_of_happening() -> None:
    greeting, speech = interrupted_line().call.timeline.turns

    for turn, order in (
        (
            greeting,
            [
                Stamp.RESPONSE_REQUESTED,
                Stamp.RESPONSE_CREATED,
                Stamp.FIRST_MODEL_AUDIO,
                Stamp.FIRST_FRAME_SENT,
                Stamp.FIRST_FRAME_PLAYED,
                Stamp.INTERRUPTION_DETECTED,
                Stamp.CLEAR_SENT,
                Stamp.SILENCE_REACHED,
                Stamp.TRUNCATE_SENT,
                Stamp.TRUNCATE_ACKNOWLEDGED,
            ],
        ),
        (
            speech,
            [
                Stamp.SPEECH_STARTED,
                Stamp.SPEECH_ENDED,
                Stamp.VAD_DECIDED,
                Stamp.TURN_COMMITTED,
                Stamp.RESPONSE_CREATED,
                Stamp.FIRST_MODEL_AUDIO,
                Stamp.FIRST_FRAME_SENT,
                Stamp.FIRST_FRAME_PLAYED,
                Stamp.LAST_FRAME_PLAYED,
            ],
        ),
    ):
        times = [turn.stamps[stamp] for stamp in order]
        assert times == sorted(times)


def test_the_transcript_holds_the_heard_words_and_the_answer_after_them() -> None:
    first, _, last = interrupted_line().call.transcript.lines

    assert str(first).startswith("One two three four")
    assert str(first).endswith(INTERRUPTED)
    assert first.unheard.endswith("nine ten.")
    assert (str(last), last.interrupted, last.final) == ("Yes.", False, True)


def test_an_item_heard_whole_before_the_cut_is_not_marked_as_interrupted() -> None:
    line = VirtualLine(5, Network(carrier_ms=0, jitter_ms=0))
    items = (Say("a", 1_000, text="One moment."), Say("b", 5_000, text="It is a long story."))
    line.model.script.append(Answer(items))
    line.open()
    while len(line.carrier.played) < 16_000:
        line.run_for(1)
    line.model.hear(300)
    line.run_for(500)

    first, second = line.call.transcript.lines[:2]
    assert (str(first), first.interrupted) == ("One moment.", False)
    assert second.interrupted


def test_keys_told_while_an_answer_plays_do_not_take_its_interruption() -> None:
    call = opened()
    play(call, 100, SpeechStarted("c1", 0, 100), SpeechStopped("c1", 90, 100))
    play(call, 200, *answer("r1", "a", "A long answer.", 8_000))
    play(call, 300, MarkEchoed("s0.0", 300, 320), KeyPressed("1"))
    play(call, 1_800, DeadlineReached())
    play(call, 2_300, SpeechStarted("c2", 2_200, 2_300), MarkEchoed("f0", 2_300, 2_320))

    causes = [(turn.cause, turn.interruption is not None) for turn in call.timeline.turns]
    assert causes == [("caller", True), ("keys", False), ("caller", False)]


def test_the_end_of_speech_belongs_to_the_speech_though_another_turn_began_meanwhile() -> None:
    call = opened()
    play(call, 100, KeyPressed("1"))
    play(call, 1_000, SpeechStarted("c1", 900, 1_000))
    play(call, 1_700, DeadlineReached())
    play(call, 2_000, SpeechStopped("c1", 1_900, 2_000, 100))

    speech, keys = call.timeline.turns
    assert speech.stamps[Stamp.SPEECH_ENDED] == 1_800
    assert Stamp.VAD_DECIDED not in keys.stamps


def test_a_request_created_late_belongs_to_the_turn_that_made_it() -> None:
    call = opened("Greet.")
    play(call, 50, SpeechStarted("c1", 0, 50))
    play(call, 80, ResponseCreated("r1", "create-1"))

    greeting, speech = call.timeline.turns
    assert greeting.response_ids == ["r1"]
    assert Stamp.RESPONSE_CREATED not in speech.stamps


def test_a_tool_belongs_to_the_turn_whose_answer_called_it() -> None:
    call = opened()
    play(call, 100, SpeechStarted("c1", 0, 100), SpeechStopped("c1", 90, 100))
    play(call, 200, ResponseCreated("r1"), SpeechStarted("c2", 100, 200))
    tools = (ToolCall("t1", "i1", "book", "{}"),)
    play(call, 300, ResponseFinished("r1", "completed", tool_calls=tools))
    play(call, 900, ToolFinished("t1", "{}", ok=False))

    first, second = call.timeline.turns
    assert [(t.name, t.started_ms, t.finished_ms, t.ok) for t in first.tools] == [
        ("book", 300, 900, False)
    ]
    assert second.tools == []


def test_an_unsent_answer_that_is_cut_was_never_cleared() -> None:
    call = opened()
    play(call, 100, SpeechStarted("c1", 0, 100), SpeechStopped("c1", 90, 100))
    play(call, 200, ResponseCreated("r1"), AudioReceived("r1", "a", 100))
    play(call, 300, SpeechStarted("c2", 250, 300))

    first = call.timeline.turns[0]
    assert first.interruption is not None
    assert first.interruption.by == "unsent"
    assert Stamp.INTERRUPTION_DETECTED in first.stamps
    assert Stamp.CLEAR_SENT not in first.stamps


def test_a_fence_that_never_came_is_noted_as_a_fallback() -> None:
    call = opened()
    play(call, 100, *answer("r1", "a", "Hello there.", 4_000))
    play(call, 400, SpeechStarted("c1", 300, 400))
    play(call, 900, DeadlineReached())

    assert [note.kind for note in call.timeline.notes] == ["fallback"]
    interruption = call.timeline.turns[0].interruption
    assert interruption is not None
    assert interruption.by == "clock"


def test_hanging_up_in_mid_answer_leaves_only_the_heard_words() -> None:
    call = opened()
    play(call, 100, *answer("r1", "a", "one two three four five six seven eight", 4_000))
    due_ms = call.due_ms
    while due_ms is not None and due_ms <= 2_100:
        play(call, due_ms, DeadlineReached())
        due_ms = call.due_ms
    play(call, 2_100, CarrierClosed("hangup"))

    (line,) = call.transcript.lines
    assert str(line) == f"one two three four {INTERRUPTED}"
    assert call.timeline.turns[0].interruption is None


def test_the_words_of_a_dead_answer_are_not_written() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"), SpeechStarted("c1", 50, 100))
    play(call, 150, TextReceived("r1", "a", "Too late."))

    assert [line.speaker for line in call.transcript.lines] == ["caller"]


def test_the_record_keeps_usage_limits_faults_and_the_end() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))
    play(call, 200, ResponseFinished("r1", "completed", usage=Usage(total_tokens=9)))
    play(call, 300, RateLimits({"tokens": 5}), ModelFault("odd", "An odd thing.", "harmless"))
    play(call, 350, CallerTranscribed("c1", "hello"), KeyPressed("7"))
    play(call, 400, HangUpRequested("operator"))

    timeline = call.timeline
    assert timeline.turns[0].usage == [Usage(total_tokens=9)]
    assert timeline.rate_limits == {"tokens": 5}
    assert [(note.kind, "7" in note.text) for note in timeline.notes] == [
        ("fault", False),
        ("key", False),
    ]
    assert (timeline.started_ms, timeline.model_ready_ms, timeline.ended_ms) == (0, 0, 400)
