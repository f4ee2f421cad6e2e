"""What another worker needs is kept whenever a turn, a tool or a session changed it, never for
audio, and is in the store before the carrier learns that a stream ended here."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from app.bridge.keeper import Keeper, packed, unpacked
from app.call.call import Call
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerAudioBegan,
    CallerTranscribed,
    Entry,
    Event,
    KeyPressed,
    MarkEchoed,
    ModelReady,
    PhraseStored,
    ResponseCreated,
    ResponseFinished,
    Snapshot,
    SpeechStarted,
    SpeechStopped,
    StreamStarted,
    TextReceived,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings


class Store:
    """Writes down what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.states: list[Snapshot] = []

    def save(self, call_id: str, state: bytes) -> None:
        snapshot = unpacked(state)
        assert snapshot is not None
        self.told.append(("save", call_id))
        self.states.append(snapshot)

    def end(self, call_id: str, reason: str, detail: str = "") -> None:
        self.told.append(("end", reason))

    async def flush(self) -> None:
        self.told.append(("flush", ""))


def begun() -> tuple[Call, Store, Keeper]:
    call, store = Call(), Store()
    keeper = Keeper(store, store.flush)
    happens(call, keeper, StreamStarted("CA1", "MZ1"), CallerAudioBegan(0), ModelReady("s", "m"))
    return call, store, keeper


def happens(call: Call, keeper: Keeper, *events: Event) -> None:
    for event in events:
        keeper.step(call, event, call.handle(event, 1_000), 1_000)


TURN = (
    SpeechStarted("c1", 0, 300),
    SpeechStopped("c1", 900, 900, 500),
    CallerTranscribed("c1", "When are you open?"),
)


def test_a_turn_is_kept_with_its_words_and_that_it_waits_for_an_answer() -> None:
    call, store, keeper = begun()
    happens(call, keeper, *TURN)

    newest = store.states[-1]
    assert newest.entries == (Entry("caller", "c1", "When are you open?"),)
    assert newest.unanswered


def test_audio_and_pieces_of_text_are_no_reason_to_write() -> None:
    call, store, keeper = begun()
    happens(call, keeper, *TURN, ResponseCreated("r1"))
    writes = len(store.told)
    happens(call, keeper, TextReceived("r1", "a1", "From noon."), AudioReceived("r1", "a1", 8_000))

    assert len(store.told) == writes


def test_an_answer_that_came_whole_is_kept() -> None:
    call, store, keeper = begun()
    happens(call, keeper, *TURN, ResponseCreated("r1"), TextReceived("r1", "a1", "From noon."))
    happens(call, keeper, AudioReceived("r1", "a1", 8_000), ResponseFinished("r1", "completed"))

    assert store.states[-1].entries[-1] == Entry("agent", "a1", "From noon.")
    assert not store.states[-1].unanswered


def test_digits_that_were_collected_are_kept_at_once_and_private_ones_never() -> None:
    for arguments, kept in (('{"max_digits":2}', "47"), ('{"max_digits":2,"masked":true}', "••")):
        call, store, keeper = begun()
        asked = ResponseFinished(
            "r1", "completed", tool_calls=(ToolCall("d", "i", "collect_digits", arguments),)
        )
        happens(call, keeper, ResponseCreated("r1"), asked, KeyPressed("4"), KeyPressed("7"))

        output = store.states[-1].entries[-1].output
        assert output is not None
        assert f'"digits": "{kept}"' in output


def test_what_the_caller_proved_is_kept_at_once_and_nothing_of_what_they_typed() -> None:
    call, store, keeper = begun()
    check = ToolCall("t1", "i1", "check_pin", "{}")
    asked = ResponseFinished("r1", "completed", tool_calls=(check,))
    happens(call, keeper, ResponseCreated("r1"), asked, *(KeyPressed(key) for key in "4711"))
    happens(call, keeper, ToolFinished("t1", "true", proof="pin"))

    assert store.states[-1].proofs == ("pin",)
    assert b"4711" not in packed(store.states[-1])


def test_a_moved_call_says_so_before_its_end_is_told() -> None:
    call, store, keeper = begun()
    asyncio.run(keeper.before_close(call, EndCall(EndReason.DRAINED)))

    assert store.states[-1].moved
    assert [what for what, _ in store.told[-3:]] == ["save", "end", "flush"]


def test_a_lost_stream_leaves_a_state_that_is_not_moved() -> None:
    call, store, keeper = begun()
    asyncio.run(keeper.before_close(call, EndCall(EndReason.CARRIER_LOST)))

    assert not store.states[-1].moved
    assert store.told[-2:] == [("end", "carrier_lost"), ("flush", "")]


def test_a_call_that_is_over_leaves_only_its_end() -> None:
    call, store, keeper = begun()
    before = len(store.states)
    asyncio.run(keeper.before_close(call, EndCall(EndReason.AGENT_HUNG_UP)))

    assert len(store.states) == before
    assert store.told[-2:] == [("end", "agent_hung_up"), ("flush", "")]


def test_a_notice_that_was_heard_is_kept_at_once() -> None:
    call, store = Call(CallSettings(notices=("Recorded.",))), Store()
    keeper = Keeper(store, store.flush)
    stored = PhraseStored("Recorded.", 160)
    happens(call, keeper, StreamStarted("CA1", "MZ1"), CallerAudioBegan(0), stored)
    assert store.states == []
    happens(call, keeper, MarkEchoed("s0.0", 20, 40), MarkEchoed("e0.160", 40, 60))

    assert [state.notices_heard for state in store.states] == [1]


entries = st.builds(
    Entry,
    st.sampled_from(["caller", "agent", "keys", "tool"]),
    st.text(max_size=8),
    st.text(max_size=20),
    st.none() | st.integers(0, 9_000),
    st.none() | st.integers(0, 9_000),
    output=st.none() | st.text(max_size=9),
)


@given(
    st.builds(
        Snapshot,
        st.text(max_size=9),
        st.sampled_from(["inbound", "outbound"]),
        st.text(max_size=30),
        st.lists(entries, max_size=4).map(tuple),
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.integers(0, 3),
        st.floats(0, 9),
        st.integers(0, 3),
        proofs=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    )
)
def test_what_is_packed_comes_back_whole(snapshot: Snapshot) -> None:
    assert unpacked(packed(snapshot)) == snapshot


def test_a_state_that_cannot_be_read_is_none() -> None:
    for state in (b"", b"{", b'{"call_id": 3}', b"\xff\xfe"):
        assert unpacked(state) is None
