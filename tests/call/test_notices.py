"""Notices are heard whole, word for word and in order before anything else, whoever speaks, presses
or drops; what the caller said meanwhile is answered, and nobody hears a notice twice for nothing.

In virtual time, byte by byte.
"""

from dataclasses import replace
from itertools import pairwise

import pytest

from app.call.call import Call
from app.call.commands import (
    AddAgentText,
    CreateResponse,
    EndCall,
    OpenLeg,
    PlayPhrase,
    SendClear,
    TakeLeg,
)
from app.call.endings import EndReason
from app.call.events import (
    CallerAudioBegan,
    CarrierClosed,
    HangUpRequested,
    KeyPressed,
    MarkEchoed,
    ModelReady,
    PhraseStored,
    RolloverRequested,
    SpeechStarted,
    StreamStarted,
)
from app.call.floor_settings import FloorSettings
from app.call.notice_side import BROKE_OFF, NOT_SAID, NOT_WORD_FOR_WORD, SAY
from app.call.notices import MOST_TAKES, NoticeState
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.call.turn_end import TurnEndSettings
from tests.call.handover_play import of, one, play, until
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Model, Say

MACHINE = "You are talking to a machine."
TAPED = "This call is recorded."
GREETING = "Harbour Table, how can I help you?"
LENGTHS = {MACHINE: 1_810, TAPED: 1_490, GREETING: 2_000}
BOTH_MS = LENGTHS[MACHINE] + LENGTHS[TAPED]
BY_MODEL = CallSettings(
    language="en",
    greeting="Greet.",
    greeting_words=GREETING,
    late_greeting="Answer and greet.",
    notices=(MACHINE, TAPED),
    relay=RelaySettings(attempt_ms=60_000, give_up_ms=60_000, filler=""),
)
BY_VOICE = replace(
    BY_MODEL,
    floor=FloorSettings(by="voice"),
    responses=ResponseSettings(server_answers=False, server_cancels=False),
)
OURS = replace(BY_VOICE, turn_end=TurnEndSettings())
EITHER = pytest.mark.parametrize(
    "settings", [BY_MODEL, BY_VOICE, OURS], ids=["by model", "by voice", "our turns"]
)


def line_with(
    settings: CallSettings,
    *,
    at_hand: tuple[str, ...] = tuple(LENGTHS),
    seed: int = 1,
    ready_ms: float = 500,
    delay_ms: float = 40,
) -> VirtualLine:
    line = VirtualLine(seed, Network(carrier_ms=delay_ms), settings)
    line.phrases = {text: ms for text, ms in LENGTHS.items() if text in at_hand}
    by_voice = settings.floor.by == "voice"

    def adjust(model: Model) -> None:
        model.server_answers = model.server_cancels = not by_voice
        model.decides = settings.turn_end is None

    line.on_open = lambda model, leg: adjust(model)
    adjust(line.model)
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 1_000, text="Yes."),))
    line.open(ready_ms)
    return line


def speaks(line: VirtualLine, ms: float, text: str) -> None:
    """The caller, as whoever decides hears them."""
    if line.call.settings.floor.by == "voice":
        line.voice(ms, text)
    else:
        line.speak(ms, text)


def heard_ms(line: VirtualLine, text: str) -> int:
    """How much of a recording was played; raises if that was not its beginning, in order."""
    offsets = [at for _, at in line.heard_phrase(text)]
    assert offsets == list(range(0, 160 * len(offsets), 160)), "in order and once"
    return 20 * len(offsets)


def spans(line: VirtualLine, *texts: str) -> list[tuple[float, float]]:
    """From when to when each recording sounded."""
    times = [[at for at, _ in line.heard_phrase(text)] for text in texts]
    return [(one[0], one[-1] + 20) for one in times]


def asked(line: VirtualLine) -> list[str]:
    return [c.instructions for c in line.commands() if isinstance(c, CreateResponse)]


def cleared(line: VirtualLine) -> bool:
    return any(isinstance(c, SendClear) for c in line.commands())


