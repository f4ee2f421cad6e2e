"""Invariant: a section's targets are drawn from what was measured, the worst line counting."""

from bench.vad_accuracy import Heard
from bench.vad_lines import Line, Sound
from bench.vad_sections import _accuracy_targets, quiet


def heard(name: str, delay_ms: float, false_starts: int = 0) -> Heard:
    line = Line(name, b"\xff" * 480_000, (Sound(1000, 2000),))
    return Heard(line, (delay_ms,), (0.0,), (900.0,), (0.0,), 0, false_starts)


def missed(*lines: Heard) -> list[str]:
    return [target.what for target in _accuracy_targets(lines) if not target.met]


def test_all_well_is_met() -> None:
    assert missed(heard("clean", 120), heard("pink 10 dB", 140)) == []


def test_one_bad_line_among_good_ones_misses_the_target() -> None:
    lines = heard("clean", 120), heard("pink 10 dB", 120), heard("white 10 dB", 300)
    assert missed(*lines) == ["steady noise, 10 dB: onset p50", "steady noise, 10 dB: onset p90"]
    assert missed(heard("clean", 120, 1), heard("pink 10 dB", 120)) == [
        "clean: false starts a minute"
    ]


def test_louder_noise_and_noise_that_holds_voices_or_tunes_is_shown_without_a_target() -> None:
    lines = heard("music 10 dB", 900), heard("white 5 dB", 900, 9), heard("babble 10 dB", 900)
    assert missed(heard("clean", 120), heard("pink 10 dB", 120), *lines) == []


def test_the_gate_loses_no_quiet_caller() -> None:
    assert [target.what for target in quiet(quick=True).targets if not target.met] == []
