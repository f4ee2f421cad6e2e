"""Each agent of a call keeps the version that it had when the call first needed it."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents import AgentError
from app.briefing import Briefing
from app.call.facts import CallFacts
from app.cast import Cast
from app.persona import Personas
from app.settings import Settings


@pytest.fixture
def personas() -> Personas:
    return Personas(Settings(openai_api_key=SecretStr("sk-x")))


def agent(folder: Path, name: str, text: str = "One.") -> str:
    path = folder / f"{name}.toml"
    path.write_text(f'instructions = "{text}"', encoding="utf-8")
    return str(path)


def test_the_first_one_is_known_by_every_name(tmp_path: Path, personas: Personas) -> None:
    path = agent(tmp_path, "first")
    cast = Cast(personas, path, CallFacts())
    assert cast.part("") is cast.first
    assert cast.part("first") is cast.first
    assert cast.first.chosen_as == path
    assert cast.parts == (cast.first,)


def test_a_colleague_keeps_the_version_that_was_first_needed(
    tmp_path: Path, personas: Personas
) -> None:
    cast = Cast(personas, agent(tmp_path, "first"), CallFacts())
    other = agent(tmp_path, "second")
    before = cast.part(other)
    agent(tmp_path, "second", "Two.")
    for kept in personas.watched:
        kept.look()
    assert personas.get(other).agent.instructions == "Two."
    assert cast.part(other) is before
    assert before.persona.agent.instructions == "One."
    assert len(cast.parts) == 2
    assert Cast(personas, other, CallFacts()).first.persona.agent.instructions == "Two."


def test_each_is_filled_in_with_the_facts_of_this_call(tmp_path: Path, personas: Personas) -> None:
    asked: list[Briefing] = []
    other = agent(tmp_path, "second")
    cast = Cast(personas, agent(tmp_path, "first"), CallFacts(), asked.append)
    cast.part(other)
    cast.part(other)
    assert asked == [part.briefing for part in cast.parts]


def test_a_colleague_whose_file_is_wrong_is_told(tmp_path: Path, personas: Personas) -> None:
    cast = Cast(personas, agent(tmp_path, "first"), CallFacts())
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("instructions = 3", encoding="utf-8")
    with pytest.raises(AgentError):
        cast.part(str(wrong))
    assert cast.parts == (cast.first,)
