"""Invariant: the wait for the next word counts where words were owed, from when they were owed,
and all of the silence that the drop brought."""

from bench.relay_agent import ToolRun
from bench.relay_drops import Drop, longest_silence_ms, wait_ms
from bench.relay_stage import Moment
from bench.relay_takes import Piece
from bench.relay_talk import Spoken


def wait(
    moment: Moment,
    at_ms: int,
    *pieces: Piece,
    spoken: tuple[Spoken, ...] = (),
    runs: tuple[ToolRun, ...] = (),
) -> float | None:
    drop = Drop(100 + at_ms / 1000, "abort", moment)
    found = wait_ms(drop, pieces, spoken, runs, 100.0)
    return None if found is None else round(found, 3)


def test_a_thinking_model_owes_its_word_at_once() -> None:
    assert wait("thinking", 1_000, Piece(1, 0, 500, 1_450)) == 450


def test_a_caller_who_speaks_is_answered_after_their_last_word() -> None:
    spoken = (Spoken(0, 100.5, 102.0),)
    assert wait("caller speaking", 1_000, Piece(1, 0, 500, 2_900), spoken=spoken) == 400


def test_a_tool_that_runs_owes_its_answer_when_it_returns() -> None:
    runs = (ToolRun("c00u00", 100.5, 103.0),)
    assert wait("tool running", 1_000, Piece(1, 0, 500, 3_300), runs=runs) == 300


def test_nothing_is_owed_in_quiet_or_when_the_whole_answer_has_come() -> None:
    assert wait("quiet", 1_000, Piece(1, 0, 500, 2_000)) is None
    assert wait("bot speaking", 1_000, Piece(1, 0, 500, 900)) is None


def test_a_caller_who_takes_the_floor_before_the_word_is_not_waiting() -> None:
    spoken = (Spoken(0, 101.2, 102.0),)
    assert wait("thinking", 1_000, Piece(1, 0, 500, 2_900), spoken=spoken) is None


def test_no_word_ever_is_no_wait_of_nothing() -> None:
    assert wait("thinking", 1_000) is None
    assert wait("answer arriving", 1_000) is None


def test_in_mid_answer_the_longest_silence_counts() -> None:
    pieces = (Piece(1, 0, 500, 800), Piece(1, 500, 700, 1_900), Piece(1, 700, 900, 2_150))
    assert wait("answer arriving", 1_000, *pieces) == 600


def test_in_mid_answer_a_buffer_that_ran_dry_counts_from_the_drop() -> None:
    assert longest_silence_ms([Piece(1, 0, 100, 0), Piece(1, 100, 200, 1_700)], 1_000, 9_000) == 700


def test_what_came_after_the_caller_spoke_is_no_part_of_the_answer() -> None:
    pieces = [Piece(1, 0, 500, 800), Piece(2, 0, 500, 5_000)]
    assert longest_silence_ms(pieces, 1_000, 3_000) == 0


def test_a_tool_between_two_answers_is_no_silence_of_the_drop() -> None:
    pieces = [Piece(101, 0, 500, 800), Piece(1, 0, 500, 3_400)]
    assert longest_silence_ms(pieces, 1_000, 9_000, [(1_100, 3_000)]) == 400
