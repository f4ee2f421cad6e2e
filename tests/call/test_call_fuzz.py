"""Whatever comes, in whatever order: no exception, one end, valid truncations, no busy pacer; one
leg at a time, told nothing before it was there and nothing after it was gone; no notice is cut."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from app.call.call import Call
from app.call.commands import (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    CloseLeg,
    Command,
    CommitInput,
    CreateResponse,
    DeleteItem,
    EndCall,
    KeepAudio,
    KeepSilence,
    OpenLeg,
    ReplayAudio,
    RewriteItem,
    SendAudio,
    SendClear,
    SendMark,
    SendSound,
    SendToolOutput,
    Summarise,
    TakeLeg,
    TruncateItem,
)
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    CallerTurnCommitted,
    CarrierClosed,
    CloseCause,
    DeadlineReached,
    Entry,
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
    PhraseStored,
    RateLimits,
    ResponseCreated,
    ResponseFinished,
    RolloverRequested,
    Snapshot,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    SummaryWritten,
    TextReceived,
    ToolCall,
    ToolFinished,
    TurnJudged,
    Usage,
    VoiceStarted,
    VoiceStopped,
)
from app.call.floor_settings import FloorSettings
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings, Phase
from app.call.prices import Prices
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.call.turn_end import TurnEndSettings

responses = st.sampled_from(["", "r1", "r2", "r3", "r4"])
items = st.sampled_from(["a", "b", "c", "d"])
requests = st.sampled_from(["", "create-1", "create-2", "create-3", "create-9"])
times = st.integers(-1_000, 100_000)
calls = st.builds(
    ToolCall,
    st.sampled_from(["t1", "t2", "t3"]),
    items,
    st.sampled_from(["book", "hang_up", "collect_digits"]),
    st.sampled_from(["{}", '{"max_digits": 2, "masked": true}', '{"retries": 0}', "[]"]),
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
        st.none()
        | st.just(Usage(total_tokens=1))
        | st.just(Usage(input_audio_tokens=90_000, output_audio_tokens=600_000)),
    ),
    st.builds(MarkEchoed, names, times, times),
    st.builds(ToolFinished, st.sampled_from(["t1", "t2", "t3", "t9"]), st.just("{}")),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.just("active_response"), requests),
    st.builds(KeyPressed, st.sampled_from(["1", "#"])),
    st.just(DeadlineReached()),
)
ears: st.SearchStrategy[Event] = st.one_of(
    st.builds(VoiceStarted, times, times, st.just(-30.0), st.sampled_from([0.0, 0.0, 0.9])),
    st.builds(VoiceStopped, times, times, st.sampled_from([60, 400, 900, 2_000])),
    st.builds(VoiceStarted, times, times),
    st.builds(VoiceStopped, times, times, st.just(1_200)),
    st.builds(CallerTurnCommitted, items),
    st.builds(CallerTranscribed, items, st.sampled_from(["", "mm-hm", "stop that", "hold on"])),
    st.builds(
        TurnJudged,
        st.sampled_from(["turn-1", "turn-2", "turn-9"]),
        st.sampled_from([True, False, None]),
        st.none() | st.just(Usage(input_text_tokens=150, output_text_tokens=1)),
    ),
    st.just(ModelFault("input_audio_buffer_commit_empty", "", "harmless")),
)
beside: st.SearchStrategy[Event] = st.one_of(
    st.builds(CallerAudioBegan, times),
    st.builds(CallerTurnCommitted, items),
    st.builds(CallerTranscribed, items, st.sampled_from(["hello", "okay", "one moment", ""])),
    st.builds(ItemTruncated, items, times),
    st.builds(ItemDeleted, items),
    st.just(RateLimits({"tokens": 1})),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.sampled_from(["harmless", "rejected"])),
    st.builds(HangUpRequested, st.sampled_from(["agent", "operator", "drain"])),
)
newest = st.sampled_from([0, 0, 0, 0, -1, -2, 1])
"""Of a leg's number: how far behind the newest one it is."""
causes: st.SearchStrategy[CloseCause] = st.sampled_from(
    ["lost", "lost", "expired", "unreachable", "nonsense", "stalled", "refused"]
)
lifetimes = st.none() | st.sampled_from([-5_000, 0, 900, 20_000, 3_600_000])
phrases = st.sampled_from(["One moment.", "Hello.", "Recorded.", "A machine."])
summaries = st.sampled_from(["summary-1", "summary-2", "summary-3"])
legs: st.SearchStrategy[Event] = st.one_of(
    st.builds(ModelReady, st.just("s"), st.just("m"), lifetimes, newest),
    st.builds(ModelReady, st.just("s"), st.just("m"), lifetimes, newest),
    st.builds(ModelClosed, causes, st.just("d"), newest),
    st.builds(SummaryWritten, summaries, st.sampled_from(["", "{}", '{"facts": ["x"]}'])),
    st.builds(PhraseStored, phrases, st.sampled_from([0, 900, 16_000])),
    st.just(RolloverRequested()),
    st.just(DeadlineReached()),
)
fatal: st.SearchStrategy[Event] = st.one_of(
    st.builds(CarrierClosed, st.sampled_from(["hangup", "lost", "stalled"])),
    st.builds(ModelClosed, st.just("refused"), st.just("d"), newest),
    st.builds(ModelFault, st.just("c"), st.just("m"), st.just("fatal")),
)
usual = st.tuples(
    st.sampled_from([0, 0, 1, 20, 150, 700, 6_000]), talking | talking | legs | beside | ears
)
endings = st.tuples(st.just(0), fatal)
strategies = st.sampled_from(["hold", "hold", "yield", "deaf"])
settings = st.builds(
    CallSettings,
    language=st.sampled_from(["", "en"]),
    greeting=st.sampled_from(["", "Greet."]),
    greeting_words=st.sampled_from(["", "Hello."]),
    late_greeting=st.sampled_from(["", "Greet late."]),
    notices=st.sampled_from([(), (), ("Recorded.",), ("A machine.", "Recorded.")]),
    tool_sound_after_ms=st.sampled_from([0, 500]),
    patience=st.builds(PatienceSettings, after_ms=st.sampled_from([0, 3_000])),
    floor=st.builds(
        FloorSettings,
        by=st.sampled_from(["voice", "voice", "model"]),
        greeting=strategies,
        speaking=strategies,
        thinking=strategies,
        words_wait_ms=st.sampled_from([0, 1_600]),
        noisy_after=st.sampled_from([1, 3]),
        noisy_hint=st.sampled_from(["", "It is loud."]),
        keys=st.booleans(),
    ),
    turn_end=st.none() | st.builds(TurnEndSettings, judge=st.booleans(), ahead=st.booleans()),
    judge_prices=st.none() | st.just(Prices(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
    responses=st.builds(
        ResponseSettings, st.booleans(), st.booleans(), max_stalls=st.sampled_from([2, 50])
    ),
    relay=st.builds(
        RelaySettings,
        models=st.integers(1, 3),
        session_ms=st.sampled_from([3_000, 900_000]),
        summary_every=st.sampled_from([1, 40]),
        spend_usd=st.sampled_from([0.0, 0.5]),
        summary_by=st.sampled_from(["session", "text_model"]),
        filler=st.sampled_from(["", "One moment."]),
        fruitless=st.sampled_from([3, 50]),
        give_up_ms=st.sampled_from([2_700, 100_000]),
        quiet_wait_ms=st.just(800),
        force_wait_ms=st.sampled_from([900, 20_000]),
        most_entries=st.sampled_from([2, 60]),
        prune_tokens=st.sampled_from([0, 1, 500]),
        prune_keep_turns=st.sampled_from([0, 2]),
    ),
    prices=st.just((Prices(1.0, 1.0, 1.0, 1.0, 1.0, 1.0), None)),
    max_failures=st.sampled_from([2, 50]),
)
snapshots = st.none() | st.builds(
    Snapshot,
    st.just("call"),
    st.just("inbound"),
    st.sampled_from(["", "{}"]),
    st.lists(
        st.builds(
            Entry,
            st.sampled_from(["caller", "agent", "keys"]),
            items,
            st.sampled_from(["", "Hello."]),
        )
        | st.builds(
            Entry,
            st.just("tool"),
            items,
            call_id=st.sampled_from(["t1", "t2"]),
            name=st.sampled_from(["book", "collect_digits"]),
            arguments=st.just("{}"),
            output=st.none() | st.just("{}"),
        ),
        max_size=4,
    ).map(tuple),
    st.booleans(),
    st.booleans(),
    notices_heard=st.integers(0, 3),
)
FOR_THE_MODEL = (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    CommitInput,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    TruncateItem,
)
OF_THE_MODEL = (
    SpeechStarted,
    SpeechStopped,
    CallerTurnCommitted,
    CallerTranscribed,
    ResponseCreated,
    ItemAdded,
    AudioReceived,
    TextReceived,
    ResponseFinished,
    ItemTruncated,
    ItemDeleted,
    RateLimits,
    ModelFault,
)
"""What only the leg that carries the call is listened to for."""


class Watch:
    """Checks every command against what was received and sent before it."""

    def __init__(self) -> None:
        self.received: dict[str, int] = defaultdict(int)
        self.stored: dict[int, int] = defaultdict(int)
        self.sent: dict[int, int] = defaultdict(int)
        self.sound_end = 0
        self.marks: list[str] = []
        self.ended = False
        self.opened = 0
        """The number of the newest leg."""
        self.ready: set[int] = set()
        self.carrying = 0

    def placed(self, event: Event) -> Event | None:
        """The event with the number of a leg; None for one that the bridge would not pass on."""
        if isinstance(event, ModelReady | ModelClosed):
            leg = self.opened + event.leg
            known = leg == self.carrying or leg in self.ready or leg == self.opened
            if isinstance(event, ModelReady) and leg != self.opened:
                return None
            return replace(event, leg=leg) if known else None
        return None if isinstance(event, OF_THE_MODEL) and not self.carrying else event

    def _see_legs(self, command: Command) -> None:
        match command:
            case OpenLeg(leg, model):
                assert leg == self.opened + 1
                assert 0 <= model < 3
                self.opened = leg
            case TakeLeg(leg):
                assert leg in self.ready, "it is not ready, or gone"
                assert leg > self.carrying
                self.ready.discard(leg)
                self.carrying = leg
            case CloseLeg(leg):
                assert leg == self.carrying or 0 < leg <= self.opened
                self.ready.discard(leg)
                self.carrying = 0 if leg == self.carrying else self.carrying
            case Summarise(by="session"):
                assert self.carrying
            case _:
                assert self.carrying or not isinstance(command, FOR_THE_MODEL)

    def see(self, event: Event, commands: list[Command]) -> None:  # noqa: PLR0912 - a line a command
        assert not (self.ended and commands)
        if isinstance(event, ModelReady) and event.leg == self.opened != self.carrying:
            self.ready.add(event.leg)
        if isinstance(event, ModelClosed):
            self.ready.discard(event.leg)
            self.carrying = 0 if event.leg == self.carrying else self.carrying
        for command in commands:
            assert not self.ended
            self._see_legs(command)
            match command:
                case KeepAudio(generation, n_bytes):
                    assert isinstance(event, AudioReceived | PhraseStored)
                    assert n_bytes == event.n_bytes
                    self.stored[generation] += n_bytes
                    if isinstance(event, AudioReceived):
                        self.received[event.item_id] += n_bytes
                case KeepSilence(generation, n_bytes):
                    self.stored[generation] += n_bytes
                case ReplayAudio(generation, source, start, end):
                    assert not self.stored[generation] and source < generation
                    assert 0 <= start < end <= self.stored[source]
                    self.stored[generation] += end - start
                case SendAudio(generation, start, end):
                    assert start == self.sent[generation] < end <= self.stored[generation]
                    self.sent[generation] = end
                case SendSound(start, end):
                    assert start in (0, self.sound_end)
                    assert start < end
                    self.sound_end = end
                case SendMark(name):
                    assert name not in self.marks
                    self.marks.append(name)
                case TruncateItem():
                    assert 0 < command.audio_end_ms * 8 <= self.received[command.item_id]
                case EndCall():
                    self.ended = True
                case _:
                    pass


class Line:
    """A call with its watch, and all that it was told."""

    def __init__(self, how: CallSettings, resumed: Snapshot | None = None) -> None:
        self.call, self.watch, self.now_ms = Call(how), Watch(), 0
        self.log: list[tuple[int, Event, list[Command]]] = []
        self.hand(StreamStarted("call", "stream", "inbound", 1, resumed))

    def hand(self, event: Event) -> None:
        """Hand the event over, if it can come at all."""
        placed = self.watch.placed(event)
        if placed is not None:
            notice = self.call.notices.under_way and not self.call.playout.sounding
            commands = self.call.handle(placed, self.now_ms)
            if notice and self.call.notices.under_way:
                assert SendClear() not in commands
            self.log.append((self.now_ms, placed, commands))
            self.watch.see(placed, commands)

    def pace(self, wait_ms: int) -> None:
        """Handle every deadline of the time to come; each one must move `due_ms` on."""
        end_ms = self.now_ms + wait_ms
        while (due_ms := self.call.due_ms) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.hand(DeadlineReached())
            left_ms = self.call.due_ms
            assert left_ms is None or left_ms > self.now_ms
        self.now_ms = end_ms

    def check(self) -> None:
        """What holds at any time."""
        call, watch = self.call, self.watch
        assert watch.ended is (call.phase is Phase.ENDED)
        assert (call.timeline.end_reason is not None) is watch.ended
        if not watch.ended:
            assert call.handover.relay.leg == watch.carrying
        call.timeline.as_json()
        call.transcript.as_json()
        call.snapshot()
        if watch.ended:
            assert call.due_ms is None
            assert all(line.final for line in call.transcript.lines if line.speaker == "agent")


@given(
    settings,
    snapshots,
    st.lists(usual, max_size=60),
    st.lists(endings | usual, max_size=4),
    st.booleans(),
)
@limits(max_examples=400, deadline=None)
def test_no_order_of_events_breaks_a_call(
    how: CallSettings,
    resumed: Snapshot | None,
    script: list[tuple[int, Event]],
    end: list[tuple[int, Event]],
    paced: bool,
) -> None:
    line = Line(how, resumed)
    if paced:
        line.hand(ModelReady("s", "m", leg=0))
    for wait_ms, event in script + end:
        if paced:
            line.pace(wait_ms)
        else:
            line.now_ms += wait_ms
        line.hand(event)
    line.pace(120_000)

    line.check()


@given(settings, st.lists(usual, max_size=40), st.data())
@limits(max_examples=200, deadline=None)
def test_echoes_of_our_own_marks_in_any_order_break_nothing(
    how: CallSettings, script: list[tuple[int, Event]], data: st.DataObject
) -> None:
    line = Line(how)
    line.hand(ModelReady("s", "m", leg=0))
    for wait_ms, event in script:
        line.pace(wait_ms)
        line.hand(event)
        echoed: bool = data.draw(st.booleans())
        if line.watch.marks and echoed:
            lo_ms = data.draw(times)
            line.hand(MarkEchoed(data.draw(st.sampled_from(line.watch.marks)), lo_ms, lo_ms + 20))
    line.pace(120_000)

    line.check()


@given(settings, snapshots, st.lists(usual, max_size=60))
@limits(max_examples=200, deadline=None)
def test_any_call_replays_to_the_same_commands(
    how: CallSettings, resumed: Snapshot | None, script: list[tuple[int, Event]]
) -> None:
    line = Line(how, resumed)
    line.hand(ModelReady("s", "m", leg=0))
    for wait_ms, event in script:
        line.pace(wait_ms)
        line.hand(event)

    again = Call(how)
    assert [again.handle(event, now_ms) for now_ms, event, _ in line.log] == [
        commands for _, _, commands in line.log
    ]
