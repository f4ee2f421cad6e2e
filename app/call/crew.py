"""Who speaks in a call: the agent that it began with, or a colleague; and in which language.

Another agent or language is another leg of the relay: the one that carries the call speaks until
the next one stands by, and knows all that was said. No summary is asked for: it would keep the
caller waiting, and the lines of the conversation are told word for word.
"""

from dataclasses import dataclass, field

from app.call.prices import Prices

TAKE_OVER = (
    "You have just taken over this call from a colleague, who has told the caller so. You know "
    "what was said. Introduce yourself in a few words and go on with what the caller wants; do not "
    "ask again for what they have told already."
)
"""For the first answer of an agent that was handed a call."""
GO_ON_IN = "Go on in {language}, from where the conversation stands, without greeting again."
SPEAK = "Speak the language with the code {language} with this caller from now on."
"""Part of what a leg must know, once the caller has chosen another language."""
NOT_THERE = (
    "The colleague could not be reached just now. Tell the caller so in one sentence, and help "
    "them yourself as far as you can."
)


@dataclass(frozen=True, slots=True)
class Who:
    """Who speaks. "" stands for the agent, or the language, that the call began with."""

    agent: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Another agent, as far as the heart must know it."""

    name: str
    models: int = 1
    """How many models it names."""
    prices: tuple[Prices | None, ...] = ()
    """Of each of them; None where they are not known."""


@dataclass(slots=True)
class Crew:
    """`first` is the agent that the call began with, under whatever name."""

    first: Colleague
    colleagues: tuple[Colleague, ...] = ()
    who: Who = field(default_factory=Who)

    @property
    def speaking(self) -> Colleague:
        return self.find(self.who.agent) or self.first

    def find(self, agent: str) -> Colleague | None:
        """None: there is no such colleague."""
        if agent in ("", self.first.name):
            return self.first
        return next((one for one in self.colleagues if one.name == agent), None)
