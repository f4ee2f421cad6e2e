"""A caller who takes the floor calls off what is not worth going on with, and nothing else: the run
is broken off once, the model is told once, and there is one answer. In virtual time."""

import pytest

from app.call.call import Call
from app.call.commands import CancelTool, CreateResponse, RunTool, SendToolOutput
from app.call.events import (
    ResponseCreated,
    ResponseFinished,
    SpeechStarted,
    SpeechStopped,
    ToolBegan,
    ToolCall,
    ToolFinished,
)
from app.call.phases import CallSettings
from app.call.tool_desk import CANCELLED
from tests.call.handover_play import of, play, talking, until
from tests.call.test_tool_sound import BY_MODEL, BY_VOICE, line_with, speaks
from tests.call.virtual_line import VirtualLine

EITHER = pytest.mark.parametrize("settings", [BY_MODEL, BY_VOICE], ids=["by model", "by voice"])
SEEDS = pytest.mark.parametrize("seed", range(6))


def outputs(line: VirtualLine) -> list[SendToolOutput]:
    return [c for c in line.commands() if isinstance(c, SendToolOutput)]


def cancelled(line: VirtualLine) -> int:
    return sum(isinstance(c, CancelTool) for c in line.commands())


@EITHER
@SEEDS
def test_who_speaks_while_it_runs_calls_it_off_and_gets_one_answer(
    settings: CallSettings, seed: int
) -> None:
    line = line_with(settings, 15_000, seed=seed, cancellable=True)
    line.run_until(6_000)
    speaks(line, 1_400, "No, something else.")
    line.run_until(15_000)

    assert cancelled(line) == 1
    assert [(o.call_id, o.output) for o in outputs(line)] == [("t1", CANCELLED)]
    assert line.frames_of("a0"), "the caller was answered"
    assert "a1" not in line.model.items, "once"
    assert line.model.refused == []
    (run,) = (run for turn in line.call.timeline.turns for run in turn.tools)
    assert run.ok is False
    assert line.call.snapshot().entries[2].output == CANCELLED


@EITHER
def test_a_word_that_is_a_turn_calls_it_off_too(settings: CallSettings) -> None:
    line = line_with(settings, 15_000, cancellable=True)
    line.run_until(6_000)
    speaks(line, 500, "Stop.")
    line.run_until(12_000)
    assert cancelled(line) == 1
    assert [o.output for o in outputs(line)] == [CANCELLED]


def test_a_cough_does_not() -> None:
    line = line_with(BY_VOICE, 9_000, cancellable=True)
    line.run_until(6_000)
    line.voice(200, model_hears=False)
    line.run_until(20_000)
    assert cancelled(line) == 0
    assert [o.call_id for o in outputs(line)] == ["t1"]


@EITHER
def test_silence_does_not(settings: CallSettings) -> None:
    line = line_with(settings, 9_000, cancellable=True)
    line.run_until(16_000)
    assert cancelled(line) == 0
    assert [o.call_id for o in outputs(line)] == ["t1"]


@EITHER
def test_a_tool_that_finishes_goes_on(settings: CallSettings) -> None:
    line = line_with(settings, 9_000)
    line.run_until(6_000)
    speaks(line, 1_400, "Are you still there?")
    line.run_until(20_000)
    assert cancelled(line) == 0
    assert [o.output for o in outputs(line)] != [CANCELLED]


# In one group


BOTH = (ToolCall("t1", "i1", "book", "{}"), ToolCall("t2", "i2", "note", "{}"))


def running(calls: tuple[ToolCall, ...]) -> Call:
    call = talking()
    play(call, 1_000, ResponseCreated("r1"))
    done = play(call, 1_100, ResponseFinished("r1", "completed", tool_calls=calls))
    assert [c.call_id for c in of(RunTool, done)] == [c.call_id for c in calls]
    play(call, 1_110, *(ToolBegan(c.call_id, cancellable=True) for c in calls if c.name == "book"))
    return call


def test_the_other_tools_of_the_answer_go_on_and_are_answered_together() -> None:
    call = running(BOTH)
    play(call, 2_000, SpeechStarted("c2", 1_900, 2_000))
    off = until(call, 4_000)
    assert of(CancelTool, off) == [CancelTool("t1")]
    assert [o.call_id for o in of(SendToolOutput, off)] == ["t1"]
    assert of(CreateResponse, off) == []
    assert play(call, 4_100, ToolFinished("t1", "late")) == []
    finished = play(call, 4_200, ToolFinished("t2", "done"))
    assert [o.call_id for o in of(SendToolOutput, finished)] == ["t2"]
    assert of(CreateResponse, finished) == [], "the caller speaks"


def test_nothing_of_it_is_owed_when_the_turn_is_answered() -> None:
    call = running(BOTH[:1])
    play(call, 2_000, SpeechStarted("c2", 1_900, 2_000))
    assert of(CancelTool, until(call, 3_300)) == [CancelTool("t1")]
    play(call, 3_350, SpeechStopped("c2", 3_000, 3_350))
    assert of(CreateResponse, play(call, 3_400, ResponseCreated("r2"))) == []
    answered = play(call, 3_900, ResponseFinished("r2", "completed"))
    assert of(CreateResponse, answered) == []


def test_a_long_noise_that_was_no_turn_leaves_nobody_waiting() -> None:
    line = line_with(BY_VOICE, 15_000, cancellable=True)
    line.run_until(6_000)
    line.voice(2_000, model_hears=False)
    line.run_until(20_000)
    assert cancelled(line) == 1
    assert line.frames_of("a0"), "the agent goes on"
