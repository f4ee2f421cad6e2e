"""The rules of a call hold whatever comes: one greeting, one owner of answers, one end."""

import gc
from collections import deque
from types import FunctionType, ModuleType

import pytest

from app.call.call import Call
from app.call.commands import (
    AddUserText,
    CloseLeg,
    Command,
    CreateResponse,
    DeleteItem,
    EndCall,
    KeepAudio,
    OpenLeg,
    SendAudio,
    SendClear,
    SendMark,
    SendToolOutput,
    TakeLeg,
)
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    CloseCause,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    KeyPressed,
    MarkEchoed,
    ModelClosed,
    ModelFault,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings, Phase
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say

STARTED = StreamStarted("call", "stream")
READY = ModelReady("session", "model")
MEDIA = CallerAudioBegan(0)
TAKEN = TakeLeg(1, (), 0, None, "start")


def play(call: Call, now_ms: int, *events: Event) -> list[Command]:
    return [command for event in events for command in call.handle(event, now_ms)]


def opened(greeting: str = "") -> Call:
    call = Call(CallSettings(greeting=greeting))
    play(call, 0, STARTED, MEDIA, READY)
    return call


def of(kind: type, commands: list[Command]) -> list[Command]:
    return [command for command in commands if isinstance(command, kind)]


# The greeting


def test_the_stream_opens_the_first_model_session() -> None:
    assert play(Call(), 0, STARTED) == [OpenLeg(1, 0)]


@pytest.mark.parametrize("order", [(READY, MEDIA), (MEDIA, READY)])
def test_the_agent_greets_when_the_model_is_ready_and_media_flows(
    order: tuple[Event, Event],
) -> None:
    call = Call(CallSettings(greeting="Greet."))
    play(call, 0, STARTED)
    greeting = CreateResponse("create-1", "Greet.")

    ready_first = order[0] is READY
    assert play(call, 0, order[0]) == ([TAKEN] if ready_first else [])
    assert play(call, 10, order[1]) == ([greeting] if ready_first else [TAKEN, greeting])


def test_the_agent_greets_once() -> None:
    call = opened("Greet.")
    play(call, 10, ResponseCreated("r1", "create-1"), ResponseFinished("r1", "completed"))

    assert play(call, 20, READY, MEDIA, READY) == []


def test_an_agent_without_a_greeting_waits_for_the_caller() -> None:
    call = opened()

    assert call.phase is Phase.TALKING
    assert call.timeline.turns == []
    assert call.due_ms == call.settings.relay.session_ms


# The floor


def playing() -> Call:
    """Two seconds of item a of response r1, released up to the lead at 100 ms."""
    call = opened()
    play(call, 100, ResponseCreated("r1"), ItemAdded("r1", "a", "message"))
    play(call, 100, AudioReceived("r1", "a", 16_000))
    return call


def test_the_caller_stops_what_plays_at_once() -> None:
    commands = play(playing(), 200, SpeechStarted("c1", 0, 200))

    assert commands == [SendMark("f0"), SendClear()]


def test_late_audio_of_a_dead_response_is_dropped() -> None:
    call = playing()
    play(call, 200, SpeechStarted("c1", 0, 200))

    assert play(call, 210, AudioReceived("r1", "a", 8_000), TextReceived("r1", "a", "x")) == []
    assert not call.playout.unplayed


def test_audio_of_the_next_response_plays_though_the_fence_is_not_back() -> None:
    call = playing()
    play(call, 200, SpeechStarted("c1", 0, 200), SpeechStopped("c1", 300, 400))
    play(call, 410, ResponseCreated("r2"))

    commands = play(call, 420, AudioReceived("r2", "b", 800))
    assert commands == [KeepAudio(1, 800), SendMark("s1.0"), SendAudio(1, 0, 800)]


def test_an_item_that_was_opened_and_never_sounded_is_deleted_when_its_response_dies() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"), ItemAdded("r1", "a", "message"))
    play(call, 120, SpeechStarted("c1", 0, 120), AudioReceived("r1", "a", 800))

    assert play(call, 130, ResponseFinished("r1", "cancelled", "turn_detected")) == [
        DeleteItem("delete-a", "a")
    ]


def test_audio_without_bytes_is_no_sound() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"), ItemAdded("r1", "a", "message"))

    assert play(call, 110, AudioReceived("r1", "a", 0)) == []
    play(call, 120, SpeechStarted("c1", 0, 120))
    commands = play(call, 130, ResponseFinished("r1", "cancelled"))
    assert commands == [DeleteItem("delete-a", "a")]


