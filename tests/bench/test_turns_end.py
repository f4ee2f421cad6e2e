"""Invariant: every way to end a turn hears the same callers, and one who got no answer
shows."""

from bench.turns_end import WAYS, Turned, act_of, findings


def test_each_way_hears_the_same_caller() -> None:
    scripts = {act_of(way, 3, 0).script for way in WAYS}
    assert len(scripts) == 1
    assert len({act_of(way, 3, 0).turns for way in WAYS}) == len(WAYS)
    assert act_of(next(iter(WAYS)), 4, 0).script not in scripts


def test_no_answer_is_a_missed_target() -> None:
    good = [Turned(way, 520.0, 900.0, False, 0, (), 1.0) for way in WAYS]
    assert findings(good).met
    assert not findings([*good[1:], Turned(good[0].way, None, None, False, 0, (), 1.0)]).met
    assert not findings([]).met
