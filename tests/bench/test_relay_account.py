"""Invariant: the account misses nothing that was lost, doubled, broken or forgotten, and finds
nothing where all was well."""

from array import array

from app.lab.phone.truth import Played
from app.lab.realtime.conversation import Item, Part
from app.lab.realtime.log import Append, SessionLog
from app.lab.speech.coded import coded_audio
from bench.relay_account import (
    answers_in,
    breaks_in,
    forgotten,
    latencies_ms,
    lost_frames,
    origin_s,
    planted,
    told_twice,
)
from bench.relay_agent import ToolRun
from bench.relay_brain import Said
from bench.relay_takes import Piece, pieces_of
from bench.relay_talk import BACKGROUND, GREETING, PREAMBLE, Plan, Spoken, Utterance, said_in
from bench.relay_words import from_ms, whole_ms

SILENCE_MS = b"\xff" * 8
PLAN = Plan(
    3,
    (
        Utterance(0, "the name is Bado", 600, 4),
        Utterance(1, "the number is 47-11", 600, 4, tool_ms=500),
        Utterance(2, "on 3 May at 10:15", 600, 4),
    ),
)


def sound(stream: int, start_ms: int, ms: int) -> bytes:
    return coded_audio(stream, start_ms, ms, quiet=False)


def said_at(utterance: int, began_s: float, ended_s: float) -> Spoken:
    return Spoken(utterance, began_s, ended_s)


def test_pieces_stand_where_they_sounded() -> None:
    audio = SILENCE_MS * 40 + sound(1, 0, 100) + SILENCE_MS * 60 + sound(1, 100, 40)
    assert pieces_of(audio, 500) == [Piece(1, 0, 100, 540), Piece(1, 100, 140, 700)]


def test_a_silence_in_what_belongs_together_is_a_break() -> None:
    pieces = [Piece(1, 0, 100, 0), Piece(1, 100, 200, 121), Piece(2, 0, 100, 900)]
    (found,) = breaks_in(pieces)
    assert (found.stream, found.at_ms, found.ms) == (1, 100, 21)


def test_a_frame_of_padding_another_answer_and_a_new_beginning_are_no_breaks() -> None:
    assert breaks_in([Piece(1, 0, 100, 0), Piece(1, 100, 200, 120)]) == []
    assert breaks_in([Piece(1, 0, 100, 0), Piece(2, 0, 50, 300), Piece(1, 100, 200, 900)]) == []
    assert breaks_in([Piece(1, 0, 100, 0), Piece(1, 0, 200, 900)]) == []


def test_a_late_tick_does_not_move_the_playout_clock() -> None:
    played = Played()
    played.ticked_s = array("d", [100.050, 100.020, 100.041])
    assert round(origin_s(played), 6) == 100.0


def test_frames_are_lost_that_no_session_heard_whole() -> None:
    sent = [(BACKGROUND, ms, 10 + ms / 1000) for ms in range(0, 200, 20)]
    first, second = sound(BACKGROUND, 0, 80), sound(BACKGROUND, 110, 90)
    assert [ms for _, ms, _ in lost_frames(sent, [first, second], 99)] == [80, 100]
    assert lost_frames(sent, [first, second, sound(BACKGROUND, 60, 60)], 99) == []


def test_what_was_sent_just_before_the_end_may_be_on_its_way() -> None:
    assert lost_frames([(BACKGROUND, 0, 10.0)], [], 10.5) == []
    assert len(lost_frames([(BACKGROUND, 0, 10.0)], [], 11.0)) == 1


def session(*texts: str, taken_s: float = 20.0, instructions: str = "") -> SessionLog:
    log = SessionLog("sess_1", "m", instructions=instructions)
    log.appends.append(Append(taken_s, 160))
    for number, text in enumerate(texts):
        part = Part("input_text", text)
        log.conversation.insert(Item(f"i{number}", "message", role="user", parts=[part]))
    return log


def test_a_fact_may_stand_in_the_summary_or_in_the_conversation() -> None:
    spoken = [said_at(0, 1, 2), said_at(1, 5, 6)]
    log = session(PLAN.text(1), instructions="Summary: the name is Bado")
    assert forgotten(log, PLAN, spoken, []) == []
    assert forgotten(session(PLAN.text(1)), PLAN, spoken, []) == [PLAN.text(0)]


def test_what_was_said_after_the_switch_and_a_session_that_never_carried_are_not_asked_for() -> (
    None
):
    spoken = [said_at(2, 21, 22)]
    assert forgotten(session(), PLAN, spoken, []) == []
    idle = session()
    idle.appends.clear()
    assert forgotten(idle, PLAN, [said_at(0, 1, 2)], []) == []


def test_a_session_that_fell_right_after_the_words_had_no_time_to_understand_them() -> None:
    log = session(taken_s=20.0)
    log.dropped_s = 20.4
    assert forgotten(log, PLAN, [said_at(0, 19, 19.5)], []) == []
    log.dropped_s = 22.0
    assert forgotten(log, PLAN, [said_at(0, 19, 19.5)], []) == [PLAN.text(0)]


