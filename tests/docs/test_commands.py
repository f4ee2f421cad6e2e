"""Invariant: every `earshot` command in the documentation exists, with the options shown."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from app.cli import earshot
from tests.docs.pages import FRONT, PAGES, blocks, prose


def _shown() -> list[str]:
    """Command lines in shell blocks, and in backticks within the text."""
    found: set[str] = set()
    for path in [*FRONT, *PAGES]:
        text = path.read_text(encoding="utf-8")
        for block in blocks(text, "sh"):
            lines = block.text.replace("\\\n", " ").splitlines()
            found.update(line for line in lines if "earshot " in line)
        found.update(re.findall(r"`((?:\S+/)?earshot [^`]+)`", prose(text)))
    return sorted(found)


def _words(line: str) -> list[str]:
    """What follows `earshot`: comments and what stands before it taken away."""
    words = shlex.split(line, comments=True)
    at = next(i for i, word in enumerate(words) if word.rsplit("/", 1)[-1] == "earshot")
    return words[at + 1 :]


def _resolve(words: list[str]) -> tuple[click.Command, list[str], list[str]]:
    """The command that the words name, its path, and the words after it."""
    command: click.Command = earshot
    path: list[str] = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"there is no command {' '.join([*path, words[0]])}"
        command, path, words = found, [*path, words[0]], words[1:]
    return command, path, words


def test_the_documentation_shows_the_commands() -> None:
    shown = {_words(line)[0] for line in _shown()}
    assert {"serve", "call", "demo", "doctor", "agents", "replay", "lab"} <= shown


@pytest.mark.parametrize("line", _shown())
def test_a_command_exists_with_its_options(line: str) -> None:
    command, path, rest = _resolve(_words(line))
    helped = CliRunner().invoke(earshot, [*path, "--help"])
    assert helped.exit_code == 0, helped.output
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0] in options | {"--help", "--version"}, line
