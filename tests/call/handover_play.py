"""A call played event by event, for what happens when its legs change."""

from collections.abc import Sequence
from typing import Any, TypeVar

from app.call.call import Call
from app.call.commands import (
    Command,
    RunTool,
    SendMark,
)
from app.call.crew import Colleague
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    DeadlineReached,
    Entry,
    Event,
    ItemAdded,
    MarkEchoed,
    ModelClosed,
    ModelReady,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    TextReceived,
    ToolCall,
)
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings

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


def talking(greeting: str = "", colleagues: tuple[Colleague, ...] = (), **relay: Any) -> Call:
    """Leg 1 carries the call at 0 ms."""
    given = {"session_ms": LATE_MS, "give_up_ms": LATE_MS, "attempt_ms": LATE_MS, "filler": ""}
    settings = CallSettings(
        greeting=greeting,
        colleagues=colleagues,
        relay=RelaySettings(**{**given, **relay}),
    )
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
    play(call, now_ms, SummaryWritten(call.handover.summaries.awaited, FACTS))
    return comes_back(call, now_ms)


def one(kind: type[T], commands: Sequence[Command]) -> T:
    (found,) = of(kind, commands)
    return found


BOOK = ToolCall("t1", "i1", "book", '{"n": 2}')


def running_tool() -> Call:
    call = talking()
    play(call, 100, ResponseCreated("r1"))
    assert play(call, 200, ResponseFinished("r1", "completed", tool_calls=(BOOK,))) == [
        RunTool("t1", "book", '{"n": 2}')
    ]
    return call


CALLER = Entry("caller", "c1", "Hello?")
AGENT = Entry("agent", "a1", "Good day.")


def conversed(**relay: Any) -> tuple[Call, int]:
    """The caller said something, the agent answered, all is quiet now."""
    call = talking(**relay)
    caller_says(call, 1_000)
    return call, answers(call, 1_200)
