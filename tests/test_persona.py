"""An agent's file and the operator's settings become the session and call that they describe."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.agents import Agent, AgentError, SemanticVad, ServerVad
from app.call.phases import CallSettings
from app.models import ports
from app.persona import Personas, greeting_instructions, make_persona
from app.settings import DEFAULT_MODEL, Settings
from app.tools.functions import ToolLoadError


def agent(**fields: object) -> Agent:
    given = {"name": "a", "source": Path("a.toml"), "instructions": "Be brief.", **fields}
    return Agent(**given)  # type: ignore[arg-type]


def test_the_session_is_what_the_file_says() -> None:
    session = make_persona(
        agent(
            voice="cedar",
            language="de",
            speed=1.2,
            max_output_tokens=900,
            reasoning_effort="low",
            transcription_model="whisper-1",
            turn_detection=ServerVad(threshold=0.7, prefix_padding_ms=100, silence_duration_ms=700),
        ),
        Settings(),
    ).session
    assert session == ports.SessionConfig(
        model=DEFAULT_MODEL,
        voice="cedar",
        instructions="Be brief.",
        turn_detection=ports.ServerVad(
            threshold=0.7, prefix_padding_ms=100, silence_duration_ms=700
        ),
        transcription_model="whisper-1",
        language="de",
        speed=1.2,
        max_output_tokens=900,
        reasoning_effort="low",
    )


def test_what_the_file_leaves_open_is_left_to_the_vendor() -> None:
    session = make_persona(agent(transcription_model="", language=""), Settings()).session
    assert session.transcription_model is None
    assert session.language is None
    assert session.speed is None
    assert session.max_output_tokens is None
    assert session.reasoning_effort is None
    assert session.tools == ()


def test_a_turn_may_end_by_its_meaning() -> None:
    session = make_persona(agent(turn_detection=SemanticVad(eagerness="high")), Settings()).session
    assert session.turn_detection == ports.SemanticVad(eagerness="high")


@pytest.mark.parametrize(
    ("operators", "agents", "used"),
    [
        ("", "", DEFAULT_MODEL),
        ("", "gpt-realtime-2.1-mini", "gpt-realtime-2.1-mini"),
        ("gpt-realtime", "gpt-realtime-2.1-mini", "gpt-realtime"),
    ],
)
def test_the_operators_model_comes_before_the_agents(
    operators: str, agents: str, used: str
) -> None:
    persona = make_persona(agent(model=agents), Settings(model=operators))
    assert persona.session.model == used


def test_the_greeting_is_said_word_for_word_and_only_if_there_is_one() -> None:
    assert make_persona(agent(), Settings()).call.greeting == ""
    call = make_persona(agent(greeting="Harbour Table, hello."), Settings()).call
    assert call.greeting == greeting_instructions("Harbour Table, hello.")
    assert '"Harbour Table, hello."' in call.greeting


def test_the_lead_is_the_operators() -> None:
    assert make_persona(agent(), Settings(lead_ms=320)).call.playout.lead_ms == 320


def test_the_tools_of_the_file_are_offered_to_the_model() -> None:
    persona = Personas(Settings()).get("receptionist")
    names = [schema["name"] for schema in persona.session.tools]
    assert names == list(persona.tools.names) == ["book_table", "hang_up"]


def test_an_agent_is_loaded_once() -> None:
    personas = Personas(Settings())
    assert personas.get("receptionist") is personas.get("receptionist")


def test_every_call_of_every_agent_is_adjusted() -> None:
    def silent(call: CallSettings) -> CallSettings:
        return replace(call, greeting="")

    assert Personas(Settings(), silent).get("receptionist").call.greeting == ""
    assert Personas(Settings()).get("receptionist").call.greeting != ""


def test_an_agent_that_cannot_take_calls_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('instructions = "x"\ntools = ["missing.py:book"]\n')
    personas = Personas(Settings())
    assert personas.knows("receptionist")
    assert not personas.knows("nobody")
    assert not personas.knows(str(file))
    with pytest.raises(AgentError):
        personas.get("nobody")
    with pytest.raises(ToolLoadError):
        personas.get(str(file))
