"""Nobody waits for a verdict on who answered. From a machine's on nothing is heard but the message:
once, whole, from the beep on; then the call ends.

In virtual time, byte by byte.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.call.answer_machine import AnswerState
from app.call.answer_side import NO_END, NOT_READY
from app.call.call import Call
from app.call.commands import CancelResponse, PlayPhrase
from app.call.endings import EndReason
from app.call.events import (
    Answered,
    AnsweredBy,
    BeepHeard,
    OnAnswer,
    StreamStarted,
    ToolCall,
)
from app.call.patience import PatienceSettings
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from tests.call.answered_line import (
    BY_MODEL,
    BY_VOICE,
    EITHER,
    GREETING,
    LEAVE,
    LENGTHS,
    MACHINE_OVER,
    MESSAGE,
    NOTICE,
    a_message_was_left,
    asked_after,
    beeps,
    ended,
    line_with,
    record,
    speaks,
    takes,
    whole,
)
from tests.call.handover_play import of, play
from tests.call.virtual_model import Answer, Say
from tests.call.virtual_time import SILENCE

# Persons


@EITHER
@pytest.mark.parametrize("verdict", ["human", "unknown", None])
@pytest.mark.parametrize("at_ms", [0, 300, 3_000])
def test_a_person_is_greeted_at_once_whenever_the_verdict_comes(
    settings: CallSettings, verdict: AnsweredBy | None, at_ms: int
) -> None:
    line = line_with(settings)
    line.run_until(at_ms)
    if verdict is not None:
        line.deliver(Answered(verdict))
    line.run_until(2_500)
    speaks(line, 900, "Yes, who is there?")
    line.run_until(8_000)

    (greeting,) = takes(line, GREETING)
    assert len(greeting) == whole(GREETING)
    assert greeting[0] < 200
    assert len(asked_after(line, 0)) + len(line.model.items) > 0, "they were answered"
    assert takes(line) == []
    assert line.shell.ended is None
    answer = record(line)
    assert answer.answered_by == (verdict or "")
    assert answer.first_audio_ms is not None
    assert 120 <= answer.first_audio_ms < 400
    assert not answer.abandoned


def test_a_beep_after_the_verdict_human_is_nothing() -> None:
    line = line_with()
    line.run_until(1_000)
    line.deliver(Answered("human"))
    assert not line.call.answer.listens
    beeps(line)
    line.run_until(9_000)

    assert line.shell.ended is None
    assert len(takes(line, GREETING)[0]) == whole(GREETING)


def test_a_call_that_nobody_asked_about_goes_on_whatever_is_told() -> None:
    for direction in ("outbound", "inbound"):
        call = Call(BY_VOICE)
        play(call, 0, StreamStarted("call", "stream", direction))
        assert play(call, 10, Answered("machine_start"), BeepHeard(0, 10, 900)) == []
        assert call.answer.state is AnswerState.NOT_ASKED
        assert (call.timeline.answer is None) == (direction == "inbound")


# Machines


@EITHER
@pytest.mark.parametrize("verdict", MACHINE_OVER)
@pytest.mark.parametrize("at_ms", [150, 1_200, 5_000])
def test_at_the_carriers_word_the_greeting_stops_and_the_message_is_left(
    settings: CallSettings, verdict: AnsweredBy, at_ms: int
) -> None:
    line = line_with(settings)
    line.run_until(at_ms)
    line.deliver(Answered(verdict))
    line.run_until(20_000)

    a_message_was_left(line, at_ms)
    (message,) = takes(line)
    assert message[0] <= at_ms + 200
    assert all(at < message[0] for said in takes(line, GREETING) for at in said)
    (taken,) = record(line).messages
    assert (taken.witness, taken.whole, taken.why) == ("carrier", True, "")
    assert taken.heard_ms == taken.length_ms == LENGTHS[MESSAGE]


@EITHER
def test_machine_start_silences_the_agent_until_the_beep(settings: CallSettings) -> None:
    line = line_with(settings)
    line.run_until(800)
    line.deliver(Answered("machine_start"))
    speaks(line, 3_500, "You have reached us. Leave a message.")
    line.run_until(4_800)
    assert line.call.answer.state is AnswerState.LISTENING
    (greeting,) = takes(line, GREETING)
    assert greeting[-1] < 1_000, "it stopped at once"
    assert asked_after(line, 800) == []
    assert all(line.heard(item) == 0 for item in line.model.items)
    at_ms = beeps(line)
    line.run_until(20_000)

    a_message_was_left(line, at_ms)
    assert takes(line)[0][0] <= at_ms + 300
    assert record(line).messages[0].witness == "beep"
    assert all(line.heard(item) == 0 for item in line.model.items)


@EITHER
def test_without_a_beep_the_message_follows_a_silence(settings: CallSettings) -> None:
    line = line_with(settings)
    line.run_until(800)
    line.deliver(Answered("machine_start"))
    line.run_until(1_000)
    speaks(line, 4_000, "You have reached us. Leave a message.")
    line.run_until(20_000)

    a_message_was_left(line, 4_500 + settings.answer.silence_ms)
    assert record(line).messages[0].witness == "silence"


def test_a_greeting_without_an_end_is_hung_up_on() -> None:
    line = line_with()
    line.run_until(800)
    line.deliver(Answered("machine_start"))
    speaks(line, 90_000, "la la la")
    line.run_until(70_000)
    assert ended(line) == (EndReason.MACHINE_ANSWERED, NO_END)
    assert takes(line) == []


@EITHER
def test_a_beep_alone_says_that_a_machine_answered(settings: CallSettings) -> None:
    line = line_with(settings)
    line.run_until(500)
    speaks(line, 3_000, "Leave a message.")
    line.run_until(4_000)
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert [(v.by, v.witness) for v in record(line).verdicts] == [("machine_end_beep", "beep")]


@pytest.mark.parametrize(("at_ms", "sound_ms"), [(3_000, 100), (61_000, 5_000)])
def test_a_beep_that_comes_first_or_late_says_nothing(at_ms: int, sound_ms: int) -> None:
    line = line_with()
    line.run_until(at_ms)
    beeps(line, sound_ms)
    line.run_for(5_000)
    assert takes(line) == []
    assert record(line).verdicts == []


@pytest.mark.parametrize("later", [*MACHINE_OVER, "machine_start", "unknown", "fax"])
@pytest.mark.parametrize("late_ms", [0, 50, 2_000])
def test_a_second_or_late_verdict_changes_nothing(later: AnsweredBy, late_ms: int) -> None:
    line = line_with()
    line.run_until(4_000)
    at_ms = beeps(line)
    line.run_for(late_ms)
    line.deliver(Answered(later))
    line.deliver(Answered(later))
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert len(takes(line)) == 1
    assert len(record(line).verdicts) == 3


def test_a_verdict_that_is_quicker_than_the_stream_counts() -> None:
    known = line_with(known="machine_end_beep")
    known.run_until(20_000)
    a_message_was_left(known, 0)
    assert takes(known, GREETING) == []

    call = Call(BY_VOICE)
    play(call, 0, Answered("machine_end_beep"))
    started = StreamStarted("call", "stream", "outbound", on_answer=LEAVE)
    assert of(PlayPhrase, play(call, 5, started)) == [PlayPhrase(MESSAGE)]


@EITHER
@pytest.mark.parametrize("verdict", ["machine_end_silence", "machine_end_beep"])
def test_a_message_that_was_begun_too_early_is_begun_again_at_the_beep(
    settings: CallSettings, verdict: AnsweredBy
) -> None:
    line = line_with(settings)
    line.run_until(2_000)
    line.deliver(Answered(verdict))
    line.run_until(4_000)
    at_ms = beeps(line)
    line.run_until(20_000)

    a_message_was_left(line, at_ms)
    first, second = record(line).messages
    assert (first.whole, first.witness, second.whole, second.witness) == (
        False,
        "carrier",
        True,
        "beep",
    )
    assert 0 < first.heard_ms < first.length_ms


def test_of_two_beeps_in_a_row_the_second_one_counts() -> None:
    line = line_with()
    line.run_until(4_000)
    beeps(line)
    line.run_for(500)
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert len(takes(line)) == 2


def test_a_beep_in_the_midst_of_the_message_does_not_begin_it_again() -> None:
    line = line_with()
    line.run_until(4_000)
    at_ms = beeps(line)
    line.run_for(2_500)
    beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert len(takes(line)) == 1


def test_a_message_that_is_not_at_hand_is_not_awaited() -> None:
    line = line_with(at_hand=(GREETING,))
    line.run_until(3_000)
    line.deliver(Answered("machine_end_beep"))
    line.run_until(3_100)
    assert ended(line) == (EndReason.MACHINE_ANSWERED, NOT_READY)
    assert record(line).messages[0].why == "not at hand"
    assert not record(line).message_left
    assert [note.text for note in line.call.timeline.notes] == [NOT_READY]


@pytest.mark.parametrize("verdict", ["machine_start", "machine_end_beep", "fax"])
def test_a_machine_can_be_hung_up_on(verdict: AnsweredBy) -> None:
    for on in (OnAnswer("hang_up", MESSAGE), OnAnswer("message", "")):
        line = line_with(on=on)
        line.run_until(1_000)
        line.deliver(Answered(verdict))
        assert ended(line)[0] is EndReason.MACHINE_ANSWERED
        assert record(line).answered_by == verdict


@pytest.mark.parametrize("on_machine", ["message", "hang_up", "talk"])
def test_a_fax_machine_is_hung_up_on_whatever_is_done_about_others(on_machine: str) -> None:
    for first in ((), ("machine_start",)):
        line = line_with(on=OnAnswer(on_machine, MESSAGE))  # type: ignore[arg-type]
        line.run_until(1_000)
        if first and on_machine == "message":
            line.deliver(Answered("machine_start"))
        line.deliver(Answered("fax"))
        assert ended(line) == (EndReason.MACHINE_ANSWERED, "fax")


def test_a_machine_can_be_talked_to() -> None:
    line = line_with(on=OnAnswer("talk"))
    line.run_until(500)
    line.deliver(Answered("machine_start"))
    beeps(line)
    line.run_until(9_000)
    assert len(takes(line, GREETING)[0]) == whole(GREETING)
    assert line.shell.ended is None
    assert record(line).answered_by == "machine_start"


def test_no_model_is_needed_to_leave_a_message() -> None:
    settings = replace(
        BY_VOICE, relay=RelaySettings(attempt_ms=500, give_up_ms=1_500, filler="Wait.")
    )
    line = line_with(settings)
    line.fails = dict.fromkeys(range(1, 50), "unreachable")
    line.run_until(200)
    line.deliver(Answered("machine_start"))
    line.run_until(3_000)
    assert line.shell.ended is None
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)


@EITHER
def test_a_tool_that_runs_and_a_prompt_that_is_due_are_not_heard_by_a_machine(
    settings: CallSettings,
) -> None:
    settings = replace(settings, tool_sound_after_ms=300, patience=PatienceSettings(after_ms=1_000))
    line = line_with(settings)
    line.model.script.append(Answer((), (ToolCall("t1", "i1", "book", "{}"),)))
    line.tool_ms["book"], line.manners["book"] = 30_000, ("Please wait.", False)
    line.phrases["Please wait."] = 500
    line.run_until(2_500)
    speaks(line, 600, "You have reached us.")
    line.run_until(3_650)
    assert line.call.handover.relay.leg
    line.deliver(Answered("machine_start"))
    line.run_until(4_000)
    silent_ms = line.heap.now_ms
    speaks(line, 5_000, "Leave a message.")
    line.run_until(11_000)
    assert line.call.answer.state is AnswerState.LISTENING
    assert [byte for at, byte in line.carrier.frames if at > silent_ms and byte != SILENCE] == []
    at_ms = beeps(line)
    line.run_until(20_000)
    a_message_was_left(line, at_ms)
    assert [note for note in line.call.timeline.notes if note.kind == "silence"] == []


def test_a_filler_is_not_said_to_a_machine() -> None:
    relay = RelaySettings(attempt_ms=500, give_up_ms=9_000, filler="Wait.", filler_after_ms=800)
    line = line_with(replace(BY_VOICE, relay=relay))
    line.phrases["Wait."] = 600
    line.fails = dict.fromkeys(range(2, 50), "unreachable")
    line.run_until(500)
    line.deliver(Answered("machine_start"))
    line.run_until(1_000)
    line.drop()
    line.run_until(3_100)
    at_ms = beeps(line)
    line.run_until(20_000)
    assert takes(line, "Wait.") == []
    a_message_was_left(line, at_ms)


def test_a_machine_that_is_silent_is_not_asked_whether_it_is_there() -> None:
    line = line_with(replace(BY_VOICE, patience=PatienceSettings(after_ms=1_000)))
    line.run_until(2_600)
    line.deliver(Answered("machine_start"))
    line.run_until(5_000)
    assert line.call.answer.state is AnswerState.LISTENING
    assert [note for note in line.call.timeline.notes if note.kind == "silence"] == []


def test_an_answer_that_the_model_is_giving_is_cancelled() -> None:
    for settings in (BY_MODEL, BY_VOICE):
        line = line_with(settings)
        line.model.script.append(Answer((Say("long", 6_000, speed=1.0, text="word " * 30),)))
        line.run_until(2_300)
        speaks(line, 700, "Leave a message.")
        line.run_until(4_800)
        assert line.heard("long") > 0
        line.deliver(Answered("machine_start"))
        assert of(CancelResponse, line.shell.log[-1][2])


# Anything


@EITHER
@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_when_the_last_message_is_whole_or_a_person_is_there(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(replace(settings, notices=(NOTICE,) if seed % 2 else ()), seed=seed)
    happenings: list[Callable[[], object]] = [
        lambda: speaks(line, line.chance.uniform(200, 2_500), "Hello?"),
        lambda: line.deliver(Answered(line.chance.choice([*MACHINE_OVER, "machine_start"]))),
        lambda: line.deliver(Answered("unknown")),
        lambda: beeps(line),
        lambda: line.drop() if line.call.handover.relay.leg else None,
    ]
    while line.heap.now_ms < 8_000 and line.shell.ended is None:
        line.run_for(line.chance.uniform(50, 1_500))
        if line.shell.ended is None:
            line.chance.choice(happenings)()
    line.run_until(40_000)

    sayings = takes(line)
    if line.shell.ended is not None and line.shell.ended.reason is EndReason.MESSAGE_LEFT:
        assert len(sayings[-1]) == whole()
        assert record(line).message_left
    assert len(sayings) <= settings.answer.most_takes
    assert line.call.answer.state not in (AnswerState.ASKED, AnswerState.LISTENING)
