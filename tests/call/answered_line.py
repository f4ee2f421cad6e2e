"""A call that we placed, to whoever answers: a line in virtual time, and what became of it."""

from dataclasses import replace

import pytest

from app.call.answer_record import AnswerRecord
from app.call.commands import CreateResponse
from app.call.endings import EndReason
from app.call.events import (
    AnsweredBy,
    BeepHeard,
    OnAnswer,
    StreamStarted,
)
from app.call.floor_settings import FloorSettings
from app.call.phases import CallSettings
from app.call.relay_settings import RelaySettings
from app.call.responses import ResponseSettings
from app.call.turn_end import TurnEndSettings
from tests.call.handover_play import of
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Say

MESSAGE = "This is Harbour Table. Please call us back."
GREETING = "Harbour Table, do you have a moment?"
NOTICE = "You are talking to a machine."
LENGTHS = {MESSAGE: 4_010, GREETING: 2_000, NOTICE: 1_490}
LEAVE = OnAnswer("message", MESSAGE)
BY_MODEL = CallSettings(
    language="en",
    greeting="Greet.",
    greeting_words=GREETING,
    late_greeting="Answer and greet.",
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
MACHINE_OVER: list[AnsweredBy] = ["machine_end_beep", "machine_end_silence", "machine_end_other"]


def line_with(
    settings: CallSettings = BY_VOICE,
    on: OnAnswer = LEAVE,
    *,
    at_hand: tuple[str, ...] = tuple(LENGTHS),
    seed: int = 1,
    known: AnsweredBy | None = None,
) -> VirtualLine:
    line = VirtualLine(seed, Network(), settings)
    line.phrases = {text: ms for text, ms in LENGTHS.items() if text in at_hand}
    by_voice = settings.floor.by == "voice"
    line.model.server_answers = line.model.server_cancels = not by_voice
    line.model.decides = settings.turn_end is None
    answers = iter(range(1_000))
    line.model.endless = lambda: Answer((Say(f"a{next(answers)}", 1_000, text="Yes."),))
    line.ready_ms = 300
    line.deliver(
        StreamStarted(
            "call", "stream", "outbound", on_answer=on, since_answer_ms=120, answered_by=known
        )
    )
    return line


def speaks(line: VirtualLine, ms: float, text: str) -> None:
    """The other side, as whoever decides hears it."""
    if line.call.settings.floor.by == "voice":
        line.voice(ms, text)
    else:
        line.speak(ms, text)


def beeps(line: VirtualLine, sound_before_ms: int = 2_000) -> float:
    """A beep has just ended, and our ears have told of it; returns when it did."""
    ended_ms = int(line.heap.now_ms)
    line.run_for(100)
    line.deliver(BeepHeard(ended_ms, int(line.heap.now_ms), sound_before_ms))
    return ended_ms


def whole(text: str = MESSAGE) -> int:
    return -(-LENGTHS[text] // 20)


def takes(line: VirtualLine, text: str = MESSAGE) -> list[list[float]]:
    """When the frames of each saying of a recording began to sound; each began at its beginning and
    went on in order."""
    sayings: list[list[float]] = []
    for at_ms, byte in line.heard_phrase(text):
        if byte == 0:
            sayings.append([])
        assert byte == 160 * len(sayings[-1]), "in order and once"
        sayings[-1].append(at_ms)
    return sayings


def record(line: VirtualLine) -> AnswerRecord:
    answer = line.call.timeline.answer
    assert answer is not None
    return answer


def ended(line: VirtualLine) -> tuple[EndReason, str]:
    assert line.shell.ended is not None, "the call goes on"
    return line.shell.ended.reason, line.shell.ended.detail


def asked_after(line: VirtualLine, at_ms: float) -> list[str]:
    """What was asked of the model from then on."""
    return [
        command.instructions
        for when_ms, _, commands in line.shell.log
        for command in of(CreateResponse, commands)
        if when_ms >= at_ms
    ]


def a_message_was_left(line: VirtualLine, after_ms: float) -> None:
    (*_, last) = takes(line)
    assert len(last) == whole(), "it is whole"
    assert last[0] >= after_ms, "after the beep"
    assert ended(line) == (EndReason.MESSAGE_LEFT, "")
    assert record(line).message_left
    assert not record(line).abandoned
    assert asked_after(line, after_ms) == []
