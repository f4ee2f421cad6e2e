"""Invariant: the cases are the same for the same seed, as many for each line, and hold enough true
interruptions and enough sounds that are none for the targets to mean something."""

from collections import Counter

from app.lab.phone.script import Interrupt
from bench.turns_cases import CASES, CONDITIONS, act_of, cases, spoken_answer


def test_the_same_seed_makes_the_same_cases() -> None:
    assert cases(CASES, 0) == cases(CASES, 0)
    assert cases(CASES, 0) != cases(CASES, 1)
    first, again = act_of(cases(CASES, 0)[5]), act_of(cases(CASES, 0)[5])
    assert (first.script, first.impairments) == (again.script, again.impairments)


def test_there_are_enough_of_each() -> None:
    made = cases(CASES, 0)
    assert len(made) >= 400
    assert len({case.name for case in made}) == len(made)
    assert set(Counter(case.condition for case in made).values()) == {len(made) // len(CONDITIONS)}
    per_line = Counter(case.condition for case in made if case.kind == "interruption")
    assert min(per_line.values()) >= 25
    assert sum(case.kind != "interruption" and not case.hears_bot for case in made) >= 200


def test_every_line_is_impaired_as_its_name_says() -> None:
    for case in cases(CASES, 0):
        line = act_of(case).impairments
        assert (line.noise is not None) == case.condition.endswith("dB")
        assert (line.echo is not None) == (case.condition == "echo")
        assert (line.loss > 0) == (case.condition == "loss")
        assert (line.jitter_ms > 0) == (case.condition == "jitter")
        if case.condition == "jitter":
            assert case.delay_ms == 0, "its delay is its jitter"


def test_the_bot_speaks_with_a_voice_where_it_comes_back() -> None:
    for case in cases(CASES, 0):
        act = act_of(case)
        assert (act.first == spoken_answer()) == (case.condition == "echo")
        speaks = any(isinstance(step, Interrupt) for step in act.script.steps)
        assert speaks == (case.kind != "nobody")
