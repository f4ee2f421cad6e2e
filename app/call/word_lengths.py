"""How long the words of a text take to say, roughly, in any script: no dictionary, no language.

Figures: least squares over 1,800 words of flite and espeak-ng in four languages written in Latin
letters (`bench/words_spoken.json`); other scripts by the syllables that a character stands for.
They are the lengths of an even speaker; what counts is how they compare with each other.
"""

import re
import unicodedata
from dataclasses import dataclass

LETTER_MS = 52
VOWELS_MS = 34
"""Added for each run of vowels: about a syllable."""
DIGIT_MS = 280
"""Spoken digit by digit or as a number, a digit is a word or two."""
SYMBOL_MS = 450
"""What is read aloud: "percent", "at", the point of a decimal."""
CLAUSE_MS = 120
"""The last word before a pause is drawn out."""
COMMA_PAUSE_MS = 150
SENTENCE_PAUSE_MS = 300

_HAN_MS = 220
_KANA_MS = 130
_HANGUL_MS = 180
_CONSONANTS_MS = 100
"""Letters of a script that leaves its vowels out, or hangs them on."""
_INITIAL_MS = 250
"""A letter that is spelt out."""
_INITIALS = 3

# Ranges of characters that are written without spaces between words: a cut may fall between any.
_UNSPACED = (
    (0x0E00, 0x0EFF, _CONSONANTS_MS),  # Thai, Lao
    (0x1000, 0x109F, _CONSONANTS_MS),  # Myanmar
    (0x1780, 0x17FF, _CONSONANTS_MS),  # Khmer
    (0x3040, 0x30FF, _KANA_MS),
    (0x3400, 0x4DBF, _HAN_MS),
    (0x4E00, 0x9FFF, _HAN_MS),
    (0xF900, 0xFAFF, _HAN_MS),
    (0x20000, 0x3FFFF, _HAN_MS),
)
_SPACED = (
    (0x0590, 0x08FF, _CONSONANTS_MS),  # Hebrew, Arabic and their neighbours
    (0x0900, 0x0DFF, _CONSONANTS_MS),  # the scripts of India
    (0xAC00, 0xD7AF, _HANGUL_MS),
)
_VOWELS = frozenset("aeiouyœæøıаеиоуыэюяєіїαεηιουω")
_SENTENCE_ENDS = frozenset(".!?…。！？।؟\n")
_CLAUSE_ENDS = frozenset(",;:，、；：،—–")
_CLOSERS = "\"'”’»)]）」』"
_READ_ALOUD = frozenset("$€£¥%@&+=#°")


@dataclass(frozen=True, slots=True)
class Word:
    """What a cut does not divide, with the punctuation behind it."""

    end: int
    """Where in the text it ends."""
    spoken_ms: float
    pause_ms: float
    """Behind it."""


def words_of(text: str) -> list[Word]:
    """The words of a text in order; each character of a script without spaces is one."""
    words: list[Word] = []
    for match in re.finditer(r"\S+", text):
        line_ends = "\n" in text[match.end() : match.end() + 2]
        start = match.start()
        for end in (*_borders(match.group()), len(match.group())):
            words.append(_word(text, start, match.start() + end, line_ends))
            start = match.start() + end
    return words


def _borders(run: str) -> list[int]:
    """Where a run of characters without a space may be cut: at a character of a script that is
    written without, or behind one, but not before what belongs to the character before it."""
    if run.isascii():
        return []
    return [
        at
        for at in range(1, len(run))
        if (_is_unspaced(run[at - 1]) or _is_unspaced(run[at]))
        and unicodedata.category(run[at])[0] in "LNS"
    ]


def _word(text: str, start: int, end: int, line_ends: bool) -> Word:
    word = text[start:end]
    last = word.rstrip(_CLOSERS)[-1:]
    if last in _SENTENCE_ENDS or (line_ends and text[end : end + 1].isspace()):
        return Word(end, _spoken_ms(word) + CLAUSE_MS, SENTENCE_PAUSE_MS)
    if last in _CLAUSE_ENDS:
        return Word(end, _spoken_ms(word) + CLAUSE_MS, COMMA_PAUSE_MS)
    return Word(end, _spoken_ms(word), 0)


def _spoken_ms(word: str) -> float:
    letters = [letter for letter in word if letter.isalpha()]
    if 1 < len(letters) <= _INITIALS and all(letter.isupper() for letter in letters):
        letters_ms = float(_INITIAL_MS * len(letters))
    else:
        letters_ms = sum(map(_letter_ms, letters)) + VOWELS_MS * _vowel_runs(word)
    digits = sum(character.isdigit() for character in word)
    aloud = sum(character in _READ_ALOUD for character in word)
    aloud += len(re.findall(r"(?<=\w)\.(?=\w)", word))
    return letters_ms + DIGIT_MS * digits + SYMBOL_MS * aloud


def _vowel_runs(word: str) -> int:
    plain = unicodedata.normalize("NFD", word.lower())
    vowels = [character in _VOWELS for character in plain if not unicodedata.combining(character)]
    return sum(now and not before for before, now in zip([False, *vowels], vowels, strict=False))


def _letter_ms(letter: str) -> float:
    code = ord(letter)
    if code < 0x0590:
        return LETTER_MS
    for first, last, ms in (*_UNSPACED, *_SPACED):
        if first <= code <= last:
            return ms
    return LETTER_MS


def _is_unspaced(character: str) -> bool:
    code = ord(character)
    return code >= 0x0E00 and any(first <= code <= last for first, last, _ in _UNSPACED)
