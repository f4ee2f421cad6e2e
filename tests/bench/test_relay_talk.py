"""Invariant: the bench's model answers what waits in the conversation and nothing else, so that an
answer given twice or not at all is the bot's doing, never the bench's."""

from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON, context
from app.lab.phone.script import HangUp, Interrupt
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.coded import coded_audio
from bench.relay_agent import runs_of
from bench.relay_talk import (
    BACKGROUND,
    CodedEar,
    Plan,
    RelayBrain,
    Said,
    Utterance,
    Voice,
    make_plan,
)

PLAN = Plan(
    7,
    (
        Utterance(0, "the name is Bado", 600, 4),
        Utterance(1, "the number is 47-11", 600, 4, tool_ms=500),
        Utterance(2, "on 3 May at 10:15", 600, 4),
    ),
)
AGENT = "You take messages."
ASKED = Turn("user", PLAN.text(0))
ASKED_TOOL = Turn("user", PLAN.text(1))
PROMISE = Turn("assistant", "p01.00 p01.01 p01.02")
CALLED = Turn("function_call", '{"token": "c07u01", "takes_ms": 500}', name="look_up")


def replies(*conversation: Turn, instructions: str = AGENT) -> tuple[list[str], list[Said]]:
    log: list[Said] = []
    given = RelayBrain({7: PLAN}, log).reply(conversation, instructions)
    return [_short(output) for output in given], log


def _short(output: Output) -> str:
    if isinstance(output, CallFunction):
        return f"call {output.arguments['token']}"
    assert isinstance(output, Say)
    return output.text


def test_it_greets_once_and_never_in_a_call_in_progress() -> None:
    assert replies()[0] == ["g900.00 g900.01 g900.02 g900.03 g900.04 g900.05"]
    assert replies(instructions=AGENT + context("", in_progress=True))[0] == []


def test_it_answers_what_waits_oldest_first() -> None:
    said, log = replies(ASKED, Turn("user", PLAN.text(2)))
    assert said == ["a00.00 a00.01 a00.02 a00.03", "a02.00 a02.01 a02.02 a02.03"]
    assert [(s.kind, s.call, s.utterance) for s in log] == [("answer", 7, 0), ("answer", 7, 2)]


def test_an_answer_for_a_tool_comes_when_the_tool_has_returned() -> None:
    assert replies(ASKED_TOOL)[0] == ["p01.00 p01.01 p01.02", "call c07u01"]
    returned = Turn("function_call_output", PLAN.result(1))
    assert replies(ASKED_TOOL, PROMISE, CALLED, returned)[0] == ["a01.00 a01.01 a01.02 a01.03"]
    unknown = Turn("function_call_output", "it is not known whether it took effect")
    assert replies(ASKED_TOOL, PROMISE, CALLED, unknown)[0] == ["a01.00 a01.01 a01.02 a01.03"]


def test_told_to_go_on_it_finishes_what_it_was_saying() -> None:
    heard = Turn("assistant", "a00.00 a00.01 [interrupted]")
    assert replies(ASKED, heard, instructions=GO_ON)[0] == ["a00.01 a00.02 a00.03"]
    promised = Turn("assistant", "p01.00 [interrupted]")
    said, _ = replies(ASKED_TOOL, promised, instructions=GO_ON)
    assert said == ["p01.00 p01.01 p01.02", "call c07u01"]


def test_what_the_caller_cut_is_not_said_again() -> None:
    heard = Turn("assistant", "a00.00 a00.01 [interrupted]")
    assert replies(ASKED, heard, Turn("user", PLAN.text(2)))[0] == ["a02.00 a02.01 a02.02 a02.03"]
    forgotten = Turn("assistant", "")
    said, _ = replies(ASKED, forgotten, Turn("user", PLAN.text(2)))
    assert said == ["a02.00 a02.01 a02.02 a02.03"]


def test_an_answer_asked_for_without_need_shows_in_the_log() -> None:
    whole = Turn("assistant", "a00.00 a00.01 a00.02 a00.03")
    assert [s.kind for s in replies(ASKED, whole)[1]] == ["again"]


def test_told_that_the_line_broke_it_says_so_first() -> None:
    said, log = replies(ASKED, instructions=f"{AGENT}\n{CUT_OFF_BY_THE_LINE}")
    assert said[1:] == ["a00.00 a00.01 a00.02 a00.03"]
    assert [s.kind for s in log] == ["phrase", "answer"]


async def test_the_ear_knows_the_words_by_their_code() -> None:
    ear = CodedEar({7: PLAN})
    voice = coded_audio(PLAN.stream(1), 0, 300, quiet=False)
    quiet = coded_audio(BACKGROUND + 7, 0, 100, quiet=True)
    assert await ear.hear(quiet + voice, ()) == PLAN.text(1)
    assert await ear.hear(quiet, ()) == "(nothing)"


def test_the_same_seed_makes_the_same_call_and_every_fact_differs() -> None:
    plan = make_plan(5, 1, 12)
    assert plan == make_plan(5, 1, 12) != make_plan(5, 2, 12)
    assert len({said.fact for said in plan.utterances}) == 12
    assert not any(
        after.interrupts_ms
        for before, after in zip(plan.utterances, plan.utterances[1:], strict=False)
        if before.tool_ms
    )


def test_a_script_says_everything_and_hangs_up() -> None:
    script, _ = make_plan(5, 1, 12).script(quiet_ms=500)
    spoken = [step for step in script.steps if getattr(step, "audio", None)]
    assert len(spoken) == 12
    assert any(isinstance(step, Interrupt) for step in spoken)
    assert isinstance(script.steps[-1], HangUp)


def test_the_line_numbers_every_frame_and_tells_what_met_no_stream() -> None:
    voice = Voice(PLAN)
    speech = coded_audio(PLAN.stream(0), 0, 40, quiet=False)
    voice(0, None)
    voice(1, speech[:160])
    voice(-1, speech[160:])
    voice(-1, None)
    voice(0, None)
    assert [frame[:2] for frame in voice.sent] == [
        (BACKGROUND + 7, 0),
        (PLAN.stream(0), 0),
        (BACKGROUND + 7, 20),
    ]
    assert [s.unsent_frames for s in voice.spoken] == [1]


def test_a_run_of_the_tool_is_read_from_its_lines() -> None:
    lines = ["begin c07u01 1.0 9", "begin c07u02 2.0 9", "end c07u01 3.0 9", "begin c07u01 4.0 8"]
    runs = runs_of(lines)
    assert [(r.token, r.began_s, r.ended_s) for r in runs] == [
        ("c07u01", 1.0, 3.0),
        ("c07u02", 2.0, None),
        ("c07u01", 4.0, None),
    ]
