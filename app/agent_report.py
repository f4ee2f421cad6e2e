"""What `earshot agents check` finds out about every agent and the routes, as data."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import SecretStr

from app.agents import Agent, AgentError, agent_files, load_agent
from app.agents.routes import Routes, load_routes, no_such_agent, routes_path
from app.agents.tokens import PRESSURE_TOKENS, about_tokens, about_tool_tokens
from app.manner import call_settings
from app.persona import make_persona
from app.settings import Settings
from app.tools.errors import ToolLoadError

Status: TypeAlias = Literal["ok", "warn", "fail"]
WARN_PERCENT, HIGH_PERCENT = 50, 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One agent, or the routes."""

    name: str
    source: str
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        return "fail" if self.errors else "warn" if self.warnings else "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport(Report):
    version: str = ""
    model: str = ""
    voice: str = ""
    tools: tuple[str, ...] = ()
    instruction_tokens: int = 0
    tool_tokens: int = 0
    """Both about; of tools that are loaded on demand those too."""

    @property
    def percent(self) -> int:
        """Of the pressure point."""
        return round(100 * (self.instruction_tokens + self.tool_tokens) / PRESSURE_TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesReport(Report):
    rules: int = 0


@dataclass(frozen=True, slots=True)
class WholeReport:
    agents: tuple[AgentReport, ...]
    routes: RoutesReport | None
    """None: not asked for."""

    @property
    def all(self) -> tuple[Report, ...]:
        return (*self.agents, *([self.routes] if self.routes else []))

    @property
    def exit_code(self) -> int:
        return 1 if any(report.errors for report in self.all) else 0


def inspect_all(settings: Settings, names: tuple[str, ...] = ()) -> WholeReport:
    """The named agents; without names all there are, and the routes."""
    agents = tuple(inspect_agent(name, settings) for name in names or agent_files())
    return WholeReport(agents, None if names else inspect_routes(settings))


def inspect_agent(name: str, settings: Settings) -> AgentReport:
    source = str(agent_files().get(name, name))
    try:
        agent = load_agent(name)
    except AgentError as error:
        return AgentReport(name=Path(name).stem, source=source, errors=_lines(error))
    report = AgentReport(
        name=agent.name,
        source=source,
        version=agent.version,
        model=settings.model_for(agent.model),
        voice=agent.voice,
        instruction_tokens=about_tokens(agent.instructions),
    )
    try:
        tools = make_persona(_keyless(agent), _keyed(settings)).tools
    except (AgentError, ToolLoadError) as error:
        told = {**dict.fromkeys(_contradictions(agent, settings)), **dict.fromkeys(_lines(error))}
        return replace(report, errors=tuple(_placed(line, agent) for line in told))
    report = replace(
        report, tools=tuple(tools.names), tool_tokens=about_tool_tokens(tools.schemas())
    )
    return replace(report, warnings=tuple(_warnings(report, agent)))


def _keyed(settings: Settings) -> Settings:
    """No key is needed to check an agent."""
    key = settings.openai_api_key.get_secret_value() or "sk-only-checked"
    return settings.model_copy(update={"openai_api_key": SecretStr(key)})


def _keyless(agent: Agent) -> Agent:
    """Nor are its own: those that are not set are warned of."""
    failover = tuple(replace(other, api_key_env="") for other in agent.failover)
    lookup = replace(agent.lookup, secret_env="") if agent.lookup else None
    return replace(agent, failover=failover, lookup=lookup)


def _placed(line: str, agent: Agent) -> str:
    return line if str(agent.source) in line else f"{agent.source}: {line}"


def inspect_routes(settings: Settings) -> RoutesReport:
    path = routes_path(settings.routes)
    try:
        routes = load_routes(path, must_exist=bool(settings.routes))
    except AgentError as error:
        return RoutesReport(name="routes", source=str(path), errors=_lines(error))
    return RoutesReport(
        name="routes",
        source=str(path),
        rules=len(routes.route),
        errors=tuple(_unknown(routes)),
        warnings=tuple(
            f"{path}: route[{rule}] is never reached: route[{before}] takes its calls."
            for rule, before in routes.never()
        ),
    )


def _contradictions(agent: Agent, settings: Settings) -> Iterator[str]:
    try:
        call_settings(agent, settings, ())
    except AgentError as error:
        yield from _lines(error)


def _warnings(report: AgentReport, agent: Agent) -> Iterator[str]:
    if not agent.disclosure:
        yield (
            f"{agent.source}: disclosure: it is missing; callers must be told that a machine "
            f"speaks (EU AI Act, Article 50, since 2 August 2026)."
        )
    named = [("failover", other.api_key_env) for other in agent.failover]
    named += [("lookup", agent.lookup.secret_env)] if agent.lookup else []
    for key, variable in named:
        if variable and not os.environ.get(variable, "").strip():
            yield f"{agent.source}: {key}: {variable} is not set on this machine."
    if report.percent >= WARN_PERCENT:
        how = "little room is left" if report.percent >= HIGH_PERCENT else "they are getting long"
        yield (
            f"{agent.source}: instructions and tools are about "
            f"{report.instruction_tokens + report.tool_tokens} tokens, {report.percent} % of the "
            f"{PRESSURE_TOKENS} that a session takes: {how}."
        )


def _unknown(routes: Routes) -> Iterator[str]:
    known = agent_files()
    for agent in routes.agents:
        if agent not in known:
            try:
                load_agent(agent)
            except AgentError as error:
                yield str(no_such_agent(routes, agent, str(error)))


def _lines(error: Exception) -> tuple[str, ...]:
    return tuple(str(error).splitlines())
