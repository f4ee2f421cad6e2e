"""What an agent may name on the telephone: people, colleagues, languages."""

from collections.abc import Callable

from app.agents import Agent, AgentError, load_agent
from app.call.crew import Colleague
from app.call.prices import Prices
from app.onward.choosing import offered
from app.onward.ways import Ways
from app.settings import Settings
from app.tools.telephone import TELEPHONE_TOOLS, Crew, telephone_tool
from app.tools.tool import Tool


def colleagues_of(
    agent: Agent, settings: Settings, prices_of: Callable[[str], Prices | None]
) -> tuple[Colleague, ...]:
    """The agents that its calls can come to, also by way of another one, as far as a call must
    know. Raises `AgentError`."""
    found: dict[str, Agent] = {}
    waiting = _others(agent)
    while waiting:
        other = waiting.pop(0)
        if other.name != agent.name and other.name not in found:
            found[other.name] = other
            waiting += _others(other)
    return tuple(_colleague(other, settings, prices_of) for other in found.values())


def telephone_tools(agent: Agent, ways: Ways) -> list[Tool]:
    """Those that its file names. Raises `ToolLoadError`, or `AgentError` for a colleague that is
    not there."""
    wanted = [name for name in agent.tools if name in TELEPHONE_TOOLS]
    if not wanted:
        return []
    crew = Crew(
        transfers=ways.transfers,
        colleagues={other.name: other.description for other in _others(agent)},
        languages=tuple(dict.fromkeys((agent.language, *agent.languages)))
        if agent.languages
        else (),
        voicemail=ways.voicemail is not None,
        menu=bool(offered(ways)),
    )
    return [telephone_tool(name, crew) for name in wanted]


def _others(agent: Agent) -> list[Agent]:
    found = []
    for name in agent.colleagues:
        try:
            found.append(load_agent(name))
        except AgentError as error:
            first = str(error).splitlines()[0]
            raise AgentError(
                f"{agent.source}: colleagues: expected the name of an agent that can take calls, "
                f'got "{name}": {first}'
            ) from error
    return found


def _colleague(
    agent: Agent, settings: Settings, prices_of: Callable[[str], Prices | None]
) -> Colleague:
    own = settings.model_for(agent.model)
    models = [own, *(other.model or own for other in agent.failover)]
    return Colleague(agent.name, len(models), tuple(prices_of(model) for model in models))