def test_speech_before_the_greeting_was_created_dooms_it() -> None:
    call = opened("Greet.")
    play(call, 10, SpeechStarted("c1", 0, 10))

    commands = play(call, 20, ResponseCreated("r1", "create-1"), AudioReceived("r1", "a", 800))
    assert [type(command).__name__ for command in commands] == ["CancelResponse"]


# Tools


def tools(*names: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(f"t{n}", f"i{n}", name, "{}") for n, name in enumerate(names))


def test_parallel_tools_make_one_request() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))
    play(call, 200, ResponseFinished("r1", "completed", tool_calls=tools("x", "y", "z")))

    commands = play(call, 300, *(ToolFinished(f"t{n}", "{}") for n in (2, 0, 1)))
    assert [type(c) for c in commands] == [SendToolOutput] * 3 + [CreateResponse]


def test_an_output_while_the_caller_speaks_is_told_and_left_to_the_next_answer() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))
    play(call, 200, ResponseFinished("r1", "completed", tool_calls=tools("x")))
    play(call, 300, SpeechStarted("c1", 0, 300))

    assert [type(c) for c in play(call, 400, ToolFinished("t0", "{}"))] == [SendToolOutput]
    assert play(call, 2_000, SpeechStopped("c1", 1_900, 2_000), ResponseCreated("r2")) == []
    assert play(call, 3_000, ResponseFinished("r2", "completed")) == []


def test_tools_of_a_cancelled_response_are_not_run() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))

    assert play(call, 200, ResponseFinished("r1", "cancelled", tool_calls=tools("x"))) == []


def test_a_hang_up_that_crossed_with_the_callers_speech_is_refused() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"), SpeechStarted("c1", 0, 100))

    commands = play(call, 120, ResponseFinished("r1", "completed", tool_calls=tools("hang_up")))
    assert [type(command) for command in commands] == [SendToolOutput]
    assert call.phase is Phase.TALKING


def test_hanging_up_twice_in_one_response_hangs_up_once() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))

    done = ResponseFinished("r1", "completed", tool_calls=tools("hang_up", "hang_up"))
    commands = play(call, 120, done)
    assert [type(command) for command in commands] == [SendToolOutput, EndCall]


def test_a_tool_that_finishes_during_the_goodbye_asks_for_no_answer() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))
    play(call, 110, ResponseFinished("r1", "completed", tool_calls=tools("x")))
    play(call, 120, ResponseCreated("r2"), AudioReceived("r2", "a", 8_000))
    play(call, 130, ToolFinished("t0", "{}"))
    bye = (ToolCall("bye", "i9", "hang_up", "{}"),)

    commands = play(call, 140, ResponseFinished("r2", "completed", tool_calls=bye))
    assert of(CreateResponse, commands) == []
    assert call.phase is Phase.GOODBYE


def test_a_goodbye_that_no_tool_asked_for_is_called_off_without_an_output() -> None:
    call = playing()
    play(call, 200, HangUpRequested("agent"))

    commands = play(call, 300, SpeechStarted("c1", 0, 300))
    assert of(SendToolOutput, commands) == []
    assert call.phase is Phase.TALKING


# Keys


def test_keys_are_told_as_one_entry_and_answered() -> None:
    call = opened()
    play(call, 100, KeyPressed("4"))
    play(call, 600, KeyPressed("2"))
    assert call.due_ms == 2_100

    told, asked = play(call, 2_100, DeadlineReached())
    assert isinstance(told, AddUserText)
    assert told.text.endswith("4 2")
    assert isinstance(asked, CreateResponse)


def test_keys_pressed_before_the_model_is_ready_are_kept_and_do_not_keep_the_pacer_busy() -> None:
    call = Call(CallSettings(key_pause_ms=300))
    play(call, 0, STARTED, MEDIA, KeyPressed("1"))
    assert call.due_ms == call.settings.relay.attempt_ms
    assert play(call, 1_000, DeadlineReached()) == []
    play(call, 1_200, READY)
    assert call.due_ms == 300

    assert [type(c) for c in play(call, 1_200, DeadlineReached())] == [AddUserText, CreateResponse]
    assert call.due_ms == 6_200


def test_an_entry_of_keys_has_an_id_that_no_other_stream_of_the_call_makes() -> None:
    ids = []
    for stream in ("MZ" + "1" * 32, "MZ" + "2" * 32):
        call = Call()
        play(call, 0, StreamStarted("call", stream), MEDIA, READY, KeyPressed("1"))
        (told,) = of(AddUserText, play(call, 1_500, DeadlineReached()))
        assert isinstance(told, AddUserText)
        ids.append(told.request_id)

    assert ids == ["keys-1-11111111", "keys-1-22222222"]


# Failures and the end


