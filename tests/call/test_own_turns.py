"""Where we end the caller's turns, each is committed in whole, and answered once when the caller
has said all; what was no turn is neither.

In virtual time, against a model that decides nothing.
"""

from dataclasses import replace

import pytest

from app.call.commands import (
    CancelResponse,
    ClearInput,
    CommitInput,
    CreateResponse,
    DeleteItem,
    JudgeTurn,
    RunTool,
)
from app.call.events import KeyPressed, ModelFault, ToolCall, TurnJudged, Usage
from app.call.floor_settings import FloorSettings
from app.call.phases import CallSettings
from app.call.prices import Prices
from app.call.responses import ResponseSettings
from app.call.timeline import Ending, Stamp, Turn
from app.call.turn_end import TurnEndSettings
from tests.call.virtual_line import Network, VirtualLine
from tests.call.virtual_model import Answer, Model, Say
from tests.call.virtual_time import BYTES_PER_MS

SEEDS = range(20)
DELAYS_MS = (0, 40, 150)
SETTINGS = CallSettings(
    language="en",
    floor=FloorSettings(by="voice"),
    turn_end=TurnEndSettings(judge=True),
    responses=ResponseSettings(server_answers=False, server_cancels=False),
)
SILENCE = replace(SETTINGS, turn_end=TurnEndSettings())


def quiet_line(seed: int, delay_ms: int = 0, settings: CallSettings = SETTINGS) -> VirtualLine:
    """The caller is waited for."""
    line = VirtualLine(seed, Network(carrier_ms=delay_ms), settings)
    line.model.decides = line.model.server_answers = line.model.server_cancels = False
    line.model.script.extend(Answer((Say(name, 2_000, text="word " * 8),)) for name in "abcd")
    line.open()
    line.run_for(500)
    return line


def say(line: VirtualLine, *pieces: tuple[float, str, float]) -> None:
    """Each piece: how long, its words, and the pause after it, in ms."""
    for speech_ms, text, pause_ms in pieces:
        line.voice(speech_ms, text)
        line.run_for(speech_ms + pause_ms)


def of(line: VirtualLine, *kinds: type) -> list[object]:
    return [command for command in line.commands() if isinstance(command, kinds)]


def created_ms(line: VirtualLine) -> list[int]:
    """When an answer was asked for."""
    return [
        now_ms
        for now_ms, _, commands in line.shell.log
        if any(isinstance(command, CreateResponse) for command in commands)
    ]


def caller_turn(line: VirtualLine) -> Turn:
    (turn,) = (turn for turn in line.call.timeline.turns if turn.cause == "caller")
    return turn


def ending(line: VirtualLine) -> Ending:
    found = caller_turn(line).ending
    assert found is not None
    return found


def said(line: VirtualLine) -> list[str]:
    return [str(one) for one in line.call.transcript.lines if one.speaker == "caller"]


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_turn_is_committed_after_the_least_silence_and_answered_once(
    seed: int, delay_ms: int
) -> None:
    line = quiet_line(seed, delay_ms)
    say(line, (1_500, "When do you open?", 4_000))

    assert len(of(line, CommitInput)) == len(of(line, CreateResponse)) == 1
    assert line.heard("a") == 2_000 * BYTES_PER_MS
    assert said(line) == ["When do you open?"]
    assert not line.model.refused


