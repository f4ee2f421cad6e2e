"""Invariant: a wrong call makes its target missed and is named; targets without calls are missed;
an ear that hears the bot's own words is not counted among the false alarms of a sane one."""

from dataclasses import replace

import pytest

from bench import turns
from bench.turns_cases import Case
from bench.turns_floor import fault_of, findings, targets
from bench.turns_judge import Outcome, Stretch

INTERRUPTION = Outcome(
    Case("clean", "interruption", 0, 1, 0),
    ended=True,
    answered=True,
    onset_to_silence_ms=180.0,
    notice_to_silence_ms=30.0,
    stretches=(Stretch(0, 900),),
    told_ms=905,
    claims=("yield",),
)
COUGH = Outcome(
    Case("clean", "cough", 1, 2, 0),
    ended=False,
    answered=False,
    stretches=(Stretch(0, 900), Stretch(880, 5_000)),
    claims=("resume",),
)


def met(*found: Outcome) -> dict[str, bool]:
    return {f"{target.what} {target.wanted}": target.met for target in targets(found)}


def test_a_good_pair_meets_what_it_can_show() -> None:
    shown = met(INTERRUPTION, COUGH)
    assert shown["interruptions stopped, clean >= 99%"]
    assert shown["onset to silence, clean p50 <= 250 ms"]
    assert shown["onset to silence, clean p95 <= 400 ms"]
    assert shown["detection to silence p95 <= 100 ms"]
    assert shown["false interruptions that ended the answer <= 2%"]
    assert shown["resumed at the heard word >= 98%"]
    assert shown["truncation error, 0 ms delay p95 <= 20 ms"]
    assert fault_of(INTERRUPTION) == fault_of(COUGH) == ""


def test_nothing_measured_is_nothing_met() -> None:
    assert not any(met().values())


@pytest.mark.parametrize(
    ("outcome", "missed"),
    [
        (replace(INTERRUPTION, answered=False), "interruptions stopped, clean >= 99%"),
        (replace(INTERRUPTION, ended=False), "interruptions stopped, clean >= 99%"),
        (
            replace(INTERRUPTION, onset_to_silence_ms=420.0),
            "onset to silence, all lines p95 <= 400 ms",
        ),
        (replace(INTERRUPTION, notice_to_silence_ms=120.0), "detection to silence p95 <= 100 ms"),
        (replace(INTERRUPTION, told_ms=950), "truncation error, 0 ms delay p95 <= 20 ms"),
        (replace(COUGH, ended=True), "false interruptions that ended the answer <= 2%"),
        (
            replace(COUGH, stretches=(Stretch(0, 900), Stretch(960, 5_000))),
            "resumed at the heard word >= 98%",
        ),
    ],
)
def test_each_fault_misses_its_target(outcome: Outcome, missed: str) -> None:
    others = (COUGH,) if outcome.case.kind == "interruption" else (INTERRUPTION,)
    assert not met(outcome, *others)[missed]


def test_faults_are_named() -> None:
    assert "clean/cough/1" in fault_of(replace(COUGH, ended=True))
    assert "not stopped" in fault_of(replace(INTERRUPTION, ended=False))
    assert "no answer" in fault_of(replace(INTERRUPTION, answered=False))
    assert "before the caller" in fault_of(replace(INTERRUPTION, onset_to_silence_ms=-60.0))
    assert "silent after" in fault_of(replace(INTERRUPTION, onset_to_silence_ms=500.0))
    assert not fault_of(
        replace(
            INTERRUPTION,
            onset_to_silence_ms=500.0,
            case=replace(INTERRUPTION.case, delay_ms=150),
        )
    ), "the network's delay is not the bot's"
    notes = findings([replace(COUGH, ended=True, problems=("p",))]).notes
    assert len(notes) == 2


def test_an_ear_for_the_bots_words_is_shown_apart() -> None:
    case = Case("echo", "nobody", 3, 4, 0, hears_bot=True)
    wrong = replace(COUGH, case=case, ended=True)
    assert met(INTERRUPTION, COUGH, wrong)["false interruptions that ended the answer <= 2%"]


def test_a_section_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert turns.main(["nowhere"]) == 2
    assert "floor" in capsys.readouterr().out
