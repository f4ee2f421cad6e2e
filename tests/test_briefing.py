"""A call's agent speaks and is told in this call's words; what is learnt late counts from the next
session on."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.agents import Agent, Silence
from app.briefing import Briefing
from app.call.facts import CallFacts
from app.persona import Persona, make_persona
from app.settings import Settings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENT = Agent(
    name="desk",
    source=Path("desk.toml"),
    instructions="You speak with {{caller_name}}, plan {{plan}}.",
    greeting="Hello {{caller_name}}!",
    disclosure="A machine speaks, {{caller_name}}.",
    notices=("It is {{time}}.",),
    silence=Silence(prompts=("Ask {{caller_name}}.",), goodbye="Take leave of {{caller_name}}."),
    variables={"caller_name": "dear caller", "plan": "basic"},
)


@pytest.fixture
def persona() -> Persona:
    return make_persona(AGENT, Settings(openai_api_key=SecretStr("sk")))


def briefing(persona: Persona, name: str = "Ada") -> Briefing:
    return Briefing(persona, CallFacts(caller_name=name), lambda: NOON)


def test_all_texts_of_a_call_are_filled_in(persona: Persona) -> None:
    call = briefing(persona).persona().call
    assert call.greeting_words == "Hello Ada!"
    assert '"Hello Ada!"' in call.greeting and '"Hello Ada!"' in call.late_greeting
    assert call.notices == ("A machine speaks, Ada.", "It is 12:00.")
    assert call.patience.prompts[0].startswith("Ask ⟦Ada⟧.")
    assert call.patience.give_up.startswith("Take leave of ⟦Ada⟧.")


def test_a_message_is_in_the_words_of_the_call_also_of_an_agent_without_variables(
    persona: Persona,
) -> None:
    assert briefing(persona).message("For {{caller_name}}.") == "For Ada."
    plain = replace(
        persona,
        agent=replace(
            AGENT, instructions="Hi.", greeting="", disclosure="", notices=(), silence=Silence()
        ),
    )
    assert briefing(plain).message("For {{caller_name}}, at {{time}}.") == "For Ada, at 12:00."
    assert briefing(plain).message("As it is.") == "As it is."


async def test_what_is_learnt_late_is_in_the_next_prompt(persona: Persona) -> None:
    brief = briefing(persona)
    assert "⟦Ada⟧, plan basic." in await brief.instructions()
    brief.learn({"plan": "gold"})
    assert "⟦Ada⟧, plan ⟦gold⟧." in await brief.instructions()


def test_other_settings_of_the_call_stay(persona: Persona) -> None:
    adjusted = replace(persona, call=replace(persona.call, tool_sound_after_ms=7))
    assert briefing(adjusted).persona().call.tool_sound_after_ms == 7


async def test_an_agent_without_variables_is_taken_as_it_is(persona: Persona) -> None:
    plain = replace(persona.agent, instructions="-", greeting="Hi", disclosure="", notices=())
    plain = replace(plain, silence=Silence())
    bare = replace(persona, agent=plain)
    brief = briefing(bare)
    brief.learn({"plan": "gold"})
    assert brief.persona() is bare
    assert await brief.instructions() == "-"
