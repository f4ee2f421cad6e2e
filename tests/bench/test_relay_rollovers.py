"""Invariant: each change of sessions counts in the moment in which it fell, and a silence is laid
to the deadline only where the deadline cut that answer."""

from bench.relay_account import Break
from bench.relay_rollovers import cut_by_the_deadline, kind_of
from bench.relay_stage import Taken


def test_an_interruption_just_then_makes_a_change_a_barge_in() -> None:
    taken = Taken(100.0, "operator", "bot speaking")
    assert kind_of(taken, []) == "bot speaking"
    assert kind_of(taken, [90.0, 101.0]) == "bot speaking"
    assert kind_of(taken, [99.7]) == kind_of(taken, [100.3]) == "barge-in"


def test_a_silence_belongs_to_the_cut_just_before_it() -> None:
    gap = Break(3, 10_000, 150)
    assert cut_by_the_deadline(gap, [9_200])
    assert not cut_by_the_deadline(gap, [])
    assert not cut_by_the_deadline(gap, [5_000, 10_200])
