"""Who asks for a moment is understood, who says more than that is never left waiting; a backchannel
is one to its last word."""

from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.call.backchannel_words import BACKCHANNELS, EVERYWHERE
from app.call.hold_words import HOLD_WORDS
from app.call.holding import is_backchannel, wants_to_hold
from app.call.word_lists import Choice, Literal, Node, Phrases, Row, plain_words

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")

HOLDS = [
    ("en", "Hold on a moment."),
    ("en", "One second, please."),
    ("en", "hang on"),
    ("en", "Oh, sorry, could you hold on for a minute please?"),
    ("en", "Wait a minute, let me get my card."),
    ("en", "Hold on, I need to grab a pen."),
    ("en", "One moment, I'm looking for my card."),
    ("en", "Hold on, someone's at the door, sorry."),
    ("en", "Give me two minutes."),
    ("en", "Bear with me. Let me write that down."),
    ("en", "Let me put you on hold."),
    ("de", "Bitte warten Sie kurz."),
    ("de", "Moment mal, bitte."),
    ("de", "Äh, Moment, ich hole meine Karte."),
    ("de", "Können Sie kurz warten?"),
    ("de", "Einen Moment, ich muss kurz meine Brille suchen."),
    ("de", "Moment, ich schau nach."),
    ("de", "Nicht auflegen!"),
    ("de", "Geben Sie mir zwei Minuten bitte."),
    ("de", "Ich bin gleich wieder da."),
    ("fr", "Un instant, s'il vous plaît."),
    ("fr", "Ne quittez pas."),
    ("fr", "Un petit moment, je cherche ma carte."),
    ("fr", "Pouvez-vous patienter un instant ?"),
    ("fr", "Attendez, on sonne à la porte."),
    ("es", "un momento"),
    ("es", "¿Puede esperar un momentito, por favor?"),
    ("es", "Un segundo, voy a buscar mi tarjeta."),
    ("es", "¡No cuelgue!"),
    ("it", "Un attimo."),
    ("it", "Può attendere un secondo?"),
    ("it", "Un attimo che prendo una penna."),
    ("pt", "Só um minutinho, por favor."),
    ("pt", "Espera aí!"),
    ("pt", "Um momento, vou buscar a minha carteira."),
    ("nl", "Een momentje."),
    ("nl", "Kunt u even wachten?"),
    ("nl", "Eén moment, ik pak mijn pas."),
    ("nl", "Een moment, ik moet even mijn bril zoeken."),
]
NO_HOLDS = [
    ("en", "Hold on, that is wrong."),
    ("en", "One moment ago."),
    ("en", "Hold on to my booking, please."),
    ("en", "One second please, what did you say?"),
    ("en", "a second opinion"),
    ("en", "Two minutes."),
    ("en", "a minute"),
    ("en", "No, wait."),
    ("en", "Wait, what?"),
    ("en", "Hold on, I want to cancel."),
    ("en", "One moment, I'm looking for a hotel."),
    ("en", "Hold on, let me tell you something."),
    ("en", "One moment, let me check what you said."),
    ("en", "Hold on, let me see if you got my name."),
    ("de", "Moment, ich frage mal Ihren Kollegen."),
    ("en", "I don't want to hold on."),
    ("en", "How long do I have to wait?"),
    ("de", "Moment, das stimmt nicht."),
    ("de", "Moment, ich suche ein Hotel."),
    ("de", "Moment, ich muss kurz meine Buchung ändern."),
    ("de", "Warten Sie, ich habe noch eine Frage."),
    ("de", "Ich warte seit einer Stunde."),
    ("de", "Im Moment nicht."),
    ("de", "Zwei Minuten."),
    ("fr", "Attendez, je cherche un hôtel."),
    ("fr", "J'attends depuis une heure."),
    ("fr", "Deux minutes."),
    ("es", "Espera, eso no es."),
    ("es", "Hace un momento."),
    ("es", "Un momento, quiero cancelar."),
    ("it", "Aspetti, non è giusto."),
    ("it", "Un attimo fa."),
    ("pt", "Um momento, quero cancelar."),
    ("pt", "Há um momento."),
    ("nl", "Wacht, dat klopt niet."),
    ("nl", "Een moment geleden."),
    ("nl", "Wacht, ik zoek een hotel."),
]
LISTENING = [
    ("en", ["mm-hm", "Uh-huh.", "Yeah", "OKAY!", "right", "I see.", "oh okay yeah", "Hmmmm"]),
    ("de", ["Genau", "ja ja", "ja, ja, ja", "ach so", "verstehe", "Alles klar", "mhm"]),
    ("fr", ["oui oui", "D’accord.", "ah bon", "je vois", "tout a fait", "voilà"]),
    ("es", ["sí", "Si, si", "vale", "claro que sí", "ajá", "de acuerdo"]),
    ("it", ["sì", "va bene", "ho capito", "certo, certo", "esatto"]),
    ("pt", ["sim", "tá bom", "pois é", "entendi", "isso mesmo", "uhum"]),
    ("nl", ["ja ja", "precies", "oke", "dat klopt", "ik snap het"]),
]
NEVER = plain_words(
    "no stop wait what why hello help sorry pardon please thanks goodbye moment repeat again "
    "nein doch nee halt warte was wie bitte danke moment non attends quoi comment hein merci "
    "espera qué cómo gracias aspetta cosa grazie não espere quê obrigado wacht wat hoezo "
    "4711 operator not"
)


