"""Invariant: a target that nothing was measured for is missed, and one missed target shows in the
section and in the exit code."""

import io

import pytest
from rich.console import Console

from bench import relay
from bench.relay_figures import (
    Findings,
    Target,
    at_least,
    none_of,
    p95_within,
    p95_words_within,
    percentile,
    show,
    spread,
)


def test_targets_say_whether_they_are_met() -> None:
    assert (none_of("x", 0).met, none_of("x", 1).met) == (True, False)
    assert (at_least("x", 3, 3).met, at_least("x", 3, 2).met) == (True, False)
    assert p95_within("x", 100, [50.0] * 19 + [500.0]).met is False
    assert p95_within("x", 100, [50.0] * 39 + [500.0]).met is True


def test_words_off_count_either_way() -> None:
    assert p95_words_within("x", 1, [0] * 17 + [-1, 1, -1]).met is True
    assert p95_words_within("x", 1, [0] * 17 + [-2, 1, -2]).met is False
    assert p95_words_within("x", 1, []).met is False


def test_what_was_never_measured_is_not_met() -> None:
    assert p95_within("x", 100, []).met is False
    assert spread("x", []) == ["x", "0", "-", "-", "-"]
    assert percentile([], 0.5) == 0.0


def test_one_missed_target_is_a_missed_section() -> None:
    met, missed = Target("a", "0", "0", True), Target("b", "0", "7", False)
    assert Findings("t", (met,)).met
    assert not Findings("t", (met, missed)).met


def shown(findings: Findings) -> str:
    out = io.StringIO()
    show(findings, Console(file=out, width=100))
    return out.getvalue()


def test_what_is_shown_tells_of_misses_faults_and_a_busy_machine() -> None:
    notes = tuple(f"call {number}: fault" for number in range(14))
    text = shown(Findings("t", (none_of("b", 7),), (), notes, lag_ms=21.0))
    assert "MISSED" in text and "call 11: fault" in text and "and 2 more" in text
    assert "The machine was busy" in text
    assert "The machine was busy" not in shown(Findings("t", (), lag_ms=19.0))


def test_a_section_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert relay.main(["--quick", "earthquakes"]) == 2
    assert "no such section: earthquakes; there are rollovers" in capsys.readouterr().out