@pytest.mark.parametrize("seed", SEEDS)
def test_complete_words_are_answered_before_the_usual_silence_is_over(seed: int) -> None:
    line = quiet_line(seed)
    line.judge_ms = 20
    say(line, (1_500, "When do you open?", 4_000))

    found = ending(line)
    assert (found.why, found.verdict, found.verdict_ms) == ("complete", True, found.verdict_ms)
    assert 300 <= found.silence_ms <= 300 + 400 + 40 + 60
    assert found.words_ms is not None and found.words_ms <= found.silence_ms
    assert caller_turn(line).perceived_latency_ms is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_who_hesitates_is_waited_for_and_heard_whole(seed: int) -> None:
    line = quiet_line(seed)
    say(line, (1_200, "I would like a table for", 1_500), (900, "seven at noon.", 4_000))

    assert len(of(line, CommitInput)) == 2
    assert len(of(line, CreateResponse)) == 1
    assert created_ms(line)[0] > 500 + 1_200 + 1_500 + 900
    assert said(line) == ["I would like a table for", "seven at noon."]
    assert of(line, JudgeTurn)[-1] == JudgeTurn(
        "turn-2", "I would like a table for seven at noon.", ""
    )
    assert (ending(line).why, ending(line).pieces) == ("complete", 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_who_breaks_off_is_answered_after_the_longest_silence(seed: int) -> None:
    line = quiet_line(seed)
    say(line, (1_200, "I would like a table for", 4_000))

    found = ending(line)
    assert (found.why, found.verdict) == ("longest", False)
    assert 2_000 <= found.silence_ms <= 2_000 + 40


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_judge_the_silence_decides(seed: int) -> None:
    line = quiet_line(seed, settings=SILENCE)
    say(line, (1_200, "I would like a table for", 4_000))

    assert ending(line).why == "silence"
    assert 800 <= ending(line).silence_ms <= 840
    assert not of(line, JudgeTurn)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quiet_before_a_turn_is_forgotten_but_for_a_moment(seed: int) -> None:
    line = quiet_line(seed)
    line.run_for(20_000)
    say(line, (1_500, "When do you open?", 4_000))

    (forgotten,) = of(line, ClearInput)
    assert isinstance(forgotten, ClearInput)
    assert 300 + 100 <= forgotten.keep_ms <= 300 + 200
    assert said(line) == ["When do you open?"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cough_while_nobody_speaks_is_not_answered(seed: int) -> None:
    line = quiet_line(seed)
    say(line, (400, "", 4_000))

    assert not of(line, CreateResponse)
    assert len(of(line, DeleteItem)) == 1
    assert not line.model.turns
    assert ending(line).why == "nothing_said"
    say(line, (1_500, "When do you open?", 4_000))
    assert len(of(line, CreateResponse)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_voice_without_words_is_answered(seed: int) -> None:
    line = quiet_line(seed)
    say(line, (1_500, "", 4_000))

    assert len(of(line, CreateResponse)) == 1


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_interruption_is_a_turn_and_a_cough_is_none(seed: int, delay_ms: int) -> None:
    line = quiet_line(seed, delay_ms)
    say(line, (1_500, "When do you open?", 2_000), (400, "", 5_000))

    assert [claim.decision for claim in line.call.timeline.claims] == ["resume"]
    assert len(of(line, CreateResponse)) == 1
    assert not of(line, CancelResponse)

    say(line, (1_500, "And when do you close?", 1_500), (1_600, "I mean on Friday.", 6_000))
    assert line.call.timeline.claims[-1].decision == "yield"
    assert said(line)[-2:] == ["And when do you close?", "I mean on Friday."]
    assert len(of(line, CreateResponse)) == 3
    assert not line.model.refused


@pytest.mark.parametrize("seed", SEEDS)
def test_a_caller_who_goes_on_while_the_agent_thinks_is_answered_anew(seed: int) -> None:
    line = quiet_line(seed)
    line.model.script[0] = Answer((Say("a", 2_000),), think_ms=800)
    line.judge = lambda text: True
    say(line, (1_200, "I would like a table.", 1_100), (1_300, "For seven.", 5_000))

    assert [claim.situation for claim in line.call.timeline.claims] == ["thinking"]
    assert len(of(line, CreateResponse)) == 2
    assert "a" not in line.model.items or line.heard("a") == 0
    assert line.heard("b") == 2_000 * BYTES_PER_MS


@pytest.mark.parametrize("at_ms", range(100, 3_000, 100))
def test_a_turn_outlives_the_session_it_was_said_to(at_ms: int) -> None:
    line = quiet_line(at_ms)
    line.on_open = _go_on_with
    line.voice(1_500, "When do you open?")
    line.run_for(at_ms)
    line.drop()
    line.run_for(5_000)

    assert not line.broken
    assert said(line) in (["When do you open?"], [""])
    if said(line) == [""]:  # its audio was told
        (entry,) = (e for taken in line.shell.taken for e in taken.entries if e.kind == "caller")
        assert entry.audio_start_ms is not None
    answers = [e for m in line.legs.values() for e in m.items.values() if e.generated]
    assert answers
    assert not line.call.floor.caller_speaking


def _go_on_with(model: Model, leg: int) -> None:
    model.decides = model.server_answers = model.server_cancels = False
    model.script.append(Answer((Say(f"later-{leg}", 1_000),)))


def test_what_was_too_short_to_be_committed_is_not_waited_for() -> None:
    line = quiet_line(0)
    line.model.command = lambda command: None  # type: ignore[method-assign]
    line.voice(900, "Hello.")
    line.run_for(1_400)
    line.deliver(ModelFault("input_audio_buffer_commit_empty", "", "harmless", "commit-voice-1"))
    line.run_for(1_000)

    assert ending(line).pieces == 0
    assert not line.call.floor.caller_speaking


def test_the_record_tells_what_the_verdicts_cost() -> None:
    price = Prices(1.0, 0.5, 0.0, 0.0, 4.0, 0.0)
    line = quiet_line(0, settings=replace(SETTINGS, judge_prices=price))
    line.judge_ms = 10_000
    line.voice(1_200, "I would like")
    line.run_for(1_200 + 750)
    line.deliver(TurnJudged("turn-1", False, Usage(input_text_tokens=200, output_text_tokens=1)))
    line.run_for(3_000)

    assert ending(line).judge_usd == pytest.approx(204e-6)
    assert line.call.bill.usd == pytest.approx(204e-6)


AHEAD = replace(SETTINGS, turn_end=TurnEndSettings(judge=True, ahead=True))


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_ahead_is_heard_as_soon_as_the_turn_is_over(seed: int, delay_ms: int) -> None:
    line = quiet_line(seed, delay_ms, AHEAD)
    say(line, (1_500, "When do you open?", 5_000))

    found = ending(line)
    assert found.ahead_ms is not None and found.ahead_ms >= 50
    assert created_ms(line)[0] < caller_turn(line).stamps[Stamp.VAD_DECIDED]
    assert line.frames_of("a")[0] >= caller_turn(line).stamps[Stamp.VAD_DECIDED]
    assert line.heard("a") == 2_000 * BYTES_PER_MS
    assert len(of(line, CreateResponse)) == 1
    assert not line.model.refused


@pytest.mark.parametrize("think_ms", [50, 200, 900, 1_400, 3_000])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_ahead_is_taken_back_when_the_caller_goes_on(seed: int, think_ms: int) -> None:
    line = quiet_line(seed, settings=AHEAD)
    line.model.script[0] = Answer((Say("a", 2_000, text="Too early."),), think_ms=think_ms)
    say(line, (1_200, "I would like a table for", 1_500), (900, "seven at noon.", 6_000))

    assert ending(line).taken_back == 1
    assert len(of(line, CreateResponse)) == 2
    assert "a" not in line.model.items or (line.heard("a") == 0 and line.model.items["a"].deleted)
    assert line.heard("b") == 2_000 * BYTES_PER_MS
    agents = [str(one) for one in line.call.transcript.lines if one.speaker == "agent"]
    assert [text for text in agents if text] == ["word word word word word word word word"]
    assert not line.model.refused


@pytest.mark.parametrize("goes_on", [True, False])
def test_tools_of_an_answer_ahead_wait_for_the_end_of_the_turn(goes_on: bool) -> None:
    line = quiet_line(1, settings=AHEAD)
    call = ToolCall("call-1", "item-1", "book", "{}")
    line.model.script.appendleft(Answer(tools=(call,), think_ms=100))
    more = [(900, "seven at noon.", 4_000)] if goes_on else []
    say(line, (1_200, "I would like a table for", 1_500 if goes_on else 4_000), *more)

    ran = of(line, RunTool)
    if goes_on:
        assert not ran
        assert DeleteItem("delete-item-1", "item-1") in of(line, DeleteItem)
    else:
        (run_ms,) = (t for t, _, c in line.shell.log if any(isinstance(x, RunTool) for x in c))
        assert run_ms == caller_turn(line).stamps[Stamp.VAD_DECIDED]
        assert len(of(line, CreateResponse)) == 2, "and one for the tool's output"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_without_words_gets_no_answer_ahead(seed: int) -> None:
    line = quiet_line(seed, settings=AHEAD)
    say(line, (400, "", 4_000))

    assert ending(line).why == "nothing_said"
    assert "a" not in line.model.items or line.heard("a") == 0
    say(line, (1_500, "When do you open?", 5_000))
    assert line.heard("b") == 2_000 * BYTES_PER_MS


@pytest.mark.parametrize("at_ms", range(1_600, 3_000, 50))
def test_a_key_pressed_meanwhile_leaves_no_turn_without_an_answer(at_ms: int) -> None:
    keys = replace(AHEAD, floor=FloorSettings(by="voice", keys=True))
    line = quiet_line(at_ms, settings=keys)
    line.voice(1_500, "I would like to")
    line.run_for(at_ms)
    asked = line.call.responses.busy
    line.deliver(KeyPressed("1"))
    line.run_for(8_000)

    decided_ms = caller_turn(line).stamps[Stamp.VAD_DECIDED]
    if asked and decided_ms > at_ms:
        assert decided_ms in created_ms(line)
    assert any(line.heard(name) == 2_000 * BYTES_PER_MS for name in line.model.items)
    assert line.call.responses.still


@pytest.mark.parametrize("at_ms", range(1_600, 3_600, 100))
def test_an_answer_ahead_outlives_its_session(at_ms: int) -> None:
    line = quiet_line(at_ms, settings=AHEAD)
    line.on_open = _go_on_with
    line.voice(1_500, "When do you open?")
    line.run_for(at_ms)
    line.drop()
    line.run_for(8_000)

    assert sum(line.heard(name) for m in line.legs.values() for name in m.items) >= 8_000
    assert not line.call.floor.caller_speaking
    assert line.call.responses.still