def whole(text: str) -> int:
    return -(-LENGTHS[text] // 20) * 20


# Recordings


@EITHER
@pytest.mark.parametrize("ready_ms", [5, 500, 2_000])
def test_they_are_heard_one_after_the_other_and_the_greeting_follows_without_a_gap(
    settings: CallSettings, ready_ms: float
) -> None:
    line = line_with(settings, ready_ms=ready_ms)
    line.run_until(8_000)

    assert {text: heard_ms(line, text) for text in LENGTHS} == {t: whole(t) for t in LENGTHS}
    for before, after in pairwise(spans(line, *LENGTHS)):
        assert 0 <= after[0] - before[1] < 1, "no frame of silence in between"
    assert asked(line) == []
    told = {entry.item_id: entry.text for entry in line.model.told.values()}
    assert sorted(told.values()) == sorted(LENGTHS), "the model knows what was said"


def test_the_record_says_from_when_to_when_they_were_heard() -> None:
    line = line_with(BY_MODEL)
    line.run_until(8_000)

    assert [turn.cause for turn in line.call.timeline.turns] == ["notice", "notice", "greeting"]
    for notice, text in zip(line.call.timeline.notices, BY_MODEL.notices, strict=True):
        assert (notice.text, notice.by, notice.fault) == (text, "recording", "")
        assert notice.heard_ms == notice.length_ms == LENGTHS[text]
        assert notice.from_ms is not None
        assert notice.to_ms is not None
        assert abs(notice.to_ms - notice.from_ms - whole(text)) <= 60


@EITHER
@pytest.mark.parametrize("seed", range(12))
def test_what_the_caller_says_is_answered_afterwards_in_the_greetings_place(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, seed=seed)
    line.run_until(line.chance.uniform(800, 1_300))
    speaks(line, line.chance.uniform(400, 1_100), "I need a table for two.")
    line.run_until(9_000)

    assert not cleared(line)
    assert [heard_ms(line, text) for text in LENGTHS] == [whole(MACHINE), whole(TAPED), 0]
    assert asked(line) == ["Answer and greet."]
    (answer,) = {i for model in line.legs.values() for i in model.items if line.heard(i)}
    assert line.heard(answer) == 8_000
    assert line.frames_of(answer)[0] >= spans(line, TAPED)[0][1]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("text", ["(coughs)", "Mm-hm."])
def test_what_is_no_turn_changes_nothing(seed: int, text: str) -> None:
    line = line_with(BY_VOICE, seed=seed)
    line.run_until(line.chance.uniform(800, 2_200))
    line.voice(350, text)
    line.run_until(9_000)

    assert not cleared(line)
    assert [heard_ms(line, text) for text in LENGTHS] == [whole(text) for text in LENGTHS]
    assert asked(line) == []


@EITHER
@pytest.mark.parametrize("seed", range(12))
def test_who_is_speaking_when_they_end_is_heard_out_and_answered(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, seed=seed)
    line.run_until(line.chance.uniform(2_000, 2_600))
    speaks(line, 2_500, "I need a table for two, on Monday at seven.")
    line.run_until(11_000)

    assert [heard_ms(line, text) for text in LENGTHS] == [whole(MACHINE), whole(TAPED), 0]
    assert len([i for i in line.model.items if line.heard(i) == 8_000]) == 1
    assert line.call.transcript.lines[-1].speaker == "agent"


@pytest.mark.parametrize("settings", [BY_VOICE, OURS], ids=["by voice", "our turns"])
def test_without_a_transcript_a_turn_counts_as_one(settings: CallSettings) -> None:
    deaf = replace(settings, floor=replace(settings.floor, words_wait_ms=0))
    line = line_with(deaf)
    line.run_until(900)
    line.voice(900)
    line.run_until(9_000)

    assert [heard_ms(line, text) for text in LENGTHS] == [whole(MACHINE), whole(TAPED), 0]
    assert asked(line) == ["Answer and greet."]


@EITHER
@pytest.mark.parametrize("seed", range(12))
def test_the_greeting_itself_can_be_interrupted(settings: CallSettings, seed: int) -> None:
    line = line_with(settings, seed=seed)
    line.run_until(BOTH_MS + line.chance.uniform(500, 900))
    speaks(line, 1_500, "I need a table for two.")
    line.run_until(9_000)

    assert cleared(line)
    assert [heard_ms(line, text) for text in (MACHINE, TAPED)] == [whole(MACHINE), whole(TAPED)]
    assert 0 < heard_ms(line, GREETING) < LENGTHS[GREETING]


@pytest.mark.parametrize("seed", range(12))
def test_who_begins_in_a_notices_last_words_interrupts_the_greeting_behind_it(seed: int) -> None:
    line = line_with(BY_MODEL, seed=seed)
    while line.call.timeline.turn.cause != "greeting":
        line.run_for(5)
    line.deliver(SpeechStarted("c1", 2_900, 3_100))
    assert line.call.notices.under_way
    line.run_until(9_000)

    assert [heard_ms(line, text) for text in (MACHINE, TAPED)] == [whole(MACHINE), whole(TAPED)]
    assert heard_ms(line, GREETING) <= 400, "what is on its way when the notice is over"
    assert len(line.carrier.clears_ms) == 1


@EITHER
def test_keys_do_not_cut_them_and_are_answered(settings: CallSettings) -> None:
    line = line_with(settings)
    line.run_until(800)
    line.deliver(KeyPressed("2"))
    line.run_until(9_000)

    assert not cleared(line)
    assert [heard_ms(line, text) for text in LENGTHS] == [whole(MACHINE), whole(TAPED), 0]
    assert asked(line) == ["Answer and greet."]


def test_a_change_of_sessions_does_not_touch_them() -> None:
    line = line_with(BY_MODEL)
    line.run_until(700)
    line.deliver(RolloverRequested())
    line.run_until(1_500)
    line.drop()
    line.run_until(9_000)

    assert not cleared(line)
    assert [heard_ms(line, text) for text in LENGTHS] == [whole(text) for text in LENGTHS]


def test_a_caller_who_hangs_up_ends_them_and_the_record_says_how_much_was_heard() -> None:
    line = line_with(BY_MODEL)
    line.run_until(LENGTHS[MACHINE] + 900)
    line.deliver(CarrierClosed("hangup"))

    first, second = line.call.timeline.notices
    assert first.heard_ms == first.length_ms
    assert second.length_ms == LENGTHS[TAPED]
    assert 500 <= second.heard_ms <= 900
    assert second.to_ms == line.call.timeline.ended_ms
    assert line.call.snapshot().notices_heard == 1


@EITHER
@pytest.mark.parametrize("delay_ms", [0, 40, 150])
@pytest.mark.parametrize("seed", range(25))
def test_nothing_that_callers_and_sessions_do_cuts_them(
    settings: CallSettings, seed: int, delay_ms: int
) -> None:
    line = line_with(settings, seed=seed, delay_ms=delay_ms, ready_ms=line_ready(seed))
    dropped = False
    while line.heap.now_ms < BOTH_MS + 200:
        line.run_for(line.chance.uniform(50, 700))
        match line.chance.choice(["voice", "speech", "key", "drop", "roll over"]):
            case "voice":
                line.voice(line.chance.uniform(100, 900), "Hello?", model_hears=seed % 3 > 0)
            case "speech":
                speaks(line, line.chance.uniform(200, 1_500), "Hello?")
            case "key":
                line.deliver(KeyPressed("5"))
            case "drop" if line.call.handover.relay.leg and not dropped:
                line.drop()
                dropped = True
            case _:
                line.deliver(RolloverRequested())
    line.run_until(15_000)

    assert [heard_ms(line, text) for text in (MACHINE, TAPED)] == [whole(MACHINE), whole(TAPED)]
    end_ms = spans(line, TAPED)[0][1]
    assert all(at >= end_ms for at in line.carrier.clears_ms)
    assert all(line.frames_of(i)[0] >= end_ms for i in line.model.items if line.heard(i))
    assert line.call.notices.state is NoticeState.HEARD
    assert line.shell.ended is None


def line_ready(seed: int) -> float:
    return (5, 300, 1_200, 2_400)[seed % 4]


# A model says it


def says(line: VirtualLine, *answers: Answer) -> None:
    line.model.script.extend(answers)


def saying(text: str, item_id: str, ms: float = 1_500) -> Answer:
    return Answer((Say(item_id, ms, text=text),))


@EITHER
def test_what_is_not_at_hand_is_said_by_the_model_and_checked(settings: CallSettings) -> None:
    line = line_with(settings, at_hand=(TAPED, GREETING))
    says(line, saying("You are talking to a MACHINE", "m"))
    line.run_until(9_000)

    assert asked(line) == [SAY.format(MACHINE)]
    assert line.heard("m") == 1_500 * 8
    assert line.frames_of("m")[-1] < spans(line, TAPED)[0][0] < spans(line, GREETING)[0][0]
    model, tape = line.call.timeline.notices
    assert (model.by, model.fault, model.heard_ms, model.length_ms) == ("model", "", 1_500, 1_500)
    assert (tape.by, tape.fault) == ("recording", "")
    assert line.call.timeline.notes == []
    assert line.call.timeline.turns[0].response_ids != []


def test_other_words_than_the_notices_are_a_fault_in_the_record() -> None:
    line = line_with(BY_MODEL, at_hand=(TAPED, GREETING))
    says(line, saying("Hello, I am a machine.", "m"))
    line.run_until(9_000)

    assert [note.text for note in line.call.timeline.notes] == [NOT_WORD_FOR_WORD]
    assert line.call.timeline.notices[0].fault == NOT_WORD_FOR_WORD
    assert heard_ms(line, GREETING) == whole(GREETING), "the call goes on"


@pytest.mark.parametrize("seed", range(12))
def test_a_caller_who_speaks_while_the_model_says_it_does_not_cut_it(seed: int) -> None:
    line = line_with(BY_VOICE, at_hand=(TAPED, GREETING), seed=seed)
    says(line, saying(MACHINE, "m", 3_000))
    line.run_until(line.chance.uniform(700, 2_500))
    line.voice(line.chance.uniform(300, 1_000), "A table for two.")
    line.run_until(12_000)

    assert line.heard("m") == 3_000 * 8
    assert asked(line) == [SAY.format(MACHINE), "Answer and greet."]


@pytest.mark.parametrize("seed", range(12))
def test_a_model_that_breaks_off_for_the_caller_says_it_again(seed: int) -> None:
    line = line_with(BY_MODEL, at_hand=(TAPED, GREETING), seed=seed)
    says(line, Answer((Say("m", 3_000, speed=1.0, text=MACHINE),)))
    line.run_until(1_500)
    says(line, saying("Yes?", "dead"), saying(MACHINE, "again"))
    line.speak(900, "A table for two.")
    line.run_until(14_000)

    assert 0 < line.heard("m") < 3_000 * 8
    dead = [i for i in line.model.items if i == "dead"]
    assert not any(line.heard(i) for i in dead), "no answer comes before the notice"
    assert line.heard("again") == 1_500 * 8
    first, second, tape = line.call.timeline.notices
    assert (first.fault, second.fault, tape.text) == (BROKE_OFF, "", TAPED)
    assert first.heard_ms == first.length_ms > 0
    assert asked(line)[-1] == "Answer and greet.", "and then the caller is answered"


def test_a_model_that_dies_in_the_middle_leaves_it_to_the_next_one() -> None:
    line = line_with(BY_MODEL, at_hand=(TAPED, GREETING))
    says(line, Answer((Say("m", 3_000, speed=1.0, text=MACHINE),)))
    line.on_open = lambda model, leg: model.script.append(saying(MACHINE, "again"))
    line.run_until(1_500)
    line.drop()
    line.run_until(12_000)

    assert asked(line) == [SAY.format(MACHINE)] * 2
    assert line.heard("again") == 1_500 * 8
    assert line.frames_of("m")[-1] < line.frames_of("again")[0]
    assert heard_ms(line, GREETING) == whole(GREETING)


def test_a_model_that_never_brings_it_to_its_end_does_not_hold_up_the_call_for_ever() -> None:
    line = line_with(BY_MODEL, at_hand=(TAPED, GREETING))
    line.model.endless = Answer
    line.run_until(12_000)

    assert asked(line) == [SAY.format(MACHINE)] * MOST_TAKES
    assert [note.text for note in line.call.timeline.notes][-1] == NOT_SAID
    assert heard_ms(line, TAPED) == whole(TAPED)
    assert heard_ms(line, GREETING) == whole(GREETING)


# Another worker


def test_a_call_that_is_to_move_stays_until_they_are_heard() -> None:
    line = line_with(BY_MODEL, ready_ms=60_000)
    line.run_until(1_000)
    line.deliver(HangUpRequested("drain"))
    line.run_until(2_500)
    assert line.shell.ended is None
    line.run_until(9_000)
    assert line.shell.ended == EndCall(EndReason.DRAINED)
    assert line.call.snapshot(moved=True).notices_heard == 2


def resumed(heard: int, *, moved: bool = True) -> VirtualLine:
    call = line_with(BY_MODEL).call
    line = VirtualLine(2, settings=BY_MODEL)
    line.phrases = dict(LENGTHS)
    line.model.endless = lambda: Answer((Say("a", 1_000, text="Sorry."),))
    snapshot = replace(call.snapshot(moved=moved), notices_heard=heard)
    line.deliver(StreamStarted("call", "another", resumed=snapshot))
    line.run_until(9_000)
    return line


def test_who_heard_them_does_not_hear_them_again_from_another_worker() -> None:
    line = resumed(2)
    assert [heard_ms(line, text) for text in LENGTHS] == [0, 0, 0]


@pytest.mark.parametrize("heard", [0, 1])
def test_what_was_not_heard_is_said_by_another_worker_and_then_the_greeting(heard: int) -> None:
    line = resumed(heard)
    expected = [0] * heard + [whole(text) for text in list(LENGTHS)[heard:]]
    assert [heard_ms(line, text) for text in LENGTHS] == expected


def test_what_a_lost_stream_owes_comes_after_them() -> None:
    line = resumed(1, moved=False)
    assert heard_ms(line, TAPED) == whole(TAPED)
    assert heard_ms(line, GREETING) == 0
    assert line.frames_of("a")[0] >= spans(line, TAPED)[0][1]


# Event by event


def test_a_leg_that_carries_the_call_is_told_of_a_recording_at_once() -> None:
    call = opened()
    play(call, 10, ModelReady("s", "m"))
    asked_for = play(call, 20, CallerAudioBegan(0))
    assert of(PlayPhrase, asked_for) == [PlayPhrase(MACHINE)]
    told = one(AddAgentText, play(call, 21, PhraseStored(MACHINE, 8_000)))
    assert told.text == MACHINE


def opened() -> Call:
    call = Call(BY_MODEL)
    assert of(OpenLeg, play(call, 0, StreamStarted("call", "stream")))
    return call


def test_a_leg_that_comes_later_is_told_of_them_as_of_all_else() -> None:
    call = opened()
    play(call, 20, CallerAudioBegan(0), PhraseStored(MACHINE, 8_000), PhraseStored(TAPED, 8_000))
    taken = one(TakeLeg, play(call, 300, ModelReady("s", "m")))
    assert [entry.text for entry in taken.entries] == [MACHINE, TAPED]


def test_without_caller_audio_nothing_is_said() -> None:
    call = opened()
    play(call, 10, ModelReady("s", "m"))
    assert of(PlayPhrase, until(call, 5_000)) == []
    assert of(CreateResponse, until(call, 5_000)) == []


def test_a_speech_event_during_one_sends_no_clear() -> None:
    call = opened()
    play(call, 10, ModelReady("s", "m"))
    play(call, 20, CallerAudioBegan(0), PhraseStored(MACHINE, 16_000), MarkEchoed("s0.0", 20, 40))
    assert of(SendClear, play(call, 600, SpeechStarted("c1", 500, 600))) == []
