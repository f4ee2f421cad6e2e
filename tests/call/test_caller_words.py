"""What a transcription model writes for a cough is no word, and "mm-hm" takes no floor."""

import pytest

from app.call.barge_in import Words
from app.call.caller_words import kind_of


@pytest.mark.parametrize("text", ["", " ", "...", "(coughs)", "[noise] ...", "*sigh*"])
def test_what_holds_no_word_is_nothing(text: str) -> None:
    assert kind_of(text, "en") is Words.NOTHING


@pytest.mark.parametrize("text", ["Mm-hm.", "okay", "Yeah, yeah.", "(laughs) right"])
def test_listening_aloud_is_no_speech(text: str) -> None:
    assert kind_of(text, "en") is Words.BACKCHANNEL


@pytest.mark.parametrize("text", ["Stop.", "No!", "wait", "What?", "Okay, but I wanted two."])
def test_words_that_mean_something_are_speech(text: str) -> None:
    assert kind_of(text, "en") is Words.SPEECH
