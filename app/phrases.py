"""What agents say word for word, at hand as recordings in their own voices."""

from app.agents.placeholders import names_in
from app.cast import Cast
from app.persona import Persona
from app.speech.phrase_book import PhraseBook, PhraseKey


class Phrases:
    """One for a worker. `book`: None where nobody makes recordings."""

    def __init__(self, book: PhraseBook | None) -> None:
        self._book = book

    def want(self, persona: Persona) -> None:
        agent = persona.agent
        self._want(persona, *agent.first_words, agent.greeting, agent.filler, *persona.wait_lines)

    def want_message(self, persona: Persona, text: str, *, for_one: bool) -> None:
        """What is left on answering machines. `for_one`: the words are one person's, and the
        recording is not kept."""
        if self._book is not None and text:
            self._book.want(_key(persona, text), passing=for_one)

    def want_lines(self, cast: Cast, speaker: str) -> None:
        """What may be said for who is about to speak, while they think or work."""
        persona = cast.part_or_first(speaker).persona
        self._want(persona, cast.first.persona.agent.filler, *persona.wait_lines)

    def get(self, cast: Cast, speaker: str, text: str) -> bytes | None:
        """In the voice of who speaks, or else of who began: the call's own lines are theirs."""
        if self._book is None:
            return None
        keys = (_key(p.persona, text) for p in (cast.part_or_first(speaker), cast.first))
        return next(filter(None, map(self._book.get, keys)), None)

    def _want(self, persona: Persona, *texts: str) -> None:
        """As recordings; a text with variables would make one for every caller."""
        for text in texts:
            if self._book is not None and text and not names_in(text):
                self._book.want(_key(persona, text))


def _key(persona: Persona, text: str) -> PhraseKey:
    config = persona.models[0].config
    return PhraseKey(text, config.voice, config.model, config.speed)
