"""`earshot agents check` tells every mistake of every file; `route` says who answers, and why."""

import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from app.agent_report import inspect_all
from app.agents.tokens import PRESSURE_TOKENS
from app.cli import earshot
from app.cli.agents_shown import render
from app.settings import load_settings

SAID = 'disclosure = "A machine speaks."\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    agents = tmp_path / "agents"
    agents.mkdir()
    return agents


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(earshot, ["agents", *arguments])


def test_every_mistake_of_every_file_is_told(folder: Path) -> None:
    write(folder, "bad", 'instrutions = "x"\nspeed = 9\n')
    write(folder, "worse", 'instructions = "{{nobody}}"\n')
    write(folder, "toolless", 'instructions = "x"\ntools = ["gone.py:f"]\n[limits]\nminutes = 1\n')
    write(folder, "routes", '[[route]]\nagent = "bad"\n[[route]]\nagent = "bed"\n')
    result = invoke("check")
    assert result.exit_code == 1
    for told in (
        "agents/bad.toml:1: instrutions: there is no such key",
        "agents/bad.toml: instructions: expected this key",
        "agents/bad.toml:2: speed: expected a number",
        "agents/worse.toml:1: instructions: there is no variable {{nobody}}",
        "agents/toolless.toml: Expected a Python file with a tool, found none",
        "agents/toolless.toml: limits: expected warn_s below",
        "agents/routes.toml:4: route[2].agent: There is no agent 'bed'",
        "agents/routes.toml: route[2] is never reached: route[1] takes its calls.",
    ):
        assert told in result.stdout
    assert " 2 routes: 7 errors, " in result.stdout.splitlines()[-1]


def test_what_is_right_is_right(folder: Path) -> None:
    write(folder, "desk", f'{SAID}instructions = "Be kind."\ntools = ["hang_up"]\n')
    result = invoke("check", "desk")
    assert result.exit_code == 0
    row, summary = result.stdout.splitlines()
    assert row.split()[:2] == ["ok", "desk"]
    assert "gpt-realtime-2.1" in row and "hang_up" in row and "tokens" in row
    assert summary == "1 agent: 0 errors, 0 warnings."


def test_nothing_is_to_be_said_of_the_agents_that_ship(folder: Path) -> None:
    result = invoke("check")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "3 agents, 0 routes: 0 errors, 0 warnings."


def test_warnings_do_not_fail_the_check(folder: Path) -> None:
    write(folder, "desk", 'instructions = "x"\n[[failover]]\napi_key_env = "NO_SUCH_KEY_HERE"\n')
    result = invoke("check", "desk")
    assert result.exit_code == 0
    assert "desk.toml: disclosure: it is missing" in result.stdout
    assert "NO_SUCH_KEY_HERE is not set" in result.stdout


@pytest.mark.parametrize(
    ("share", "warned"), [(0.4, ""), (0.6, "they are getting long"), (0.9, "little room is left")]
)
def test_a_long_prompt_is_told_before_it_is_too_long(
    folder: Path, share: float, warned: str
) -> None:
    words = "good " * round(share * PRESSURE_TOKENS)
    write(folder, "desk", f'{SAID}instructions = "{words}"\n')
    result = invoke("check", "desk")
    assert result.exit_code == 0
    assert f"{round(share * 100)} %" in result.stdout
    assert (warned in result.stdout) if warned else "warn  " not in result.stdout


def test_machines_read_it_as_json(folder: Path) -> None:
    write(folder, "desk", f'{SAID}instructions = "Be kind."\n')
    write(folder, "routes", '[[route]]\nagent = "desk"\n')
    result = invoke("check", "--json")
    data = json.loads(result.stdout)
    desk = next(agent for agent in data["agents"] if agent["name"] == "desk")
    assert (desk["status"], desk["errors"], len(desk["version"])) == ("ok", [], 10)
    assert data["routes"]["rules"] == 1
    assert data["limit_tokens"] == PRESSURE_TOKENS


def test_at_a_terminal_it_is_a_table_that_needs_no_colour(folder: Path) -> None:
    write(folder, "desk", f'{SAID}instructions = "Be kind."\ntools = ["hang_up"]\n')
    write(folder, "bad", "")
    write(folder, "mute", 'instructions = "Nobody is told who speaks."\n')
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=100, no_color=True)
    render(inspect_all(load_settings()), console)
    text = shown.getvalue()
    assert "✓ ok" in text and "✗ fail" in text and "! warn" in text
    assert "hang_up" in text and "░" in text
    table = text.split("\n\n")[0].splitlines()
    assert all(cell_len(Text.from_ansi(row).plain) <= 100 for row in table)


def test_at_a_narrow_terminal_no_tool_is_broken_in_two(folder: Path) -> None:
    agent = f'{SAID}instructions = "Be kind."\ntools = ["hang_up", "collect_digits"]\n'
    write(folder, "desk", agent)
    write(folder, "bad", "")
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=80, no_color=True)
    render(inspect_all(load_settings()), console)
    rows = [Text.from_ansi(row).plain for row in shown.getvalue().split("\n\n")[0].splitlines()]
    assert all(cell_len(row) <= 80 for row in rows)
    for tool in ("cancel_appointment", "find_free_times", "hang_up, collect_digits"):
        assert any(tool in row for row in rows)
    assert len(rows) < 15


def test_in_a_pipe_a_broken_agent_is_its_name_and_its_mistakes(folder: Path) -> None:
    write(folder, "bad", "speed = 9\n")
    assert invoke("check", "bad").stdout.splitlines()[0] == "fail  bad"


def test_it_says_who_answers_a_number_and_why(folder: Path) -> None:
    write(folder, "desk", 'instructions = "x"')
    rules = '[[route]]\nto = "+4420*"\nfrom = "+49*"\nagent = "desk"\n'
    rules += '[[route]]\nsip_header = { X-Tenant = "acme" }\nagent = "desk"\n'
    rules += '[trusted]\nsip_domains = ["a.example.com"]\n'
    write(folder, "routes", rules)
    told = invoke("route", "+442079460012", "--from", "+491701234567").stdout
    assert told == "desk  (route 1 of agents/routes.toml: to +4420*, from +49*)\n"
    by_header = ("route", "+15550100001", "--header", "x-tenant=acme")
    assert invoke(*by_header, "--domain", "a.example.com").stdout.startswith("desk  (route 2 of")
    assert invoke(*by_header).stdout.startswith("receptionist  (none of 2 routes fits")
    told = invoke("route", "+442079460012").stdout
    assert told.startswith("receptionist  (none of 2 routes fits")


def test_without_routes_it_says_so() -> None:
    told = invoke("route", "sip:desk@example.com", "--from", "client:ann").stdout
    assert told == (
        "receptionist  (there are no routes; EARSHOT_AGENT, or ?agent= in the voice URL)\n"
    )


@pytest.mark.parametrize("number", ["", "442079460012", "+44x", "sip:desk"])
def test_what_is_no_address_is_told_with_what_came(number: str) -> None:
    result = invoke("route", number)
    assert result.exit_code == 1
    assert f"got {number!r}" in result.stderr


def test_who_calls_must_be_an_address_too() -> None:
    result = invoke("route", "+442079460012", "--from", "ann")
    assert result.exit_code == 1
    assert "got 'ann'" in result.stderr


@pytest.mark.parametrize("header", ["X-Tenant", "=x"])
def test_a_header_without_a_name_or_value_is_told(header: str) -> None:
    result = invoke("route", "+15550100001", "--header", header)
    assert result.exit_code == 1
    assert "expected NAME=VALUE" in result.stderr
