"""An agent in one call: its texts with `{{...}}` filled in, from what is known of the caller."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from app.agents.variables import Values, has_variables, values_of
from app.call.facts import CallFacts
from app.manner import worded
from app.persona import Persona


def now() -> datetime:
    return datetime.now(UTC)


class Briefing:
    """Made when a call's stream has started. What is learnt later counts for sessions that are
    opened after that; words that callers hear at the beginning are as they are known then."""

    def __init__(
        self, persona: Persona, facts: CallFacts, clock: Callable[[], datetime] = now
    ) -> None:
        self._persona = persona
        self._values: Values | None = None
        if has_variables(persona.agent):
            self._values = values_of(persona.agent, facts, clock)

    def learn(self, outside: Mapping[str, str]) -> None:
        """Somebody else's words about the caller."""
        if self._values is not None:
            self._values = self._values.told_also(outside)

    def persona(self) -> Persona:
        """The persona in the words of this call; the same one if its texts name no variable."""
        values, persona = self._values, self._persona
        if values is None:
            return persona
        agent = persona.agent
        silence = replace(
            agent.silence,
            prompts=tuple(values.prompt(text) for text in agent.silence.prompts),
            goodbye=values.prompt(agent.silence.goodbye),
        )
        spoken = replace(
            agent,
            greeting=values.spoken(agent.greeting),
            disclosure=values.spoken(agent.disclosure),
            notices=tuple(values.spoken(text) for text in agent.notices),
            silence=silence,
        )
        return replace(persona, call=worded(persona.call, spoken))

    def spoken(self, text: str) -> str:
        """A sentence of the agent's file as this caller is to hear it."""
        return text if self._values is None else self._values.spoken(text)

    def instructions(self) -> str:
        """The prompt of a session that is opened now."""
        text = self._persona.agent.instructions
        return text if self._values is None else self._values.prompt(text)
