"""From an agent's file to what a call needs: models, call settings, tools."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from app.after.targets import check_webhooks
from app.agents import Agent, AgentError, Failover, Local, default_search, load_agent
from app.agents import SemanticVad as AgentSemanticVad
from app.agents.files import files_of
from app.call.phases import CallSettings
from app.call.prices import Prices
from app.care.consent import check_recording
from app.crew import colleagues_of, telephone_tools
from app.lookup import signed
from app.manner import call_settings
from app.models.openai_connect import Credentials
from app.models.ports import SemanticVad, ServerVad, SessionConfig, TurnDetection
from app.observe.log import event
from app.onward.ways import Ways
from app.outgoing.endpoints import secrets_from
from app.policy.trust import Proof, Trust
from app.reloading import Kept
from app.rules import destination_rules, opening_hours, required_trust
from app.settings import Settings
from app.tools.outside import Outside
from app.tools.telephone import TELEPHONE_TOOLS
from app.tools.toolbox import Toolbox
from app.tools.topics import Topic as ToolTopic
from app.tools.topics import check_topics
from app.ways import targets_of, ways_of

logger = logging.getLogger(__name__)

Adjust: TypeAlias = Callable[[CallSettings], CallSettings]
"""Changes what the settings and an agent's file made of a call's settings."""


Revise: TypeAlias = Callable[[Agent], Agent]
"""Changes what an agent's file says, before it is used."""


def as_it_is(call: CallSettings) -> CallSettings:
    """The adjustment that changes nothing."""
    return call


def as_written(agent: Agent) -> Agent:
    """The revision that changes nothing."""
    return agent


@dataclass(frozen=True, slots=True)
class Persona:
    """An agent, ready to take calls. Shared by all its calls."""

    agent: Agent
    models: tuple["ModelChoice", ...]
    """The agent's own model first, then those that it fails over to."""
    call: CallSettings
    tools: Toolbox
    ways: Ways = field(default_factory=Ways)
    """Where its calls may go outside the model."""
    trust: Mapping[str, Trust] = field(default_factory=dict)
    """How sure it must be who calls, by tool."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """Tools whose success proves it."""
    lookup_secret: str = field(default="", repr=False)
    """For the other side of `[lookup]`."""

    @property
    def wait_lines(self) -> tuple[str, ...]:
        """What it says while tools run. Those of MCP servers are known when the server is there."""
        own = (manner.wait_words for manner in self.tools.manners.values())
        return tuple(text for text in (self.agent.silence.tool_words, *own) if text)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model that can carry a call."""

    config: SessionConfig
    credentials: Credentials

    @property
    def name(self) -> str:
        """Tells this choice from others, for the state that workers share; holds no secret."""
        return f"{self.config.model}@{self.credentials.base_url}#{self.credentials.project or ''}"


class Personas:
    """Agents by name or path, each loaded and checked when it is first asked for, and again when
    its files have changed: `watched`. Whoever holds a persona keeps that version of it."""

    def __init__(
        self,
        settings: Settings,
        adjust: Adjust = as_it_is,
        prices_of: Callable[[str], Prices | None] = lambda model: None,
        revise: Revise = as_written,
    ) -> None:
        """`prices_of`: a model's prices, if they are known."""
        self._settings = settings
        self._prices_of = prices_of
        self._adjust = adjust
        self._revise = revise
        self._kept: dict[str, Kept[Persona]] = {}
        self.outside = Outside()
        """What the agents' tools share. Whoever answers calls must run it."""

    def get(self, name: str) -> Persona:
        """Raises `AgentError` or `ToolLoadError`, whose text says how to mend the file."""
        if name not in self._kept:
            self._kept[name] = Kept(name, lambda: self._load(name), lambda: self._files(name))
        return self._kept[name].value

    def knows(self, name: str) -> bool:
        try:
            self.get(name)
        except (AgentError, ValueError):
            return False
        return True

    @property
    def watched(self) -> tuple[Kept[Persona], ...]:
        return tuple(self._kept.values())

    @property
    def ready(self) -> tuple[Persona, ...]:
        """Those that take calls now."""
        return tuple(kept.value for kept in self._kept.values())

    def _load(self, name: str) -> Persona:
        agent = self._revise(load_agent(name))
        persona = make_persona(agent, self._settings, self._prices_of, self.outside)
        event(logger, logging.INFO, "agent loaded", agent=agent.name, version=agent.version)
        return replace(persona, call=self._adjust(persona.call))

    def _files(self, name: str) -> tuple[Path, ...]:
        """Its prices too: its calls reckon with them."""
        prices = self._settings.prices
        return (*files_of(name, default_search()), *([Path(prices)] if prices else []))


