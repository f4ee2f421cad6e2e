"""Only what every caller of an agent hears alike becomes a recording, in the voice that the agent
has."""

from pathlib import Path
from typing import cast

from pydantic import SecretStr

from app.agents import load_agent
from app.persona import Persona, make_persona
from app.phrases import Phrases
from app.settings import Settings
from app.speech.phrase_book import PhraseBook, PhraseKey
from tests.onward.house import house

AGENT = """
instructions = "You answer."
voice = "cedar"
greeting = "{greeting}"
filler = "One moment."
[silence]
tool_words = "I am looking."
[variables]
caller_name = "you"
"""


class Book:
    """What `Phrases` needs of `PhraseBook`: everything that it was asked for is there."""

    def __init__(self) -> None:
        self.wanted: list[PhraseKey] = []

    def want(self, key: PhraseKey) -> None:
        self.wanted.append(key)

    def get(self, key: PhraseKey) -> bytes | None:
        return b"ulaw" if key in self.wanted else None


def persona(folder: Path, greeting: str = "Hello.") -> Persona:
    path, _ = house(folder, AGENT.format(greeting=greeting))
    return make_persona(load_agent(path), Settings(openai_api_key=SecretStr("sk-x")))


def test_what_is_said_word_for_word_is_wanted_in_the_agents_voice(tmp_path: Path) -> None:
    book, who = Book(), persona(tmp_path)
    Phrases(cast(PhraseBook, book)).want(who)
    assert {"Hello.", "One moment.", "I am looking."} <= {key.text for key in book.wanted}
    assert {key.voice for key in book.wanted} == {"cedar"}
    assert "" not in {key.text for key in book.wanted}


def test_what_was_wanted_is_what_is_got(tmp_path: Path) -> None:
    phrases, who = Phrases(cast(PhraseBook, Book())), persona(tmp_path)
    phrases.want(who)
    assert phrases.get(who, "One moment.") == b"ulaw"
    assert phrases.get(who, "Something else.") is None


def test_a_text_with_variables_would_make_one_for_every_caller(tmp_path: Path) -> None:
    book, who = Book(), persona(tmp_path, "Hello {{caller_name}}.")
    Phrases(cast(PhraseBook, book)).want(who)
    assert not [key for key in book.wanted if "Hello" in key.text]
    assert "One moment." in {key.text for key in book.wanted}


def test_without_recordings_nothing_is_at_hand(tmp_path: Path) -> None:
    phrases, who = Phrases(None), persona(tmp_path)
    phrases.want(who)
    assert phrases.get(who, "One moment.") is None
