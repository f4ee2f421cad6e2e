"""An agent's file and the operator's settings become the session and call that they describe."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.agents import Agent, AgentError, BargeIn, Failover, Local, SemanticVad, ServerVad
from app.call.phases import CallSettings
from app.call.prices import Prices
from app.call.turn_end import TurnEndSettings
from app.manner import greeting_instructions
from app.models import ports
from app.models.openai_connect import Credentials
from app.persona import Persona, Personas, make_persona
from app.settings import DEFAULT_MODEL, Settings
from app.tools.errors import ToolLoadError

KEY = "sk-operator"
PRICES = Prices(1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


def settings(**fields: Any) -> Settings:
    return Settings(openai_api_key=SecretStr(KEY), **fields)


def session_of(persona: Persona) -> ports.SessionConfig:
    """Of the agent's own model."""
    return persona.models[0].config


def agent(**fields: object) -> Agent:
    given = {"name": "a", "source": Path("a.toml"), "instructions": "Be brief.", **fields}
    return Agent(**given)  # type: ignore[arg-type]


def test_the_session_is_what_the_file_says() -> None:
    persona = make_persona(
        agent(
            voice="cedar",
            language="de",
            speed=1.2,
            max_output_tokens=900,
            reasoning_effort="low",
            transcription_model="whisper-1",
            turn_detection=ServerVad(threshold=0.7, prefix_padding_ms=100, silence_duration_ms=700),
        ),
        settings(),
    )
    assert session_of(persona) == ports.SessionConfig(
        model=DEFAULT_MODEL,
        voice="cedar",
        instructions="Be brief.",
        turn_detection=ports.ServerVad(
            threshold=0.7,
            prefix_padding_ms=100,
            silence_duration_ms=700,
            create_response=False,
            interrupt_response=False,
        ),
        transcription_model="whisper-1",
        language="de",
        speed=1.2,
        max_output_tokens=900,
        reasoning_effort="low",
    )


def test_what_the_file_leaves_open_is_left_to_the_vendor() -> None:
    session = session_of(make_persona(agent(transcription_model="", language=""), settings()))
    assert session.transcription_model is None
    assert session.language is None
    assert session.speed is None
    assert session.max_output_tokens is None
    assert session.reasoning_effort is None
    assert session.tools == ()


def test_a_turn_may_end_by_its_meaning() -> None:
    persona = make_persona(agent(turn_detection=SemanticVad(eagerness="high")), settings())
    assert session_of(persona).turn_detection == ports.SemanticVad(
        eagerness="high", create_response=False, interrupt_response=False
    )


def test_where_we_end_the_turns_the_model_decides_nothing() -> None:
    local = Local(min_silence_ms=250, more_silence_ms=400, answer_ahead=True)
    with_judge = settings(judge_model="gpt-small", judge_timeout_s=0.3)
    persona = make_persona(agent(turn_detection=local), with_judge)

    assert session_of(persona).turn_detection is None
    assert persona.call.turn_end == TurnEndSettings(
        250, 400, 2_000, judge=True, ahead=True, judge_wait_ms=400
    )
    assert not persona.call.responses.server_answers


@pytest.mark.parametrize(
    "fields",
    [
        {"turn_detection": Local(judge=False)},
        {"turn_detection": Local(), "transcription_model": ""},
    ],
)
def test_nobody_judges_where_nobody_is_asked_or_there_are_no_words(
    fields: dict[str, object],
) -> None:
    turn_end = make_persona(agent(**fields), settings(judge_model="gpt-small")).call.turn_end
    assert turn_end is not None and not turn_end.judge


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"barge_in": BargeIn(by="model")},
            'a.toml: barge_in.by: expected "voice" with turn_detection.type = "local", which needs '
            'our own voice detection, got "model".',
        ),
        (
            {"turn_detection": Local(max_silence_ms=500)},
            "a.toml: turn_detection: expected max_silence_ms >= min_silence_ms + more_silence_ms, "
            "got 500 < 300 + 500.",
        ),
    ],
)
def test_turns_that_cannot_end_so_are_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(AgentError) as refused:
        make_persona(agent(**{"turn_detection": Local(), **fields}), settings())
    assert str(refused.value) == told


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
    persona = make_persona(agent(model=agents), settings(model=operators))
    assert session_of(persona).model == used