def test_the_result_of_a_tool_is_a_fact_too() -> None:
    runs = [ToolRun("c03u01", 10, 11), ToolRun("c03u02", 19, None), ToolRun("c04u01", 1, 2)]
    assert forgotten(session(), PLAN, [], runs) == [PLAN.result(1)]
    assert forgotten(session(instructions=PLAN.result(1)), PLAN, [], runs) == []


def test_only_what_was_said_before_counts_as_planted() -> None:
    assert planted(PLAN, [said_at(0, 1, 2), said_at(1, 19, 21)], 20) == 1


def test_words_that_stand_twice_in_a_conversation_are_found() -> None:
    assert told_twice(session(PLAN.text(0), PLAN.text(1), PLAN.text(0)), PLAN) == [0]
    assert told_twice(session(PLAN.text(0), PLAN.text(1)), PLAN) == []


def whole(stream: int, at_ms: float) -> Piece:
    return part(stream, 0, None, at_ms)


def part(stream: int, first: int, end: int | None, at_ms: float) -> Piece:
    """From a word on, up to where another one would begin."""
    words = PLAN.words(*said_in(stream))
    end_ms = whole_ms(words) if end is None else words[end].began_ms
    return Piece(stream, from_ms(words, first), end_ms, at_ms)


def test_a_call_in_which_all_was_well() -> None:
    pieces = [
        Piece(GREETING, 0, 900, 100),
        whole(0, 3_000),
        Piece(PREAMBLE + 1, 0, 700, 7_000),
        whole(1, 9_000),
        whole(2, 13_000),
    ]
    spoken = [said_at(0, 101.5, 102.1), said_at(1, 105.5, 106.1), said_at(2, 111.5, 112.1)]
    found = answers_in(PLAN, pieces, spoken, [], (100.0, 120.0))
    assert (found.unanswered, found.twice, found.greetings) == ((), (), 1)
    assert (found.again, found.unsaid) == ((), 0)


def test_an_answer_begun_again_and_a_second_greeting_are_found() -> None:
    pieces = [
        part(GREETING, 0, 4, 100),
        whole(GREETING, 2_500),
        part(0, 0, None, 5_000),
        whole(0, 8_000),
    ]
    found = answers_in(PLAN, pieces, [said_at(0, 103.0, 104.0)], [], (100.0, 120.0))
    assert (found.twice, found.greetings, found.again) == ((0,), 2, (4, 4))


def test_an_answer_begun_again_after_hardly_anything_was_heard_is_one_answer() -> None:
    for end in range(4):
        pieces = [part(0, 0, end, 5_000), whole(0, 7_000)]
        found = answers_in(PLAN, pieces, [said_at(0, 103.0, 104.0)], [], (100.0, 120.0))
        assert (found.twice, found.again) == ((), (end,))


def test_words_that_nobody_answered_are_found() -> None:
    spoken = [said_at(0, 101.0, 102.0)]
    assert answers_in(PLAN, [], spoken, [], (100.0, 120.0)).unanswered == (0,)
    assert answers_in(PLAN, [], spoken, [], (100.0, 104.0)).unanswered == ()


def test_an_answer_that_the_caller_spoke_into_need_not_have_sounded() -> None:
    spoken = [said_at(0, 101.0, 102.0), said_at(1, 103.2, 103.9)]
    made = [Said(103.0, "answer", 3, 0)]
    pieces = [Piece(PREAMBLE + 1, 0, 700, 5_000), whole(1, 7_000)]
    assert answers_in(PLAN, pieces, spoken, made, (100.0, 120.0)).unanswered == ()
    late = [Said(112.0, "answer", 3, 0)]
    assert answers_in(PLAN, pieces, spoken, late, (100.0, 120.0)).unanswered == (0,)


def test_the_promise_before_a_tool_is_no_answer() -> None:
    spoken = [said_at(1, 101.0, 102.0)]
    pieces = [Piece(PREAMBLE + 1, 0, 700, 3_000)]
    assert answers_in(PLAN, pieces, spoken, [], (100.0, 120.0)).unanswered == (1,)


def test_words_left_out_of_an_answer_that_nobody_cut_are_counted() -> None:
    pieces = [part(0, 0, 1, 3_000), part(0, 2, None, 3_300)]
    uncut = answers_in(PLAN, pieces, [said_at(0, 101.0, 102.0)], [], (100.0, 120.0))
    assert (uncut.unsaid, uncut.again) == (1, (0,))
    spoken = [said_at(0, 101.0, 102.0), said_at(1, 103.1, 103.6)]
    assert answers_in(PLAN, pieces, spoken, [], (100.0, 120.0)).unsaid == 0


def test_a_latency_counts_from_the_last_word_to_the_first_sound() -> None:
    pieces = [Piece(PREAMBLE + 1, 0, 700, 2_800), whole(1, 6_000)]
    assert latencies_ms(pieces, [said_at(1, 101.0, 102.0)], 100.0) == {1: 800.0}
