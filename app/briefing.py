"""An agent in one call: its texts with `{{...}}` filled in, from what is known of the caller."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from app.agents.placeholders import names_in
from app.agents.variables import Values, has_variables, values_of
from app.call.facts import CallFacts
from app.lookup import Asked, Lookups
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
        self._facts, self._clock = facts, clock
        self._values: Values | None = None
        self._asked: Asked | None = None
        if has_variables(persona.agent):
            self._values = values_of(persona.agent, facts, clock)

    def begin(self, lookups: Lookups, call_id: str) -> None:
        """Have the agent's look-up made, if it has one."""
        if self._values is not None:
            persona = self._persona
            lookups.begin(call_id, persona.agent, self._values, persona.lookup_secret)

    def ask(self, lookups: Lookups, call_id: str) -> None:
        """The same; its answer counts here as soon as it is there."""
        self.begin(lookups, call_id)
        self._asked = lookups.take(call_id, self._persona.agent)

    def learn(self, outside: Mapping[str, str]) -> None:
        """Somebody else's words about the caller."""
        if self._values is not None:
            self._values = self._values.told_also(outside)

    def persona(self) -> Persona:
        """The persona in the words of this call; the same one if its texts name no variable."""
        self._learn_asked()
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

    def message(self, text: str) -> str:
        """What a campaign has left on machines, as this person is to hear it."""
        values = self._values
        if values is None and names_in(text):
            values = values_of(self._persona.agent, self._facts, self._clock)
        return text if values is None else values.spoken(text)

    async def instructions(self, most_s: float = 0.0) -> str:
        """The prompt of a session that is opened now. A look-up is waited for as long as the
        agent's file says from its beginning on, and `most_s` at most."""
        if self._asked is not None:
            await self._asked.waited(most_s)
        self._learn_asked()
        text = self._persona.agent.instructions
        return text if self._values is None else self._values.prompt(text)

    def _learn_asked(self) -> None:
        if self._asked is not None and (answer := self._asked.answer):
            self.learn(answer)
            self._asked = None