def phrases(node: Node) -> st.SearchStrategy[str]:
    """Any phrase of the lists."""
    match node:
        case Literal(words):
            return st.just(" ".join(words))
        case Row(parts):
            return st.tuples(*map(phrases, parts)).map(lambda said: " ".join(said).strip())
        case Choice(options):
            return st.one_of(*map(phrases, options))


@cache
def any_of(*patterns: str) -> st.SearchStrategy[str]:
    return phrases(Phrases(*patterns).node)


def messy(text: str, seed: int) -> str:
    """As a transcript might write it."""
    ends = (".", "!", "", " ...", "?")
    words = text.split()
    cased = [(word, word.upper(), word.title())[(seed + n) % 3] for n, word in enumerate(words)]
    return (", " if seed % 2 else " ").join(cased) + ends[seed % 5]


@pytest.mark.parametrize(("language", "text"), HOLDS)
def test_a_wish_for_a_moment_is_understood(language: str, text: str) -> None:
    assert wants_to_hold(text, language)
    assert wants_to_hold(text, "")
    assert not is_backchannel(text, language)


@pytest.mark.parametrize(("language", "text"), NO_HOLDS)
def test_who_says_more_than_that_does_not_ask_for_a_moment(language: str, text: str) -> None:
    assert not wants_to_hold(text, language)
    assert not wants_to_hold(text, "")


@pytest.mark.parametrize(("language", "texts"), LISTENING)
def test_listening_is_told_from_speaking(language: str, texts: list[str]) -> None:
    assert [text for text in texts if not is_backchannel(text, language)] == []
    assert [text for text in texts if not is_backchannel(text, "")] == []
    assert [text for text in texts if wants_to_hold(text, "")] == []


@pytest.mark.parametrize("language", [*LANGUAGES, "", "ja"])
def test_who_refuses_stops_or_asks_is_never_taken_for_a_listener(language: str) -> None:
    assert [word for word in NEVER if is_backchannel(word, language)] == []


def test_every_language_has_both_lists() -> None:
    assert set(HOLD_WORDS) == set(BACKCHANNELS) == set(LANGUAGES)


def test_a_language_may_have_a_region_and_one_without_lists_is_taken_for_english() -> None:
    assert is_backchannel("pois é", "pt-BR")
    assert wants_to_hold("een momentje", "NL_be")
    assert not is_backchannel("pois é", "de")
    assert is_backchannel("okay", "ja")
    assert wants_to_hold("one moment please", "sv")


@pytest.mark.parametrize("text", ["", " ", "...", "?!"])
def test_no_words_are_neither(text: str) -> None:
    assert not wants_to_hold(text, "")
    assert not is_backchannel(text, "")


def test_a_fourth_word_is_speech() -> None:
    assert is_backchannel("yeah yeah yeah", "en")
    assert not is_backchannel("yeah yeah yeah yeah", "en")
    assert is_backchannel("uh-huh, uh-huh, uh-huh", "en")


@given(st.sampled_from(LANGUAGES), st.data(), st.integers(0, 99))
def test_every_wish_of_the_lists_is_one_however_it_is_written(
    language: str, data: st.DataObject, seed: int
) -> None:
    table = HOLD_WORDS[language]
    lead = data.draw(st.just("") | any_of(*table.leads))
    tail = data.draw(st.just("") | any_of(*table.tails))
    reason = data.draw(st.just("") | any_of(*table.reasons))
    said = f"{lead} {data.draw(any_of(*table.wishes))} {tail} {reason}"

    assume(len(plain_words(said)) <= 20)
    assert wants_to_hold(messy(said, seed), language)
    assert not is_backchannel(said, language)


@given(st.sampled_from(LANGUAGES), st.data())
def test_a_wish_with_something_else_behind_it_is_none(language: str, data: st.DataObject) -> None:
    wish = data.draw(any_of(*HOLD_WORDS[language].wishes))
    more = data.draw(st.lists(st.sampled_from(["refund", "4711", "wrong", "Rechnung"]), min_size=1))

    assert not wants_to_hold(" ".join([wish, *more]), language)
    assert not wants_to_hold(" ".join([*more, wish]), language)


@given(st.sampled_from(LANGUAGES), st.data(), st.integers(0, 99))
def test_a_listener_is_one_however_it_is_written_until_a_word_of_speech(
    language: str, data: st.DataObject, seed: int
) -> None:
    heard = any_of(*EVERYWHERE, *BACKCHANNELS[language])
    said = " ".join(data.draw(st.lists(heard, min_size=1, max_size=3)))
    assume(len(said.split()) <= 3)

    assert is_backchannel(messy(said, seed), language)
    assert not wants_to_hold(said, "")
    word = data.draw(st.sampled_from(NEVER))
    assert not is_backchannel(f"{said} {word}", language)
    assert not is_backchannel(f"{word} {said}", language)


@given(st.text(), st.text(max_size=4))
def test_whatever_is_written_down_is_at_most_one_of_both(text: str, language: str) -> None:
    assert not (wants_to_hold(text, language) and is_backchannel(text, language))
