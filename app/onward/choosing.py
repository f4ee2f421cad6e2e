"""The choices of a menu: what there is, and which one a key or some words mean."""

import re
from typing import Final

from app.onward.ways import MenuOption, Ways

_WORD: Final = re.compile(r"[^\W_]+")
_SPOKEN_KEYS: Final = {
    word: str(number)
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
}
_AROUND: Final = frozenset({"press", "number", "option", "key", "the", "please", "i", "want"})
"""What is said around the name of a key."""
PERSON: Final = "to speak to a person"
MESSAGE: Final = "to leave a message"
TEXT: Final = "to go on by text message"
AGAIN: Final = "to try the assistant again"


def offered(ways: Ways) -> tuple[MenuOption, ...]:
    """The operator's own choices, else one for each way there is. Empty: nothing to choose from;
    trying the assistant again is no way by itself."""
    if ways.menu.options:
        return ways.menu.options
    options: list[MenuOption] = []
    if ways.person in ways.transfers:
        options.append(_numbered(options, PERSON, ("person", "agent", "human"), ways.person))
    if ways.voicemail is not None:
        options.append(_numbered(options, MESSAGE, ("message", "voicemail"), ""))
    if ways.text:
        options.append(_numbered(options, TEXT, ("text", "text message"), ""))
    if options:
        options.append(_numbered(options, AGAIN, ("assistant", "again"), ""))
    return tuple(options)


_DOES: Final = {PERSON: "transfer", MESSAGE: "voicemail", TEXT: "sms", AGAIN: "agent"}


def _numbered(
    before: list[MenuOption], label: str, words: tuple[str, ...], value: str
) -> MenuOption:
    key = str(len(before) + 1)
    return MenuOption(key, label, words, _DOES[label], value)  # type: ignore[arg-type]


def spoken(options: tuple[MenuOption, ...]) -> str:
    """The choices as a sentence each."""
    return " ".join(f"Press {option.key} {_phrase(option.label)}." for option in options)


def _phrase(label: str) -> str:
    return label if label.lower().startswith(("to ", "for ")) else f"for {label}"


def hints(options: tuple[MenuOption, ...]) -> tuple[str, ...]:
    """What may be said, for the carrier's speech recognition."""
    return tuple(dict.fromkeys(word for option in options for word in option.words))


def chosen(options: tuple[MenuOption, ...], key: str, words: str) -> MenuOption | None:
    """None: no choice, or words that may mean more than one."""
    if key:
        return next((option for option in options if option.key == key[0]), None)
    said = _WORD.findall(words.lower())
    bare = [word for word in said if word not in _AROUND]
    if len(bare) == 1 and (number := _SPOKEN_KEYS.get(bare[0], bare[0])).isdigit():
        return next((option for option in options if option.key == number), None)
    meant = [option for option in options if any(_within(said, w) for w in option.words)]
    return meant[0] if len(meant) == 1 else None


def _within(said: list[str], phrase: str) -> bool:
    words = _WORD.findall(phrase.lower())
    starts = range(len(said) - len(words) + 1)
    return bool(words) and any(said[at : at + len(words)] == words for at in starts)
