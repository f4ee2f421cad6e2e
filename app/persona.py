"""From an agent's file to what a call needs: model session, call settings, tools."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from app.agents import Agent, AgentError, load_agent
from app.agents import SemanticVad as AgentSemanticVad
from app.call.phases import CallSettings
from app.call.playout import PlayoutSettings
from app.call.responses import ResponseSettings
from app.models.ports import SemanticVad, ServerVad, SessionConfig, TurnDetection
from app.settings import Settings
from app.tools.toolbox import Toolbox

Adjust: TypeAlias = Callable[[CallSettings], CallSettings]
"""Changes what the settings and an agent's file made of a call's settings."""


def as_it_is(call: CallSettings) -> CallSettings:
    """The adjustment that changes nothing."""
    return call


@dataclass(frozen=True, slots=True)
class Persona:
    """An agent, ready to take calls. Shared by all its calls."""

    agent: Agent
    session: SessionConfig
    call: CallSettings
    tools: Toolbox


class Personas:
    """Agents by name or path, each loaded and checked once."""

    def __init__(self, settings: Settings, adjust: Adjust = as_it_is) -> None:
        self._settings = settings
        self._adjust = adjust
        self._ready: dict[str, Persona] = {}

    def get(self, name: str) -> Persona:
        """Raises `AgentError` or `ToolLoadError`, whose text says how to mend the file."""
        if name not in self._ready:
            persona = make_persona(load_agent(name), self._settings)
            self._ready[name] = replace(persona, call=self._adjust(persona.call))
        return self._ready[name]

    def knows(self, name: str) -> bool:
        try:
            self.get(name)
        except (AgentError, ValueError):
            return False
        return True


def make_persona(agent: Agent, settings: Settings) -> Persona:
    """Raises `ToolLoadError` for tools that cannot be used."""
    tools = Toolbox.load(agent.tools, agent.folder, timeout_s=settings.tool_timeout_s)
    return Persona(agent, _session(agent, settings, tools.schemas()), _call(agent, settings), tools)


def greeting_instructions(greeting: str) -> str:
    """What the model is told so that it says the greeting, and only that."""
    return f'Greet the caller now. Say exactly these words and nothing else: "{greeting}"'


def _session(agent: Agent, settings: Settings, schemas: list[dict[str, object]]) -> SessionConfig:
    tools: tuple[Mapping[str, object], ...] = tuple(schemas)
    return SessionConfig(
        model=settings.model_for(agent.model),
        voice=agent.voice,
        instructions=agent.instructions,
        tools=tools,
        turn_detection=_turn_detection(agent),
        transcription_model=agent.transcription_model or None,
        language=agent.language or None,
        speed=agent.speed if agent.speed != 1.0 else None,
        max_output_tokens=None if agent.max_output_tokens == "inf" else agent.max_output_tokens,
        reasoning_effort=agent.reasoning_effort or None,
    )


def _turn_detection(agent: Agent) -> TurnDetection:
    turns = agent.turn_detection
    if isinstance(turns, AgentSemanticVad):
        return SemanticVad(eagerness=turns.eagerness)
    return ServerVad(
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_duration_ms,
    )


def _call(agent: Agent, settings: Settings) -> CallSettings:
    return CallSettings(
        greeting=greeting_instructions(agent.greeting) if agent.greeting else "",
        playout=_playout(settings.lead_ms),
        responses=ResponseSettings(server_answers=True, server_cancels=True),
    )


def _playout(lead_ms: int) -> PlayoutSettings:
    """A short lead is topped up in smaller steps, of whole 20 ms frames."""
    usual_ms = PlayoutSettings().step_ms
    return PlayoutSettings(lead_ms=lead_ms, step_ms=max(20, min(usual_ms, lead_ms // 40 * 20)))