def test_the_greeting_is_said_word_for_word_and_only_if_there_is_one() -> None:
    assert make_persona(agent(), settings()).call.greeting == ""
    call = make_persona(agent(greeting="Harbour Table, hello."), settings()).call
    assert call.greeting == greeting_instructions("Harbour Table, hello.")
    assert '"Harbour Table, hello."' in call.greeting


def test_the_lead_is_the_operators() -> None:
    assert make_persona(agent(), settings(lead_ms=320)).call.playout.lead_ms == 320


def test_the_tools_of_the_file_are_offered_to_the_model() -> None:
    persona = Personas(settings()).get("receptionist")
    names = [schema["name"] for schema in session_of(persona).tools]
    assert names == list(persona.tools.names) == ["book_table", "hang_up"]


def test_an_agent_is_loaded_once() -> None:
    personas = Personas(settings())
    assert personas.get("receptionist") is personas.get("receptionist")


def test_every_call_of_every_agent_is_adjusted() -> None:
    def silent(call: CallSettings) -> CallSettings:
        return replace(call, greeting="")

    assert Personas(settings(), silent).get("receptionist").call.greeting == ""
    assert Personas(settings()).get("receptionist").call.greeting != ""


def test_an_agent_that_cannot_take_calls_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('instructions = "x"\ntools = ["missing.py:book"]\n')
    personas = Personas(settings())
    assert personas.knows("receptionist")
    assert not personas.knows("nobody")
    assert not personas.knows(str(file))
    with pytest.raises(AgentError):
        personas.get("nobody")
    with pytest.raises(ToolLoadError):
        personas.get(str(file))


# Models to fail over to


def test_a_failover_is_as_the_agents_own_model_where_it_says_nothing_else() -> None:
    persona = make_persona(
        agent(voice="cedar", failover=(Failover(),)), settings(openai_project="proj_1")
    )
    own, other = persona.models
    assert other == own
    assert own.credentials == Credentials(KEY, "https://api.openai.com/v1", "proj_1")
    assert persona.call.relay.models == 2


def test_a_failover_may_be_another_model_elsewhere_for_another_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECOND_KEY", " sk-second\n")
    second = Failover(
        model="gpt-realtime-2.1-mini",
        base_url="https://eu.example.com/v1",
        api_key_env="SECOND_KEY",
        project="proj_2",
        voice="marin",
    )
    persona = make_persona(agent(voice="cedar", language="de", failover=(second,)), settings())
    own, other = persona.models
    assert other.credentials == Credentials("sk-second", "https://eu.example.com/v1", "proj_2")
    assert (other.config.model, other.config.voice) == ("gpt-realtime-2.1-mini", "marin")
    assert other.config == replace(own.config, model="gpt-realtime-2.1-mini", voice="marin")
    assert own.name != other.name


def test_a_models_name_tells_it_from_others_and_holds_no_key() -> None:
    persona = make_persona(agent(failover=(Failover(project="proj_2"),)), settings())
    names = [choice.name for choice in persona.models]
    assert len(set(names)) == 2
    assert not any(KEY in name for name in names)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_failover_whose_key_is_not_set_is_told_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("SECOND_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SECOND_KEY", value)
    with pytest.raises(AgentError, match=r"^a\.toml: failover: .* SECOND_KEY, but it is not set"):
        make_persona(agent(failover=(Failover(api_key_env="SECOND_KEY"),)), settings())


def test_prices_stand_beside_their_models() -> None:
    known = {DEFAULT_MODEL: PRICES}
    persona = make_persona(agent(failover=(Failover(model="other"),)), settings(), known.get)
    assert persona.call.prices == (PRICES, None)


def test_the_relay_is_as_the_operator_and_the_agent_say() -> None:
    operators = settings(
        session_minutes=7.5,
        session_context_tokens=20_000,
        session_spend_usd=0.4,
        summary_model="gpt-text",
        model_connect_timeout_s=1.2,
        model_give_up_s=2.5,
    )
    relay = make_persona(agent(filler="Just a second."), operators).call.relay
    assert relay.session_ms == 450_000
    assert (relay.context_tokens, relay.spend_usd) == (20_000, 0.4)
    assert (relay.attempt_ms, relay.give_up_ms) == (1_200, 2_500)
    assert (relay.summary_by, relay.filler, relay.models) == ("text_model", "Just a second.", 1)
    assert make_persona(agent(), settings()).call.relay.summary_by == "session"
