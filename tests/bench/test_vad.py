"""Invariant: the bench exits 0 only if every target of the sections that ran is met."""

from types import MappingProxyType

import pytest

from bench import vad
from bench.relay_figures import Target
from bench.vad_sections import Found

MET = Target("this", "1", "1", True)
MISSED = Target("that", "1", "2", False)


def sections(monkeypatch: pytest.MonkeyPatch, **targets: Target) -> None:
    made = {name: lambda *, quick, t=target: Found((t,), ()) for name, target in targets.items()}
    monkeypatch.setattr(vad, "SECTIONS", MappingProxyType(made))


def test_a_missed_target_shows_in_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sections(monkeypatch, good=MET, bad=MISSED)
    assert vad.main([]) == 1
    assert "MISSED" in capsys.readouterr().out
    assert vad.main(["good"]) == 0
    assert "MISSED" not in capsys.readouterr().out


def test_a_section_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert vad.main(["speed"]) == 2
    assert "no such section: speed" in capsys.readouterr().out