def test_a_failed_response_is_asked_for_again_and_then_the_model_is_given_up() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"))
    failed = ResponseFinished("r1", "failed", error_code="server_error")
    assert play(call, 200, failed) == [CreateResponse("create-1")]
    play(call, 300, ResponseCreated("r2", "create-1"))

    commands = play(call, 400, ResponseFinished("r2", "failed", error_code="server_error"))
    assert commands == [CloseLeg(1), EndCall(EndReason.MODEL_FAILED, "server_error")]


def test_a_completed_response_between_two_failures_forgives_the_first() -> None:
    call = opened()
    for n, status in enumerate(("failed", "completed", "failed")):
        assert status in {"failed", "completed"}
        play(call, n * 100, ResponseCreated(f"r{n}"))
        done = ResponseFinished(f"r{n}", "failed" if status == "failed" else "completed")
        assert of(EndCall, play(call, n * 100 + 50, done)) == []


def test_a_model_that_says_nothing_is_replaced_once_and_then_given_up() -> None:
    call = opened("Greet.")
    commands: list[Command] = []
    while (due_ms := call.due_ms) is not None:
        commands += play(call, due_ms, DeadlineReached())
        if any(isinstance(c, OpenLeg) for c in commands) and not call.handover.relay.leg:
            commands += play(call, due_ms, ModelReady("session", "model", leg=2))

    again = [CreateResponse("create-2", "Greet."), CreateResponse("create-3", "Greet.")]
    assert of(CreateResponse, commands) == again
    assert [type(c) for c in commands if isinstance(c, OpenLeg | TakeLeg)] == [OpenLeg, TakeLeg]
    stalled = EndCall(EndReason.MODEL_STALLED, "the model did not go on")
    assert commands[-2:] == [CloseLeg(2), stalled]
    assert call.timeline.ended_ms == 15_000


def test_what_came_of_a_stalled_answer_is_played_out_and_marked() -> None:
    call = opened()
    play(call, 100, ResponseCreated("r1"), AudioReceived("r1", "a", 900))

    commands: list[Command] = []
    while (due_ms := call.due_ms) is not None and due_ms <= 8_100:
        commands += play(call, due_ms, DeadlineReached())
    assert SendMark("e0.960") in commands
    play(call, 8_400, MarkEchoed("s0.0", 8_300, 8_320), MarkEchoed("e0.960", 8_420, 8_440))
    assert not call.playout.unplayed
    assert [note.kind for note in call.timeline.notes] == ["stall"]


@pytest.mark.parametrize("kind", ["harmless", "rejected", "retryable", "active_response"])
def test_faults_that_are_not_fatal_do_not_end_the_call(kind: str) -> None:
    call = opened("Greet.")
    faults = {
        "harmless": ModelFault("x", "m", "harmless"),
        "rejected": ModelFault("x", "m", "rejected"),
        "retryable": ModelFault("x", "m", "retryable"),
        "active_response": ModelFault("x", "m", "active_response", "create-1"),
    }

    assert play(call, 10, faults[kind]) == []
    assert call.phase is Phase.TALKING


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (CarrierClosed("hangup", "d"), EndReason.CALLER_HUNG_UP),
        (CarrierClosed("lost", "d"), EndReason.CARRIER_LOST),
        (CarrierClosed("stalled", "d"), EndReason.CARRIER_STALLED),
        (ModelClosed("refused", "d"), EndReason.MODEL_REFUSED),
        (ModelClosed("wrong_format", "d"), EndReason.MODEL_WRONG_FORMAT),
        (ModelClosed("failed", "d"), EndReason.MODEL_FAILED),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_either_side_can_end_the_call_at_any_time(
    event: Event, reason: EndReason, begun: bool
) -> None:
    call = playing() if begun else Call()
    if not begun:
        play(call, 0, STARTED)

    assert play(call, 120, event) == [EndCall(reason, "d")]
    assert call.phase is Phase.ENDED
    assert call.timeline.end_reason is reason


def test_a_fatal_fault_ends_the_session_and_with_the_only_model_the_call() -> None:
    commands = play(playing(), 120, ModelFault("d", "m", "fatal"))

    assert commands == [CloseLeg(1), EndCall(EndReason.MODEL_FAILED, "d")]


@pytest.mark.parametrize("cause", ["lost", "expired", "nonsense", "unreachable", "stalled"])
def test_a_session_that_is_lost_is_replaced_at_once_and_the_call_goes_on(
    cause: CloseCause,
) -> None:
    call = playing()
    commands = play(call, 500, ModelClosed(cause, "d"))

    assert [(c.leg, c.model) for c in commands if isinstance(c, OpenLeg)] == [(2, 0)]
    assert of(EndCall, commands) == []
    assert call.phase is Phase.TALKING