def make_persona(
    agent: Agent,
    settings: Settings,
    prices_of: Callable[[str], Prices | None] = lambda model: None,
    outside: Outside | None = None,
) -> Persona:
    """`outside`: the process's; None: nobody will run the agent's MCP servers.

    Raises `ToolLoadError` for tools that cannot be used, `AgentError` for a key that is not
    set."""
    check_webhooks(agent, secrets_from(os.environ))
    check_recording(agent)
    ways = ways_of(agent)
    opening_hours(agent, tuple(agent.transfers))
    destination_rules(agent, (), targets_of(agent))
    tools = toolbox_of(agent, settings, outside or Outside(), ways)
    first = ModelChoice(
        _session(agent, settings, tools.schemas()),
        credentials_of(settings),
    )
    models = (first, *(_other(first, other, agent) for other in agent.failover))
    prices = tuple(prices_of(choice.config.model) for choice in models)
    call = call_settings(agent, settings, prices)
    if call.turn_end is not None and call.turn_end.judge:
        call = replace(call, judge_prices=prices_of(settings.judge_model))
    call = replace(call, agent=agent.name, colleagues=colleagues_of(agent, settings, prices_of))
    # What an MCP server has is not known yet.
    named = (*tools.names, *(agent.policy.trust if agent.mcp else ()))
    trust = required_trust(agent, named)
    proofs = {tool: Proof(proof) for tool, proof in agent.policy.proofs.items()}
    secret = _lookup_secret(agent)
    return Persona(agent, models, call, tools, ways, trust, proofs, secret)


def toolbox_of(agent: Agent, settings: Settings, outside: Outside, ways: Ways) -> Toolbox:
    """Raises `ToolLoadError` for tools that cannot be used."""
    folder = str(agent.folder)
    topics = {name: ToolTopic(t.description, t.tools) for name, t in agent.topics.items()}
    toolbox = Toolbox.load(
        [name for name in agent.tools if name not in TELEPHONE_TOOLS],
        agent.folder,
        tools=[
            *(outside.http_tool(table, os.environ) for table in agent.http_tools),
            *telephone_tools(agent, ways),
        ],
        sources=[outside.server(n, table, os.environ, folder) for n, table in agent.mcp.items()],
        topics=topics,
        timeout_s=settings.tool_timeout_s,
    )
    check_topics(topics, toolbox.names, tuple(agent.mcp))
    return toolbox


def credentials_of(settings: Settings, base_url: str = "") -> Credentials:
    """The operator's own; `base_url`: another place for them."""
    return Credentials(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=base_url or settings.openai_base_url,
        project=settings.openai_project or None,
    )


def _other(first: ModelChoice, other: Failover, agent: Agent) -> ModelChoice:
    """What a failover does not name is as it is with the agent's own model."""
    config = replace(
        first.config,
        model=other.model or first.config.model,
        voice=other.voice or first.config.voice,
    )
    key = ""
    if other.api_key_env:
        hint = "or leave api_key_env out to use OPENAI_API_KEY"
        key = _from_env(agent, "failover", "a key", other.api_key_env, hint)
    own = first.credentials
    credentials = Credentials(
        api_key=key or own.api_key,
        base_url=other.base_url or own.base_url,
        project=other.project or own.project,
    )
    return ModelChoice(config, credentials)


def _from_env(agent: Agent, key: str, what: str, variable: str, hint: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise AgentError(
            f"{agent.source}: {key}: expected {what} in the environment variable {variable}, but "
            f"it is not set. Set it, {hint}."
        )
    return value


def _lookup_secret(agent: Agent) -> str:
    """Raises `AgentError` for one that is not set or cannot sign."""
    lookup = agent.lookup
    if lookup is None or not lookup.secret_env:
        return ""
    hint = "or leave secret_env out to send none"
    secret = _from_env(agent, "lookup", "a secret", lookup.secret_env, hint)
    if lookup.sign == "webhook":
        try:
            signed(secret, "check", b"")
        except ValueError as error:
            raise AgentError(
                f'{agent.source}: lookup: expected a signing secret such as "whsec_..." (base64) '
                f"in {lookup.secret_env}, got something else."
            ) from error
    return secret


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


def _turn_detection(agent: Agent) -> TurnDetection | None:
    """Where we decide who has the floor, the model neither answers nor stops by itself."""
    turns, models = agent.turn_detection, agent.barge_in.by == "model"
    if isinstance(turns, Local):
        return None
    if isinstance(turns, AgentSemanticVad):
        return SemanticVad(turns.eagerness, create_response=models, interrupt_response=models)
    return ServerVad(
        threshold=turns.threshold,
        prefix_padding_ms=turns.prefix_padding_ms,
        silence_duration_ms=turns.silence_duration_ms,
        create_response=models,
        interrupt_response=models,
    )
