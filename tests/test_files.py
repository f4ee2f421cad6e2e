"""Which agents take calls follows their files, the routes and the prices; what cannot take calls is
found out before one comes."""

import asyncio
import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents import AgentError
from app.call.facts import CallFacts
from app.files import Files
from app.observe.prices import SHIPPED
from app.reloading import Reloader
from app.settings import Settings

LONDON = CallFacts(to_number="+442079460012")
TOOL = "calls = []\ndef look() -> int:\n    'Look.'\n    calls.append(1)\n    return len(calls)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the operator's agents are."""
    monkeypatch.chdir(tmp_path)
    agents = tmp_path / "agents"
    agents.mkdir()
    (agents / "mine.py").write_text(TOOL)
    desk(agents, "One.")
    return agents


def desk(folder: Path, instructions: str) -> None:
    text = f'instructions = "{instructions}"\ntools = ["mine.py:look"]\n'
    (folder / "desk.toml").write_text(text, encoding="utf-8")


def files(**settings: object) -> Files:
    given = {"openai_api_key": SecretStr("sk"), "agent": "desk", **settings}
    return Files(Settings.model_validate(given))


def look(files: Files) -> bool:
    return asyncio.run(Reloader(lambda: files.watched).look())


def told(files: Files) -> str:
    return files.personas.get("desk").models[0].config.instructions


def test_a_changed_agent_is_there_for_new_calls_and_running_ones_keep_theirs(folder: Path) -> None:
    ours = files()
    running = ours.personas.get("desk")
    desk(folder, "Two.")
    assert look(ours)
    assert told(ours) == "Two."
    assert running.models[0].config.instructions == "One."
    assert running.agent.version != ours.personas.get("desk").agent.version
    assert not look(ours)


def test_a_wrong_agent_keeps_its_last_good_version(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours = files()
    desk(folder, "")
    assert not look(ours) and not look(ours)
    assert told(ours) == "One."
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "desk.toml:1: instructions" in record.fields["problems"]  # type: ignore[attr-defined]
    desk(folder, "Three.")
    assert look(ours) and told(ours) == "Three."


async def test_changed_tools_are_loaded_anew_and_running_calls_keep_theirs(folder: Path) -> None:
    ours = files()
    running = ours.personas.get("desk")
    await running.tools.run("look", "{}")
    (folder / "mine.py").write_text(TOOL.replace("return len(calls)", "return -len(calls)"))
    assert await Reloader(lambda: ours.watched).look()
    new = ours.personas.get("desk")
    assert (await new.tools.run("look", "{}")).output == "-1"
    assert (await running.tools.run("look", "{}")).output == "2"


async def test_what_a_tool_remembers_outlives_a_change_of_the_prompt(folder: Path) -> None:
    ours = files()
    await ours.personas.get("desk").tools.run("look", "{}")
    desk(folder, "Two.")
    assert await Reloader(lambda: ours.watched).look()
    assert (await ours.personas.get("desk").tools.run("look", "{}")).output == "2"


def test_an_agent_of_the_operators_takes_the_place_of_one_that_ships(folder: Path) -> None:
    ours = files(agent="receptionist")
    assert "Harbour Table" in ours.personas.get("receptionist").agent.greeting
    (folder / "receptionist.toml").write_text('instructions = "Mine."')
    assert look(ours)
    assert ours.personas.get("receptionist").agent.instructions == "Mine."


def test_new_prices_reach_new_calls(tmp_path: Path) -> None:
    table = tmp_path / "prices.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    table.write_text(text, encoding="utf-8")
    ours = files(prices=str(table))
    before = ours.personas.get("desk").call.prices
    day = ours.prices.as_of
    changed = text.replace(f"as_of = {day}", "as_of = 2020-01-01")
    lines = [f"{line}0" if line.startswith("audio_in") else line for line in changed.splitlines()]
    table.write_text("\n".join(lines), encoding="utf-8")
    assert look(ours)
    assert ours.prices.as_of.year == 2020
    assert ours.personas.get("desk").call.prices is not before


def test_a_route_chooses_and_changes(folder: Path) -> None:
    routes = folder / "routes.toml"
    routes.write_text('[[route]]\nto = "+4420*"\nagent = "receptionist"\n')
    ours = files()
    assert ours.route(LONDON) == "receptionist"
    assert ours.route(CallFacts(to_number="+15550100002")) == ""
    routes.write_text('[[route]]\nto = "+1555*"\nagent = "receptionist"\n')
    assert look(ours)
    assert ours.route(LONDON) == ""
    routes.write_text('[[route]]\nagent = "nobody"\n')
    assert not look(ours)
    assert ours.route(CallFacts(to_number="+15550100002")) == "receptionist"


def test_a_route_to_an_agent_that_there_is_not_is_told_at_the_start(folder: Path) -> None:
    (folder / "routes.toml").write_text('[[route]]\nto = "+1*"\nagent = "dask"\n')
    with pytest.raises(AgentError) as caught:
        files()
    assert str(caught.value).startswith("agents/routes.toml:3: route[1].agent: There is no agent")
    assert "Did you mean desk?" in str(caught.value)


def test_a_route_to_an_agent_whose_tools_are_wrong_is_told_at_the_start(folder: Path) -> None:
    (folder / "bad.toml").write_text('instructions = "x"\ntools = ["gone.py:f"]\n')
    (folder / "routes.toml").write_text('[[route]]\nagent = "bad"\n')
    with pytest.raises(AgentError, match=r"routes\.toml:2: route\[1\]\.agent: .*gone\.py"):
        files()


def test_a_named_file_of_routes_must_be_there() -> None:
    with pytest.raises(AgentError, match="elsewhere"):
        files(routes="elsewhere.toml")


def test_a_route_that_no_call_reaches_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = '[[route]]\nagent = "desk"\n[[route]]\nto = "+1*"\nagent = "receptionist"\n'
    (folder / "routes.toml").write_text(rules)
    files()
    [record] = [r for r in caplog.records if r.message == "a route is never reached"]
    assert record.fields == {"route": 2, "because_of": 1}  # type: ignore[attr-defined]