def test_after_the_end_everything_is_ignored() -> None:
    call = playing()
    play(call, 200, CarrierClosed("hangup"))

    later = (SpeechStarted("c", 0, 0), AudioReceived("r1", "a", 800), ModelClosed("lost"), READY)
    again = (STARTED, CarrierClosed("lost"), DeadlineReached())
    assert play(call, 300, *later, *again) == []
    assert call.due_ms is None
    assert call.timeline.end_reason is EndReason.CALLER_HUNG_UP


def test_an_operators_hang_up_before_anything_was_said_ends_at_once() -> None:
    assert play(Call(), 10, HangUpRequested("operator")) == [EndCall(EndReason.OPERATOR_HUNG_UP)]


# Determinism and size


def a_whole_call(seed: int) -> VirtualLine:
    line = VirtualLine(seed, Network(carrier_ms=40))
    line.model.script.extend(
        [
            Answer((Say("a", 1_500), Say("b", 1_000))),
            Answer((Say("c", 600),), tools("x", "y")),
            Answer((Say("d", 3_000),)),
            Answer((Say("e", 500),), (ToolCall("bye", "i9", "hang_up", "{}"),)),
        ]
    )
    line.open()
    line.run_for(1_500)
    line.model.hear(700)
    line.run_for(4_000)
    line.deliver(KeyPressed("5"))
    line.run_for(1_000)
    line.model.hear(500)
    line.run_for(6_000)
    return line


@pytest.mark.parametrize("seed", range(5))
def test_the_same_events_at_the_same_times_give_the_same_commands(seed: int) -> None:
    log = a_whole_call(seed).shell.log
    call = Call(CallSettings(greeting="Greet."))

    assert [call.handle(event, now_ms) for now_ms, event, _ in log] == [c for _, _, c in log]


@pytest.mark.parametrize("seed", range(5))
def test_the_end_comes_once_and_last(seed: int) -> None:
    line = a_whole_call(seed)
    commands = list(line.commands())

    assert of(EndCall, commands) == [EndCall(EndReason.AGENT_HUNG_UP)]
    assert isinstance(commands[-1], EndCall)
    assert not line.model.refused


def play_turns(call: Call, first: int, last: int) -> None:
    """Two seconds a turn: speech, an answer with a tool, and every third one interrupted."""
    waiting: list[str] = []
    for n in range(first, last):
        at_ms, r, a = n * 2_000, f"r{n}", f"a{n}"
        ends = ResponseFinished(r, "completed", tool_calls=(ToolCall(f"t{n}", a, "x", "{}"),))
        events: list[Event] = [
            SpeechStarted(f"c{n}", at_ms, at_ms),
            SpeechStopped(f"c{n}", at_ms, at_ms),
            ResponseCreated(r),
            ItemAdded(r, a, "message"),
            TextReceived(r, a, "word " * 4),
            AudioReceived(r, a, 1_600),
            ends,
            ToolFinished(f"t{n}", "{}"),
            ResponseCreated(f"s{n}", f"create-{n + 1}"),
            ItemAdded(f"s{n}", f"b{n}", "message"),
            ResponseFinished(f"s{n}", "completed"),
        ]
        for event in events:
            commands = call.handle(event, at_ms + 100)
            waiting += [c.name for c in commands if isinstance(c, SendMark)]
        if n % 3:
            for name in waiting:
                call.handle(MarkEchoed(name, at_ms + 300, at_ms + 320), at_ms + 320)
        waiting.clear()


def entries_beside_the_record(call: Call) -> int:
    """How many entries all containers hold that the call reaches, its record left out.

    The history is a part of it: for each line and each tool that ran one reference.
    """
    record = (
        call.timeline.turns,
        call.timeline.notes,
        call.transcript.lines,
        call.history.log,
    )
    seen = {id(part) for part in record}
    waiting: list[object] = [call]
    count = 0
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, type | ModuleType | FunctionType):
            continue
        seen.add(id(part))
        if isinstance(part, dict | list | set | deque):
            count += len(part)
        waiting += gc.get_referents(part)
    return count


def test_ten_thousand_turns_leave_nothing_but_the_record() -> None:
    call = opened()
    play_turns(call, 0, 1_000)
    early = entries_beside_the_record(call)
    play_turns(call, 1_000, 10_000)

    assert call.phase is Phase.TALKING
    assert len(call.timeline.turns) == 10_000
    assert len(call.transcript.lines) == 20_000
    assert len(call.history.log) == 30_000
    assert entries_beside_the_record(call) <= early + 5
