"""Every command is listed and explains itself, and asking for help is quick: it loads no server."""

import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli import COMMANDS, earshot

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command_with_what_it_does(flag: str) -> None:
    result = CliRunner().invoke(earshot, [flag])
    assert result.exit_code == 0
    for name, text in COMMANDS.items():
        line = next(line for line in result.output.splitlines() if line.startswith(f"  {name} "))
        assert line.split(maxsplit=1)[1] == text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(earshot, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: earshot {name}")
    command = import_module(f"app.cli.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    assert command.help


def test_the_examples_are_commands_that_there_are() -> None:
    output = CliRunner().invoke(earshot, ["--help"]).output
    examples = [line.split() for line in output.split("Examples:")[1].splitlines() if line.strip()]
    assert examples
    for _, name, *_ in examples:
        assert name in COMMANDS


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(earshot, ["answer"])
    assert result.exit_code == 2
    assert "answer" in result.output


def test_version_is_the_distributions_and_a_source_tree_says_that_it_has_none() -> None:
    result = CliRunner().invoke(earshot, ["--version"])
    assert result.exit_code == 0
    try:
        assert metadata.version("earshot") in result.output
    except metadata.PackageNotFoundError:
        assert "not installed" in result.output


def test_the_module_is_the_command_and_its_help_loads_no_server() -> None:
    code = (
        "import sys\n"
        "from app.cli import main\n"
        "sys.argv = ['earshot', '--help']\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'uvicorn', 'openai', 'twilio'} & set(sys.modules)\n"
    )
    by_code, by_module = run("-c", code), run("-m", "app", "--help")
    assert by_code.returncode == by_module.returncode == 0, by_code.stderr
    assert by_code.stdout == by_module.stdout


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
