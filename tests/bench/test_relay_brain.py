"""Invariant: the bench's model answers what waits in the conversation and nothing else, so that an
answer given twice or not at all is the bot's doing, never the bench's."""

from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON, context
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.coded import coded_audio
from bench.relay_brain import CodedEar, RelayBrain, Said
from bench.relay_talk import BACKGROUND, Plan, Utterance

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
    resumed = replies(instructions=AGENT + context("", in_progress=True))
    assert resumed[0] == ["g902.00 g902.01 g902.02"]
    assert [s.kind for s in resumed[1]] == ["empty"]


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
