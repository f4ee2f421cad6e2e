"""A text's letters and digits: what must be the same where words are said exactly."""

import unicodedata


def letters(text: str) -> str:
    """The words without what transcripts vary in: case, punctuation, spaces, composed accents."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())
