"""Only what every caller of an agent hears alike becomes a recording, in the voice that the agent
has."""

from pathlib import Path
from typing import cast

from pydantic import SecretStr

from app.call.facts import CallFacts
from app.cast import Cast
from app.persona import Personas
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

        self.passing: list[PhraseKey] = []

    def want(self, key: PhraseKey, *, passing: bool = False) -> None:
        (self.passing if passing else self.wanted).append(key)

    def get(self, key: PhraseKey) -> bytes | None:
        return key.voice.encode() if key in self.wanted else None


def book_of(book: Book) -> PhraseBook:
    return cast(PhraseBook, book)


def on_call(folder: Path, greeting: str = "Hello.") -> Cast:
    path, _ = house(folder, AGENT.format(greeting=greeting))
    other = folder / "other.toml"
    other.write_text(AGENT.format(greeting="Hi.").replace("cedar", "marin"), encoding="utf-8")
    personas = Personas(Settings(openai_api_key=SecretStr("sk-x")))
    who = Cast(personas, str(path), CallFacts())
    who.part(str(other))
    return who


def other(who: Cast) -> str:
    return who.parts[1].chosen_as


def test_what_is_said_word_for_word_is_wanted_in_the_agents_voice(tmp_path: Path) -> None:
    book, who = Book(), on_call(tmp_path)
    Phrases(book_of(book)).want(who.first.persona)
    assert {"Hello.", "One moment.", "I am looking."} <= {key.text for key in book.wanted}
    assert {key.voice for key in book.wanted} == {"cedar"}
    assert "" not in {key.text for key in book.wanted}


def test_what_was_wanted_is_what_is_got(tmp_path: Path) -> None:
    phrases, who = Phrases(book_of(Book())), on_call(tmp_path)
    phrases.want(who.first.persona)
    assert phrases.get(who, "", "One moment.") == b"cedar"
    assert phrases.get(who, "", "Something else.") is None


def test_a_colleague_waits_in_their_own_voice_and_greets_nobody(tmp_path: Path) -> None:
    book, who = Book(), on_call(tmp_path)
    phrases = Phrases(book_of(book))
    phrases.want(who.first.persona)
    phrases.want_lines(who, other(who))
    assert phrases.get(who, other(who), "I am looking.") == b"marin"
    assert "Hi." not in {key.text for key in book.wanted}


def test_the_calls_own_lines_are_in_the_voice_of_who_began(tmp_path: Path) -> None:
    phrases, who = Phrases(book_of(Book())), on_call(tmp_path)
    phrases.want(who.first.persona)
    assert phrases.get(who, other(who), "Hello.") == b"cedar"


def test_a_text_with_variables_would_make_one_for_every_caller(tmp_path: Path) -> None:
    book, who = Book(), on_call(tmp_path, "Hello {{caller_name}}.")
    Phrases(book_of(book)).want(who.first.persona)
    assert not [key for key in book.wanted if "Hello" in key.text]
    assert "One moment." in {key.text for key in book.wanted}


def test_without_recordings_nothing_is_at_hand(tmp_path: Path) -> None:
    phrases, who = Phrases(None), on_call(tmp_path)
    phrases.want(who.first.persona)
    phrases.want_lines(who, "")
    assert phrases.get(who, "", "One moment.") is None


def test_a_message_for_one_person_passes_and_one_for_all_stays(tmp_path: Path) -> None:
    book, who = Book(), on_call(tmp_path)
    phrases, persona = Phrases(book_of(book)), who.first.persona
    phrases.want_message(persona, "Please call back.", for_one=False)
    phrases.want_message(persona, "Ann, please call back.", for_one=True)
    phrases.want_message(persona, "", for_one=False)
    assert [(key.text, key.voice) for key in book.wanted] == [("Please call back.", "cedar")]
    assert [key.text for key in book.passing] == ["Ann, please call back."]
    Phrases(None).want_message(persona, "Please call back.", for_one=False)
