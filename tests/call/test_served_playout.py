"""Where the model's side plays, the call knows what the caller heard by that side's word, and hangs
up, interrupts and remembers no otherwise than where it plays itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.call.call import Call
from app.call.commands import (
    CancelResponse,
    Command,
    CreateResponse,
    DeleteItem,
    EndCall,
    SendAudio,
    SendClear,
    TruncateItem,
)
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CarrierClosed,
    DeadlineReached,
    Event,
    ItemAdded,
    ItemTruncated,
    KeyPressed,
    ModelFault,
    ModelReady,
    PlayBegan,
    PlayCut,
    PlayEnded,
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolCall,
)
from app.call.floor_settings import FloorSettings
from app.call.phases import CallSettings
from app.call.playout_settings import PlayoutSettings
from app.call.served_playout import BEGIN_WAIT_MS, ServedPlayout, words_ms
from app.call.timeline import Stamp

WORDS = "Good morning, this is the front desk. How may I help you today?"
SETTINGS = CallSettings(
    greeting="Greet.", playout=PlayoutSettings(by="model"), floor=FloorSettings(keys=True)
)


class Line:
    """A call whose model's side plays, driven event by event."""

    def __init__(self, settings: CallSettings = SETTINGS) -> None:
        self.call = Call(settings)
        self.now_ms = 0
        self.did: list[Command] = []
        self.tell(StreamStarted("rtc_1", "s1"), CallerAudioBegan(0), ModelReady("sess", "m"))

    def tell(self, *events: Event, after_ms: int = 0) -> list[Command]:
        self.now_ms += after_ms
        commands = [c for event in events for c in self.call.handle(event, self.now_ms)]
        self.did += commands
        return commands

    def wait(self, ms: int) -> None:
        """Let deadlines come."""
        end_ms = self.now_ms + ms
        while (due_ms := self.call.due_ms) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.tell(DeadlineReached())
        self.now_ms = end_ms

    def says(
        self, words: str = WORDS, response: str = "r1", tools: tuple[ToolCall, ...] = ()
    ) -> None:
        """The model makes an answer; nothing of it was heard yet."""
        request = next((c for c in reversed(self.did) if isinstance(c, CreateResponse)), None)
        item = f"item-{response}"
        self.tell(
            ResponseCreated(response, "" if request is None else request.request_id),
            ItemAdded(response, item, "message"),
            TextReceived(response, item, words),
            ResponseFinished(response, "completed", tool_calls=tools),
        )

    @property
    def line(self) -> str:
        return str(self.call.transcript.lines[-1])


def greeted() -> Line:
    line = Line()
    line.says()
    line.tell(PlayBegan("r1"))
    return line


def test_an_answer_is_heard_when_the_models_side_has_played_it() -> None:
    line = greeted()
    assert line.call.playout.unplayed
    line.tell(PlayEnded("r1"), after_ms=4_000)

    assert not line.call.playout.unplayed
    assert line.line == WORDS
    turn = line.call.timeline.turns[0]
    assert turn.stamps[Stamp.FIRST_FRAME_PLAYED] == 0
    assert turn.stamps[Stamp.LAST_FRAME_PLAYED] == 4_000


def test_an_interruption_is_remembered_by_the_models_word_and_nothing_is_mended() -> None:
    line = greeted()
    line.tell(SpeechStarted("c1", 1_900, 1_900), after_ms=2_000)
    assert not line.call.playout.unplayed
    line.tell(PlayCut("r1"), ItemTruncated("item-r1", 1_900))

    said = line.call.transcript.lines[0]
    assert said.text and said.unheard and said.interrupted
    assert f"{said.text} {said.unheard}" == WORDS
    cut = line.call.timeline.turns[0].interruption
    assert cut is not None and (cut.heard_ms, cut.by) == (1_900, "model")
    forbidden = TruncateItem | DeleteItem | SendClear | SendAudio | CancelResponse
    assert not [c for c in line.did if isinstance(c, forbidden)]


def test_the_cut_may_be_told_before_the_callers_voice() -> None:
    line = greeted()
    line.tell(ItemTruncated("item-r1", 900), PlayCut("r1"), after_ms=1_000)
    line.tell(SpeechStarted("c1", 900, 900))

    cut = line.call.timeline.turns[0].interruption
    assert cut is not None and cut.heard_ms == 900
    assert line.call.transcript.lines[0].interrupted


def test_without_the_models_word_the_clock_says_what_was_heard() -> None:
    line = greeted()
    line.tell(SpeechStarted("c1", 1_400, 1_400), after_ms=1_500)
    line.wait(600)

    cut = line.call.timeline.turns[0].interruption
    assert cut is not None and (cut.heard_ms, cut.by) == (1_500, "clock")


def test_words_that_were_cut_before_their_sound_were_not_heard() -> None:
    line = Line()
    line.says()
    line.tell(SpeechStarted("c1", 0, 0), after_ms=50)

    said = line.call.transcript.lines[0]
    assert (said.text, said.unheard) == ("", WORDS)
    line.tell(PlayBegan("r1"), PlayEnded("r1"), after_ms=10)
    assert not line.call.playout.unplayed


