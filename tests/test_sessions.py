"""A call begins with a model that works, and a session knows what its call has come to: the agent's
own instructions first, then everything else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents import load_agent
from app.call.commands import OpenLeg
from app.call.events import Snapshot
from app.call.facts import CallFacts
from app.cast import Cast
from app.live import Live, open_live
from app.models.never_opened import NeverOpened
from app.models.ports import SessionConfig
from app.persona import Persona, make_persona
from app.sessions import Sessions, informed, speaking
from app.settings import Settings
from tests.onward.house import house

AGENT = """
instructions = "You answer."
[[failover]]
model = "second"
[languages.de]
voice = "cedar"
instructions = "Sprich Deutsch."
[languages.fr]
"""
CONFIG = SessionConfig(model="m", voice="marin", instructions="You answer.")
SETTINGS = Settings(openai_api_key=SecretStr("sk-x"))


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    async with open_live("", tmp_path, "w1") as live:
        yield live


def persona(folder: Path) -> Persona:
    path, _ = house(folder, AGENT)
    return make_persona(load_agent(path), SETTINGS)


def test_a_worker_alone_begins_with_the_first_model_or_the_one_that_spoke(tmp_path: Path) -> None:
    sessions, who = Sessions(SETTINGS, None), persona(tmp_path)
    assert sessions.first_model(who, None) == 0
    assert sessions.first_model(who, Snapshot("CA1", "inbound", model=1)) == 1


async def test_a_model_that_fails_again_and_again_is_passed_over(
    tmp_path: Path, live: Live
) -> None:
    sessions, who = Sessions(SETTINGS, live), persona(tmp_path)
    left = Snapshot("CA1", "inbound", model=1)
    assert sessions.first_model(who, left) == 0, "the workers know more than one call"
    for _ in range(3):
        live.breakers.failed(who.models[0].name)
    assert sessions.first_model(who, None) == 1


async def test_a_colleague_whose_file_went_wrong_is_a_session_that_never_opened(
    tmp_path: Path,
) -> None:
    path, personas = house(tmp_path)
    leg = OpenLeg(1, 0, agent=str(tmp_path / "nobody.toml"))
    session = await Sessions(SETTINGS, None).open(Cast(personas, path, CallFacts()), "", leg)
    assert isinstance(session, NeverOpened)


def test_a_language_brings_its_voice_and_its_words(tmp_path: Path) -> None:
    agent = persona(tmp_path).agent
    german = speaking(CONFIG, agent, "de")
    assert (german.language, german.voice) == ("de", "cedar")
    assert german.instructions == "You answer.\n\nSprich Deutsch."
    assert speaking(CONFIG, agent, "fr") == replace(CONFIG, language="fr")


@pytest.mark.parametrize("context", ["", "They called before."])
def test_the_agents_own_instructions_stay_in_front(context: str) -> None:
    told = informed(CONFIG, context).instructions
    assert told.startswith("You answer.")
    assert told.removeprefix("You answer.").strip() == context
