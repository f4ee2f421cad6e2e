"""An agent may hand calls to those whom its file names, and they to theirs; one that is not there
is told when the file is read."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents import AgentError, load_agent
from app.call.crew import Colleague
from app.call.prices import Prices
from app.crew import colleagues_of, telephone_tools
from app.settings import Settings
from app.ways import ways_of

SETTINGS = Settings(openai_api_key=SecretStr("sk-x"))
PRICES = Prices(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


@pytest.fixture(autouse=True)
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agents").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "agents"


def write(folder: Path, name: str, *colleagues: str, more: str = "") -> None:
    names = ", ".join(f'"{one}"' for one in colleagues)
    text = f'instructions = "x"\ndescription = "for {name}"\ncolleagues = [{names}]\n{more}'
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def crew(name: str) -> tuple[Colleague, ...]:
    return colleagues_of(load_agent(name), SETTINGS, lambda model: PRICES)


def test_colleagues_of_colleagues_are_there_too_and_each_once(agents: Path) -> None:
    write(agents, "a", "b")
    write(agents, "b", "c", "a")
    write(agents, "c", "a", "b")
    assert [one.name for one in crew("a")] == ["b", "c"]
    assert [one.name for one in crew("c")] == ["a", "b"]


def test_a_colleague_has_its_own_models_and_prices(agents: Path) -> None:
    write(agents, "a", "b")
    write(agents, "b", more='model = "m1"\n[[failover]]\nmodel = "m2"\n')
    assert crew("a") == (Colleague("b", 2, (PRICES, PRICES)),)


def test_one_that_is_not_there_is_told_with_its_place(agents: Path) -> None:
    write(agents, "a", "b")
    write(agents, "b", "nobody")
    with pytest.raises(AgentError, match=r'b\.toml: colleagues: expected .* got "nobody"'):
        crew("a")


def test_the_model_may_name_only_the_agents_own_colleagues(agents: Path) -> None:
    write(agents, "a", "b", more='tools = ["hand_over", "send_keys"]\n')
    write(agents, "b", "c")
    write(agents, "c")
    agent = load_agent("a")
    hand_over, send_keys = telephone_tools(agent, ways_of(agent))
    to = hand_over.schema["parameters"]["properties"]["to"]
    assert (to["const"], to["description"]) == ("b", "b: for b")
    assert send_keys.name == "send_keys"
