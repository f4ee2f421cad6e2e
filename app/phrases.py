"""What agents say word for word, at hand as recordings in their own voices."""

from app.agents.placeholders import names_in
from app.persona import Persona, with_tools
from app.speech.phrase_book import PhraseBook, PhraseKey


class Phrases:
    """One for a worker. `book`: None where nobody makes recordings."""

    def __init__(self, book: PhraseBook | None) -> None:
        self._book = book

    def want(self, persona: Persona) -> None:
        """As recordings; a text with variables would make one for every caller."""
        if self._book is None:
            return
        agent = persona.agent
        lines = with_tools(persona.call, agent, persona.tools).wait_words.values()
        for text in (*agent.first_words, agent.greeting, agent.filler, *lines):
            if text and not names_in(text):
                self._book.want(_key(persona, text))

    def get(self, persona: Persona, text: str) -> bytes | None:
        """See `app.bridge.ports.Phrases`."""
        return None if self._book is None else self._book.get(_key(persona, text))


def _key(persona: Persona, text: str) -> PhraseKey:
    config = persona.models[0].config
    return PhraseKey(text, config.voice, config.model, config.speed)
