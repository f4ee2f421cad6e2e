"""`earshot doctor` on a bare machine names what is missing and how to mend it, and fails."""

import pytest
from click.testing import CliRunner

from app.cli import earshot
from app.settings import SERVING


def test_without_settings_each_missing_one_is_named_and_the_exit_code_says_so() -> None:
    result = CliRunner().invoke(earshot, ["doctor"])
    assert result.exit_code == 1, result.output
    for name in SERVING:
        assert name in result.output
    assert isinstance(result.exception, SystemExit)


def test_settings_that_nobody_has_set_are_listed_only_when_asked_for() -> None:
    short = CliRunner().invoke(earshot, ["doctor"]).output
    every = CliRunner().invoke(earshot, ["doctor", "--all"]).output
    assert "earshot doctor --all" in short
    assert "EARSHOT_LEAD_MS" not in short
    assert "EARSHOT_LEAD_MS" in every


def test_a_wrong_setting_is_told_and_never_shown_if_it_is_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-top secret")
    monkeypatch.setenv("EARSHOT_LEAD_MS", "soon")
    result = CliRunner().invoke(earshot, ["doctor"])
    assert result.exit_code == 1, result.output
    assert "EARSHOT_LEAD_MS" in result.output
    assert "OPENAI_API_KEY" in result.output
    assert "top secret" not in result.output
