"""Invariant: the bench's model answers what waits in the conversation and nothing else, so that an
answer given twice or not at all is the bot's doing, never the bench's."""

from app.call.summary import CUT_OFF_BY_THE_LINE, GO_ON, context
from app.lab.realtime.ports import CallFunction, Output, Say, Turn
from app.lab.speech.coded import coded_audio, decode_coded
from bench.relay_brain import CodedEar, RelayBrain, Said
from bench.relay_talk import BACKGROUND, GREETING, PARDON, Plan, Utterance, words_apart
from bench.relay_words import Letter, from_ms, text_of, whole_ms

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
CALLED = Turn("function_call", '{"token": "c07u01", "takes_ms": 500}', name="look_up")


def said(letter: Letter, number: int, first: int = 0, last: int | None = None) -> str:
    """Some words of the agent's."""
    words = words_apart(number) if letter == "g" else PLAN.words(letter, number)
    return text_of(words[:last], first)


def heard(text: str) -> Turn:
    return Turn("assistant", text)


PROMISE = heard(said("p", 1))


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
    assert replies()[0] == [said("g", GREETING)]
    resumed = replies(instructions=AGENT + context("", in_progress=True))
    assert resumed[0] == [said("g", PARDON)]
    assert [s.kind for s in resumed[1]] == ["empty"]


def test_it_answers_what_waits_oldest_first() -> None:
    given, log = replies(ASKED, Turn("user", PLAN.text(2)))
    assert given == [said("a", 0), said("a", 2)]
    assert [(s.kind, s.call, s.utterance) for s in log] == [("answer", 7, 0), ("answer", 7, 2)]


def test_an_answer_for_a_tool_comes_when_the_tool_has_returned() -> None:
    assert replies(ASKED_TOOL)[0] == [said("p", 1), "call c07u01"]
    returned = Turn("function_call_output", PLAN.result(1))
    assert replies(ASKED_TOOL, PROMISE, CALLED, returned)[0] == [said("a", 1)]
    unknown = Turn("function_call_output", "it is not known whether it took effect")
    assert replies(ASKED_TOOL, PROMISE, CALLED, unknown)[0] == [said("a", 1)]


def test_told_to_go_on_it_finishes_what_it_was_saying() -> None:
    cut = heard(said("a", 0, 0, 2) + " [interrupted]")
    assert replies(ASKED, cut, instructions=GO_ON)[0] == [said("a", 0, 1)]
    whole_words = heard(said("a", 0, 0, 2))
    assert replies(ASKED, whole_words, instructions=GO_ON)[0] == [said("a", 0, 2)]
    promised = heard(said("p", 1, 0, 1) + " [interrupted]")
    given, _ = replies(ASKED_TOOL, promised, instructions=GO_ON)
    assert given == [said("p", 1), "call c07u01"]


def test_a_greeting_that_broke_off_is_gone_on_with() -> None:
    cut = heard(said("g", GREETING, 0, 3) + " [interrupted]")
    assert replies(cut, instructions=GO_ON)[0] == [said("g", GREETING, 2)]
    assert replies(heard(said("g", GREETING)), instructions=GO_ON)[0] == [said("g", PARDON)]


def test_what_the_caller_cut_is_not_said_again() -> None:
    cut = heard(said("a", 0, 0, 2) + " [interrupted]")
    assert replies(ASKED, cut, Turn("user", PLAN.text(2)))[0] == [said("a", 2)]
    given, _ = replies(ASKED, heard(""), Turn("user", PLAN.text(2)))
    assert given == [said("a", 2)]


def test_an_answer_asked_for_without_need_shows_in_the_log() -> None:
    assert [s.kind for s in replies(ASKED, heard(said("a", 0)))[1]] == ["again"]


def test_told_that_the_line_broke_it_says_so_first() -> None:
    given, log = replies(ASKED, instructions=f"{AGENT}\n{CUT_OFF_BY_THE_LINE}")
    assert given[1:] == [said("a", 0)]
    assert [s.kind for s in log] == ["phrase", "answer"]


def test_an_item_begins_a_breath_before_its_first_word() -> None:
    given = RelayBrain({7: PLAN}, []).reply([ASKED, heard(said("a", 0, 0, 2))], AGENT + GO_ON)
    assert isinstance(given[0], Say)
    assert given[0].audio is not None
    (run,) = decode_coded(given[0].audio)
    words = PLAN.words("a", 0)
    assert (run.stream_id, run.start_ms, run.end_ms) == (0, from_ms(words, 2), whole_ms(words))


async def test_the_ear_knows_the_words_by_their_code() -> None:
    ear = CodedEar({7: PLAN})
    voice = coded_audio(PLAN.stream(1), 0, 300, quiet=False)
    quiet = coded_audio(BACKGROUND + 7, 0, 100, quiet=True)
    assert await ear.hear(quiet + voice, ()) == PLAN.text(1)
    assert await ear.hear(quiet, ()) == "(nothing)"
