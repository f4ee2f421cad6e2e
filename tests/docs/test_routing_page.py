"""Invariant: the page of routes shows every key, and its example chooses as it says."""

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.agents.routes import Route, Trusted, load_routes
from app.cli import earshot
from tests.docs.pages import blocks, codes, example, page, table

TEXT = page("routing")
EXAMPLE = example(TEXT, "routes")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "routes.toml").write_text(EXAMPLE.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return agents


def test_every_key_is_explained() -> None:
    told = {codes(row[0])[0] for row in table(TEXT, "<!-- keys:")}
    assert told == {field.name.rstrip("_") for field in dataclasses.fields(Route)}
    trusted = {codes(row[0])[0] for row in table(TEXT, "<!-- trusted:")}
    assert trusted == {field.name for field in dataclasses.fields(Trusted)}


def test_every_kind_of_pattern_is_one(folder: Path) -> None:
    path = folder / "routes.toml"
    patterns = [code for row in table(TEXT, "letters does\nnot count.") for code in codes(row[0])]
    assert len(patterns) == 6
    for pattern in patterns:
        path.write_text(f'[[route]]\nagent = "a"\nto = "{pattern}"\n', encoding="utf-8")
        assert load_routes(path).route[0].to == pattern


def test_the_commands_say_what_the_page_shows() -> None:
    commands, [shown] = blocks(TEXT, "sh")[0].text.splitlines(), blocks(TEXT, "text")
    for command, line in zip(commands, shown.text.splitlines(), strict=True):
        result = CliRunner().invoke(earshot, command.split()[1:])
        assert result.stdout.rstrip("\n") == line
