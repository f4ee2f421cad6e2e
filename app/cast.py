"""Who may speak in one call: the agent that it began with, and colleagues that it is handed to,
each in the version that it had when it was first needed."""

from collections.abc import Callable
from dataclasses import dataclass

from app.agents import AgentError
from app.briefing import Briefing
from app.call.facts import CallFacts
from app.persona import Persona, Personas
from app.tools.errors import ToolLoadError


@dataclass(frozen=True, slots=True)
class Part:
    """An agent in this call."""

    chosen_as: str
    """The name or path by which it was chosen; who asks `Personas` for it uses that."""
    briefing: Briefing
    persona: Persona
    """In the words of this call."""


class Cast:
    """One per call."""

    def __init__(
        self,
        personas: Personas,
        first: str,
        facts: CallFacts,
        ask: Callable[[Briefing], None] = lambda briefing: None,
    ) -> None:
        """`ask`: has an agent's look-up made. Raises what `Personas.get` raises."""
        self._personas = personas
        self._facts = facts
        self._ask = ask
        self.first = self._cast(first)
        self._parts = {"": self.first, self.first.persona.agent.name: self.first}

    def part(self, agent: str) -> Part:
        """`agent`: "" for the first one. Raises what `Personas.get` raises, for a colleague whose
        file went wrong since the call began."""
        if agent not in self._parts:
            self._parts[agent] = self._cast(agent)
        return self._parts[agent]

    def part_or_first(self, agent: str) -> Part:
        """The first one in place of a colleague whose file went wrong; not for what is allowed."""
        try:
            return self.part(agent)
        except (AgentError, ToolLoadError):
            return self.first

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple({id(part): part for part in self._parts.values()}.values())

    def _cast(self, agent: str) -> Part:
        briefing = Briefing(self._personas.get(agent), self._facts)
        self._ask(briefing)
        return Part(agent, briefing, briefing.persona())
