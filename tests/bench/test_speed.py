"""Ratios are taken within a round, percentiles over all; remarks say what was kept and missed."""

import pytest
from rich.console import Console

from bench.load_contenders import Run
from bench.load_figures import Faults, Window
from bench.speed import Row, cost_table, remarks, row


def run(name: str, cpu_s: float, to_model_s: list[float], faults: Faults | None = None) -> Run:
    faults = faults or Faults()
    window = Window(
        50, 10.0, cpu_s, 30 * 2**20, to_model_s, [0.002], 1, 0.015, 1_600, faults, 0.2, 3
    )
    return Run(name, window, faults, 20 * 2**20)


RUNS = [
    run("bare", 1.0, [0.001]),
    run("earshot", 1.2, [0.001]),
    run("bare", 2.0, [0.001]),
    run("earshot", 2.8, [0.009], Faults(lost_bytes=160)),
    run("bare", 4.0, [0.001]),
    run("earshot", 4.4, [0.001]),
]


def earshot() -> Row:
    return row(RUNS, "earshot", 50)


def test_the_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert earshot().times_bare == pytest.approx(1.2)
    assert earshot().cpu_ms_per_call_s == pytest.approx(5.6)
    assert row(RUNS, "bare", 50).times_bare == 1


def test_samples_and_faults_of_all_rounds_count() -> None:
    assert earshot().to_model_ms == pytest.approx((1.0, 9.0))
    assert earshot().underruns == 3
    assert earshot().faults == Faults(lost_bytes=160)
    assert earshot().rss_kb_per_call == pytest.approx(10 * 1024 / 50)
    assert earshot().padded_ms == 600


def test_the_remarks_name_the_target_and_every_fault() -> None:
    text = "\n".join(remarks([row(RUNS, "bare", 50), earshot()]))
    assert "50 calls: 1.20 times the bare bridge's CPU (at most 1.3: kept)" in text
    assert "lost_bytes=160" in text
    assert "longest gap 15 ms" in text


def test_the_table_fits_a_terminal() -> None:
    console = Console(width=80, record=True)
    console.print(cost_table([row(RUNS, "bare", 50), earshot()]))
    text = console.export_text()
    assert "…" not in text
    assert "1.20" in text