def test_hanging_up_waits_until_the_goodbye_was_played() -> None:
    line = Line()
    bye = ToolCall("bye", "item-bye", "hang_up", "{}")
    line.says("Thank you for calling. Goodbye.", tools=(bye,))
    line.tell(PlayBegan("r1"))
    line.wait(1_000)
    assert not any(isinstance(c, EndCall) for c in line.did)
    line.tell(PlayEnded("r1"), after_ms=500)

    assert line.did[-1] == EndCall(EndReason.AGENT_HUNG_UP)


def test_a_goodbye_whose_end_nobody_tells_is_over_by_the_length_of_its_words() -> None:
    line = Line()
    bye = ToolCall("bye", "item-bye", "hang_up", "{}")
    line.says("Thank you for calling. Goodbye.", tools=(bye,))
    line.tell(PlayBegan("r1"))
    line.wait(round(words_ms("Thank you for calling. Goodbye.")) + 2_500)
    assert not any(isinstance(c, EndCall) for c in line.did)
    line.wait(1_000)

    assert line.did[-1] == EndCall(EndReason.AGENT_HUNG_UP)


def test_a_key_that_interrupts_makes_the_models_side_fall_silent() -> None:
    line = greeted()
    line.tell(KeyPressed("1"), after_ms=500)

    assert SendClear() in line.did


def test_an_answer_whose_end_is_not_told_counts_as_heard_after_a_while() -> None:
    line = greeted()
    line.wait(round(1.5 * words_ms(WORDS)) + 8_100)

    assert not line.call.playout.unplayed
    assert line.line == WORDS
    assert any(note.kind == "fallback" for note in line.call.timeline.notes)


def test_words_without_a_sound_are_given_up() -> None:
    line = Line()
    line.says()
    line.wait(BEGIN_WAIT_MS + 100)

    assert not line.call.playout.unplayed
    assert line.call.transcript.lines[0].text == ""


def test_audio_that_comes_all_the_same_is_played_by_nobody() -> None:
    line = Line()
    line.tell(ResponseCreated("r1", "create-1"), AudioReceived("r1", "i", 800))

    assert not [c for c in line.did if isinstance(c, SendAudio)]


def test_the_pace_of_the_voice_is_learned_from_what_was_played() -> None:
    """A slow voice has said fewer words after the same time."""
    heard = []
    for lasted_ms in (2_500, 8_000):
        line = greeted()
        line.tell(PlayEnded("r1"), after_ms=lasted_ms)
        line.tell(SpeechStarted("c1", 0, 0), SpeechStopped("c1", 400, 400), after_ms=500)
        line.says(response="r2")
        line.tell(PlayBegan("r2"))
        line.tell(SpeechStarted("c2", 0, 0), after_ms=1_500)
        line.tell(ItemTruncated("item-r2", 1_500))
        heard.append(len(line.call.transcript.line_of("item-r2").text))  # type: ignore[union-attr]

    assert heard[0] > heard[1]


def test_the_end_of_the_call_settles_what_was_playing() -> None:
    line = greeted()
    playout = line.call.playout
    assert isinstance(playout, ServedPlayout)
    settled = playout.close(1_000)

    assert [item.heard_ms for each in settled for item in each.items] == [1_000]
    assert not playout.unplayed and not playout.fenced


def test_a_model_that_is_not_heard_for_a_while_is_not_given_up() -> None:
    """It has its full time once it is heard again."""
    line = greeted()
    line.tell(PlayEnded("r1"), ResponseCreated("r2"), ItemAdded("r2", "i2", "message"))
    line.tell(ModelFault("sideband_away", "", "away"), after_ms=1_000)
    line.wait(20_000)
    line.tell(ModelFault("sideband_lost", "", "back"))
    line.wait(7_000)
    assert not [c for c in line.did if isinstance(c, EndCall | CancelResponse)]
    assert [type(c) for c in line.did].count(CreateResponse) == 1
    line.wait(2_000)
    assert [c for c in line.did if isinstance(c, CancelResponse)]


EVENTS = (
    ResponseCreated("r1", "create-1"),
    ResponseCreated("r2"),
    ItemAdded("r1", "i1", "message"),
    TextReceived("r1", "i1", "Good morning, this is the desk. "),
    TextReceived("r2", "i2", "Yes."),
    TextReceived("r2", "i3", "And more of it."),
    PlayBegan("r1"),
    PlayBegan("r2"),
    PlayEnded("r1"),
    PlayEnded("r2"),
    PlayCut("r1"),
    PlayCut("r2"),
    ItemTruncated("i1", 500),
    ItemTruncated("i3", 40),
    ResponseFinished("r1", "completed"),
    ResponseFinished("r2", "cancelled", "turn_detected"),
    SpeechStarted("c1", 0, 0),
    SpeechStopped("c1", 500, 500),
    KeyPressed("5"),
)


@given(
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 4_000)), max_size=40),
    st.integers(0, 60_000),
)
@settings(deadline=None)
def test_whatever_is_told_in_whatever_order_nothing_is_mended_or_sent(
    told: list[tuple[Event, int]], rest_ms: int
) -> None:
    line = Line()
    for event, after_ms in told:
        line.wait(after_ms)
        line.tell(event)
    line.wait(rest_ms)
    line.tell(CarrierClosed("hangup"))

    assert not [c for c in line.did if isinstance(c, TruncateItem | SendAudio)]
    assert [type(c) for c in line.did].count(EndCall) == 1
    assert not line.call.playout.unplayed
