"""Whatever comes, in whatever order: no exception, one end, valid truncations, no busy pacer."""

from collections import defaultdict

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from app.call.call import Call
from app.call.commands import (
    Command,
    EndCall,
    KeepAudio,
    KeepSilence,
    SendAudio,
    SendMark,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    CarrierClosed,
    DeadlineReached,
    Event,
    HangUpRequested,
    ItemAdded,
    ItemDeleted,
    ItemTruncated,
    KeyPressed,
    MarkEchoed,
    ModelClosed,
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
from app.call.phases import CallSettings, Phase
from app.call.responses import ResponseSettings

responses = st.sampled_from(["", "r1", "r2", "r3", "r4"])
items = st.sampled_from(["a", "b", "c", "d"])
requests = st.sampled_from(["", "create-1", "create-2", "create-3", "create-9"])
times = st.integers(-1_000, 100_000)
calls = st.builds(
    ToolCall,
    st.sampled_from(["t1", "t2", "t3"]),
    items,
    st.sampled_from(["book", "hang_up"]),
    st.just("{}"),
)
names = st.sampled_from(
    ["s0.0", "p0.1920", "e0.1600", "f0", "f1", "f2", "s1.0", "", "f", "x1.2", "p0", "s0.-1", "f²"]
)
talking: st.SearchStrategy[Event] = st.one_of(
    st.builds(SpeechStarted, items, times, times),
    st.builds(SpeechStopped, items, times, times, st.integers(0, 900)),
    st.builds(ResponseCreated, responses, requests),
    st.builds(ItemAdded, responses, items, st.sampled_from(["message", "function_call"])),
    st.builds(AudioReceived, responses, items, st.integers(0, 20_000), st.integers(0, 1)),
    st.builds(TextReceived, responses, items, st.text("ab ", max_size=8)),
    st.builds(
        ResponseFinished,
        responses,
        st.sampled_from(["completed", "completed", "cancelled", "failed", "incomplete"]),
        st.just(""),
        st.just(""),
        st.lists(calls, max_size=3).map(tuple),
        st.none() | st.just(Usage(total_tokens=1)),
    ),
    st.builds(MarkEchoed, names, times, times),
    st.builds(ToolFinished, st.sampled_from(["t1", "t2", "t3", "t9"]), st.just("{}")),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.just("active_response"), requests),
    st.builds(KeyPressed, st.sampled_from(["1", "#"])),
    st.just(DeadlineReached()),
)
beside: st.SearchStrategy[Event] = st.one_of(
    st.builds(StreamStarted, st.just("call"), st.just("stream")),
    st.builds(CallerAudioBegan, times),
    st.builds(ModelReady, st.just("s"), st.just("m")),
    st.builds(CallerTurnCommitted, items),
    st.builds(CallerTranscribed, items, st.just("hello")),
    st.builds(ItemTruncated, items, times),
    st.builds(ItemDeleted, items),
    st.just(RateLimits({"tokens": 1})),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.sampled_from(["harmless", "rejected"])),
    st.builds(HangUpRequested, st.sampled_from(["agent", "operator", "drain"])),
)
fatal: st.SearchStrategy[Event] = st.one_of(
    st.builds(CarrierClosed, st.sampled_from(["hangup", "lost", "stalled"])),
    st.builds(ModelClosed, st.sampled_from(["refused", "unreachable", "nonsense", "lost"])),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.just("fatal")),
)
usual = st.tuples(st.sampled_from([0, 0, 1, 20, 150, 700, 6_000]), talking | talking | beside)
endings = st.tuples(st.just(0), fatal)
settings = st.builds(
    CallSettings,
    greeting=st.sampled_from(["", "Greet."]),
    responses=st.builds(
        ResponseSettings, st.booleans(), st.booleans(), max_stalls=st.sampled_from([2, 50])
    ),
    max_failures=st.sampled_from([2, 50]),
)


class Watch:
    """Checks every command against what was received and sent before it."""

    def __init__(self) -> None:
        self.received: dict[str, int] = defaultdict(int)
        self.stored: dict[int, int] = defaultdict(int)
        self.sent: dict[int, int] = defaultdict(int)
        self.marks: list[str] = []
        self.ended = False

    def see(self, event: Event, commands: list[Command]) -> None:
        assert not (self.ended and commands)
        for command in commands:
            assert not self.ended
            match command:
                case KeepAudio(generation, n_bytes):
                    assert isinstance(event, AudioReceived)
                    assert n_bytes == event.n_bytes
                    self.stored[generation] += n_bytes
                    self.received[event.item_id] += n_bytes
                case KeepSilence(generation, n_bytes):
                    self.stored[generation] += n_bytes
                case SendAudio(generation, start, end):
                    assert start == self.sent[generation] < end <= self.stored[generation]
                    self.sent[generation] = end
                case SendMark(name):
                    assert name not in self.marks
                    self.marks.append(name)
                case TruncateItem():
                    assert 0 < command.audio_end_ms * 8 <= self.received[command.item_id]
                case EndCall():
                    self.ended = True
                case _:
                    pass


def pace(call: Call, watch: Watch, now_ms: int, end_ms: int) -> int:
    """Handle every deadline up to `end_ms`; each one must move `due_ms` on."""
    while (due_ms := call.due_ms) is not None and due_ms <= end_ms:
        now_ms = max(now_ms, due_ms)
        event = DeadlineReached()
        watch.see(event, call.handle(event, now_ms))
        left_ms = call.due_ms
        assert left_ms is None or left_ms > now_ms
    return end_ms


@given(settings, st.lists(usual, max_size=60), st.lists(endings | usual, max_size=4), st.booleans())
@limits(max_examples=400, deadline=None)
def test_no_order_of_events_breaks_a_call(
    how: CallSettings,
    script: list[tuple[int, Event]],
    end: list[tuple[int, Event]],
    paced: bool,
) -> None:
    call, watch, now_ms = Call(how), Watch(), 0
    if paced:
        call.handle(ModelReady("s", "m"), 0)
    for wait_ms, event in script + end:
        now_ms = pace(call, watch, now_ms, now_ms + wait_ms) if paced else now_ms + wait_ms
        watch.see(event, call.handle(event, now_ms))
    pace(call, watch, now_ms, now_ms + 120_000)

    assert watch.ended is (call.phase is Phase.ENDED)
    assert (call.timeline.end_reason is not None) is watch.ended
    call.timeline.as_json()
    call.transcript.as_json()
    if watch.ended:
        assert call.due_ms is None
        assert all(line.final for line in call.transcript.lines if line.speaker == "agent")


@given(settings, st.lists(usual, max_size=40), st.data())
@limits(max_examples=200, deadline=None)
def test_echoes_of_our_own_marks_in_any_order_break_nothing(
    how: CallSettings, script: list[tuple[int, Event]], data: st.DataObject
) -> None:
    call, watch, now_ms = Call(how), Watch(), 0
    call.handle(ModelReady("s", "m"), 0)
    for wait_ms, event in script:
        now_ms = pace(call, watch, now_ms, now_ms + wait_ms)
        watch.see(event, call.handle(event, now_ms))
        echoed: bool = data.draw(st.booleans())
        if watch.marks and echoed:
            lo_ms = data.draw(times)
            echo = MarkEchoed(data.draw(st.sampled_from(watch.marks)), lo_ms, lo_ms + 20)
            watch.see(echo, call.handle(echo, now_ms))
    pace(call, watch, now_ms, now_ms + 120_000)
