"""The echo bench counts what the judge says, holds it against its targets, and says so."""

import pytest
from rich.console import Console

from bench.echo import Figures, Goal, interrupted_table, main, measure, taken_for_a_caller
from bench.echo_line import Condition, cases
from bench.echo_passages import NEVER_MS, Passage, passages

ECHO = Goal(Condition("echo"), at_least=0.98)
CALLER = Goal(Condition("caller", None, caller_db=0.0), at_most=0.005)


def figures(goal: Goal, *shares: float, window_ms: int = 300, cpu_ms: float = 1.0) -> Figures:
    return Figures(goal, window_ms, shares, cpu_ms)


def test_the_same_seed_gives_the_same_cases() -> None:
    condition = Condition("both", caller_db=0.0, noise_db=10.0)
    assert list(cases(condition, 300, 2, 1)) == list(cases(condition, 300, 2, 1))
    assert list(cases(condition, 300, 2, 1)) != list(cases(condition, 300, 2, 2))


def test_a_target_is_missed_when_it_is() -> None:
    assert not figures(ECHO, 0.9, 0.8).missed
    assert figures(ECHO, 0.9, 0.79).missed
    assert figures(CALLER, 0.1, 0.8).missed
    assert not figures(CALLER, 0.1, 0.2).missed
    assert figures(CALLER, 0.1, 0.2, cpu_ms=3.1).missed


def test_targets_are_for_the_window_that_is_recommended() -> None:
    assert not figures(ECHO, 0.1, window_ms=200).missed


def test_echoes_and_callers_are_told_apart() -> None:
    assert measure(ECHO, 300, 6, seed=1).called_echo() == 1.0
    assert measure(CALLER, 300, 6, seed=1).called_echo() == 0.0


def test_a_passage_counts_once_however_often_it_is_misjudged() -> None:
    held = [Passage(20, NEVER_MS, NEVER_MS), Passage(20, 60, NEVER_MS), Passage(20, 0, 60)]
    assert taken_for_a_caller(held) == pytest.approx(2 / 3)
    assert taken_for_a_caller(held, twice=True) == pytest.approx(1 / 3)


def test_a_caller_in_an_echo_is_noticed_and_an_echo_is_not() -> None:
    caller = list(passages(Condition("caller", caller_db=6.0), 3, seed=1))
    assert taken_for_a_caller(caller) == 1.0
    assert taken_for_a_caller(list(passages(Condition("echo"), 3, seed=1))) == 0.0


def test_who_is_never_noticed_is_shown_as_such() -> None:
    console = Console(width=100, record=True)
    never = [Passage(20, NEVER_MS, NEVER_MS)] * 3
    console.print(interrupted_table([(Condition("weak"), never)]))
    assert "never" in console.export_text()


def test_it_prints_every_condition(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--cases", "2", "--passages", "2", "--windows", "300"])
    printed = capsys.readouterr().out
    assert code == int("missed: " in printed)
    assert "echo, noise at 10 dB" in printed
    assert "caller 6 dB weaker" in printed
