"""The section `floor` of `bench.turns`: who has it when the caller is heard over the bot."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.table import Table

from bench.relay_figures import Findings, Target, p95_within, percentile, table
from bench.turns_cases import CASES, CONDITIONS, QUICK_CASES, act_of, cases
from bench.turns_judge import Outcome, judge
from bench.turns_stage import held_again, hold_all, keep

STOPPED_CLEAN: Final = 0.99
STOPPED_10_DB: Final = 0.97
ONSET_P50_MS: Final = 250
ONSET_P95_MS: Final = 400
NOTICE_MS: Final = 100
FALSE_SHARE: Final = 0.02
RESUMED_SHARE: Final = 0.98
TRUNCATION_P95_MS: Final = 20


async def run(*, quick: bool, seed: int) -> Findings:
    """Hold all cases and set their figures beside the targets."""
    wanted = cases(QUICK_CASES if quick else CASES, seed)
    by_name = {case.name: case for case in wanted}
    found: list[Outcome] = []
    async for held in hold_all([act_of(case) for case in wanted]):
        outcome = judge(by_name[held.act.name], held)
        found.append(outcome)
        if fault_of(outcome):
            keep(held)
    return findings(found)


def findings(found: Sequence[Outcome]) -> Findings:
    lags = [one.lag_ms for one in found]
    notes = [note for one in found if (note := fault_of(one))]
    notes += [problem for one in found for problem in one.problems]
    return Findings(
        f"The floor: {len(found)} calls{held_again(sum(one.again for one in found))}",
        targets(found),
        (_stopped_table(found), _false_table(found), _kinds_table(found), _truncation_table(found)),
        tuple(notes),
        max(lags, default=0.0),
        percentile(lags, 0.5),
    )


def fault_of(one: Outcome) -> str:
    """What went wrong in this call; "" for nothing."""
    decided = ", ".join(one.claims) or "no claim"
    where = f"{one.case.name} (delay {one.case.delay_ms} ms; {decided}; to {one.heard_ms} ms)"
    if interrupts(one):
        if not one.stopped:
            return f"{where}: not stopped" if not one.ended else f"{where}: stopped, no answer"
        if one.onset_to_silence_ms is not None and one.onset_to_silence_ms < 0:
            return f"{where}: silent {-one.onset_to_silence_ms:.0f} ms before the caller spoke"
        late = one.onset_to_silence_ms is not None and (
            one.onset_to_silence_ms - 2 * one.case.delay_ms > ONSET_P95_MS
        )
        return f"{where}: silent after {one.onset_to_silence_ms:.0f} ms" if late else ""
    if one.ended:
        return f"{where}: ended by what was no interruption"
    return "" if one.resumed_well else f"{where}: resumed elsewhere: {one.stretches}"


def interrupts(one: Outcome) -> bool:
    return one.case.kind == "interruption"


def counted_as_false(one: Outcome) -> bool:
    """An ear that takes the bot's own words for the caller's is shown apart."""
    return not interrupts(one) and not one.case.hears_bot


def targets(found: Sequence[Outcome]) -> tuple[Target, ...]:
    true = [one for one in found if interrupts(one)]
    false = [one for one in found if counted_as_false(one)]
    held = [one for one in false if one.held]
    notices = [ms for one in true if (ms := one.notice_to_silence_ms) is not None]
    return (
        _share("interruptions stopped, clean", STOPPED_CLEAN, _in(true, "clean"), _is_stopped),
        _share("interruptions stopped, 10 dB", STOPPED_10_DB, _in(true, "10 dB"), _is_stopped),
        *_onset_targets("clean", _in(true, "clean")),
        *_onset_targets("all lines", [one for one in true if one.case.condition != "jitter"]),
        p95_within("detection to silence", NOTICE_MS, notices),
        _most("false interruptions that ended the answer", FALSE_SHARE, false, _is_ended),
        _share("resumed at the heard word", RESUMED_SHARE, held, _is_resumed),
        *(
            p95_within(f"truncation error, {delay} ms delay", TRUNCATION_P95_MS, errors)
            for delay, errors in _errors(found).items()
        ),
    )


def _onset_targets(what: str, found: Sequence[Outcome]) -> tuple[Target, ...]:
    values = _onsets([one for one in found if one.case.delay_ms == 0])
    middle_ms = percentile(values, 0.5)
    met = bool(values) and middle_ms <= ONSET_P50_MS
    shown = f"{middle_ms:.0f} ms of {len(values)}" if values else "nothing measured"
    return (
        Target(f"onset to silence, {what}", f"p50 <= {ONSET_P50_MS} ms", shown, met),
        p95_within(f"onset to silence, {what}", ONSET_P95_MS, values),
    )


def _is_stopped(one: Outcome) -> bool:
    return one.stopped


def _is_ended(one: Outcome) -> bool:
    return one.ended


def _is_resumed(one: Outcome) -> bool:
    return one.resumed_well


def _in(found: Sequence[Outcome], condition: str) -> list[Outcome]:
    return [one for one in found if one.case.condition == condition]


def _onsets(found: Sequence[Outcome]) -> list[float]:
    return [ms for one in found if (ms := one.onset_to_silence_ms) is not None]


def _errors(found: Sequence[Outcome]) -> dict[int, list[float]]:
    """Truncation errors by the one-way delay."""
    return {
        delay: [
            float(error)
            for one in found
            if one.case.delay_ms == delay and (error := one.truncation_error_ms) is not None
        ]
        for delay in (0, 40, 150)
    }


def _count(found: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> int:
    return sum(map(holds, found))


def _share(
    what: str, wanted: float, found: Sequence[Outcome], holds: Callable[[Outcome], bool]
) -> Target:
    good = _count(found, holds)
    met = bool(found) and good >= wanted * len(found)
    return Target(what, f">= {wanted:.0%}", _shown(good, len(found)), met)


def _most(
    what: str, wanted: float, found: Sequence[Outcome], holds: Callable[[Outcome], bool]
) -> Target:
    bad = _count(found, holds)
    met = bool(found) and bad <= wanted * len(found)
    return Target(what, f"<= {wanted:.0%}", _shown(bad, len(found)), met)


def _shown(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "-"


def _stopped_table(found: Sequence[Outcome]) -> Table:
    rows = []
    for condition in CONDITIONS:
        true = [one for one in _in(found, condition) if interrupts(one)]
        onsets = _onsets([one for one in true if one.case.delay_ms == 0])
        notices = [ms for one in true if (ms := one.notice_to_silence_ms) is not None]
        rows.append(
            [
                condition,
                f"{_count(true, _is_stopped)} of {len(true)}",
                *_middle_and_p95(onsets),
                *_middle_and_p95(notices),
                str(sum(one.held for one in true)),
                str(sum(one.not_understood for one in true)),
            ]
        )
    columns = (
        "line",
        "stopped",
        "onset to silence p50",
        "p95",
        "notice to silence p50",
        "p95",
        "held and resumed first",
        "not understood",
    )
    return table("True interruptions (onset to silence: calls without delay)", columns, rows)


def _false_table(found: Sequence[Outcome]) -> Table:
    rows = []
    for condition in CONDITIONS:
        false = [one for one in _in(found, condition) if counted_as_false(one)]
        echoed = [one for one in _in(found, condition) if one.case.hears_bot]
        held = [one for one in false if one.held]
        rows.append(
            [
                condition,
                str(len(false)),
                str(_count(false, _is_ended)),
                str(len(held)),
                str(_count(held, _is_resumed)),
                f"{_count(echoed, _is_ended)} of {len(echoed)}" if echoed else "",
            ]
        )
    columns = ("line", "calls", "ended", "held", "resumed well", "ended, its words heard")
    return table("Sounds that are no interruption, and nobody", columns, rows)


def _kinds_table(found: Sequence[Outcome]) -> Table:
    rows = []
    for kind in ("cough", "breath", "backchannel", "nobody"):
        false = [one for one in found if one.case.kind == kind and counted_as_false(one)]
        claimed = sum(bool(one.claims) for one in false)
        rows.append(
            [
                kind,
                str(len(false)),
                str(claimed),
                str(sum(one.held for one in false)),
                str(_count(false, _is_ended)),
            ]
        )
    return table("By sound", ("sound", "calls", "noticed", "held", "ended"), rows)


def _truncation_table(found: Sequence[Outcome]) -> Table:
    rows = [
        [f"{delay} ms", str(len(errors)), *_middle_and_p95(errors), f"{max(errors, default=0):.0f}"]
        for delay, errors in _errors(found).items()
    ]
    columns = ("delay", "answers cut", "p50", "p95", "max")
    return table("Truncation: |ms the model was told - ms heard|", columns, rows)


def _middle_and_p95(values: Sequence[float]) -> tuple[str, str]:
    if not values:
        return "-", "-"
    return f"{percentile(values, 0.5):.0f}", f"{percentile(values, 0.95):.0f}"
