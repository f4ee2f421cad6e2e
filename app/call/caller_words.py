"""What kind of words an utterance of the caller's is made of."""

import re

from app.call.barge_in import Words
from app.call.holding import is_backchannel

_STAGE_DIRECTION = re.compile(r"\([^)]*\)|\[[^\]]*\]|\*[^*]*\*")
"""How transcription models write down what is no word: "(coughs)", "[noise]"."""


def kind_of(text: str, language: str) -> Words:
    """`language`: ISO 639-1, "" where it is not known."""
    words = _STAGE_DIRECTION.sub(" ", text)
    if not any(character.isalnum() for character in words):
        return Words.NOTHING
    return Words.BACKCHANNEL if is_backchannel(words, language) else Words.SPEECH
