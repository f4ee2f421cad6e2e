"""STOP, START and HELP are known in whatever way people write them, and no ordinary answer is taken
for one."""

import pytest

from app.text.keywords import HELP, START, STOP, keyword_of


@pytest.mark.parametrize(
    "body",
    [
        *("stop", "STOP", " Stop. ", "stop!!", "«Stop»", "ＳＴＯＰ", "STOP ALL", "stopall"),
        *("unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "Opt-Out", "optout"),
        *("please stop", "Stop please!", "stop now", "Don't text me", "don’t text me"),
        *("Do not text me please.", "remove me", "take me off the list"),
    ],
)
def test_every_usual_way_to_say_stop(body: str) -> None:
    assert keyword_of(body, ["en"], opted_out=False) == "stop"


@pytest.mark.parametrize(
    "body",
    [
        *("stop by at seven?", "I will end my stay on Friday", "can I cancel the table for two?"),
        *("yes", "Yes please", "fine", "no", "7", "", "   ", "...", "stopwatch", "the end is near"),
        *("do not text me at work, text me at home instead", "x" * 5_000, "\u0301\u0301"),
    ],
)
def test_ordinary_words_are_left_to_the_agent(body: str) -> None:
    assert keyword_of(body, ["en"], opted_out=False) is None
    assert keyword_of(body, opted_out=False) is None, "whatever the languages"


def test_yes_means_start_only_to_who_has_opted_out() -> None:
    assert keyword_of("Yes", ["en"], opted_out=True) == "start"
    assert keyword_of("Ja, bitte", ["de"], opted_out=True) == "start"
    assert keyword_of("Ja", ["en"], opted_out=True) is None
    for body in ("start", "UNSTOP", "Start!"):
        assert keyword_of(body, ["en"], opted_out=False) == "start"


@pytest.mark.parametrize("body", ["help", "INFO", "Help?", "help please"])
def test_help_is_asked_for(body: str) -> None:
    assert keyword_of(body, ["en"], opted_out=False) == "help"


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("Stopp", "de"),
        ("bitte abmelden", "de"),
        ("ARRÊT", "fr"),
        ("Arrêter, SVP!", "fr"),
        ("baja", "es"),
        ("basta", "it"),
        ("parar", "pt"),
        ("Afmelden", "nl"),
        ("beëindigen", "nl"),
    ],
)
def test_the_agents_language_has_its_own_words(body: str, language: str) -> None:
    assert keyword_of(body, [language], opted_out=False) == "stop"
    assert keyword_of(body, opted_out=False) == "stop", "any language"
    assert keyword_of(body, ["ja"], opted_out=False) is None
    assert keyword_of("stop", [language], opted_out=False) == "stop", "English holds everywhere"


def test_no_word_means_two_things_and_each_is_written_as_it_is_compared() -> None:
    for table in (STOP, START, HELP):
        assert table.keys() == STOP.keys()
        for language, words in table.items():
            for word in words.split():
                kinds = {keyword_of(word, [language], opted_out=out) for out in (True, False)}
                assert len(kinds) == 1
                assert None not in kinds, word
