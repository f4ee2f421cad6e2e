"""Facts from a transcript, for whoever asks with a JSON schema: found by rules, never guessed.

A property that is an object of `value` and `evidence` is a fact; it is known by its name, its
description, its choices and its type. What no rule finds is null. The other moods are models that
break their word: see `Mood`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from app.lab.realtime.ports import Turn
from app.lab.text.transcript import turns_of

Mood: TypeAlias = Literal[
    "truthful", "nonsense", "wrong_choice", "wrong_type", "made_up", "gullible"
]
"""nonsense: no JSON. wrong_choice, wrong_type: not what the schema allows. made_up: a value for
everything, on words that nobody said. gullible: it does what the transcript tells it to do."""

_DIGITS: Final = {
    word: str(number)
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
} | {"oh": "0", "ten": "10", "eleven": "11", "twelve": "12"}
_PATTERNS: Final = (
    (re.compile(r"e-?mail", re.I), re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (re.compile(r"YYYY-MM-DDTHH"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?")),
    (re.compile(r"\bdate\b|YYYY-MM-DD", re.I), re.compile(r"\d{4}-\d\d-\d\d")),
    (re.compile(r"\btime\b|HH:MM", re.I), re.compile(r"\b\d\d:\d\d\b")),
)
_PHONE: Final = re.compile(r"\+?\d[\d ().-]{5,}\d")
_NAMED: Final = re.compile(r"(?:my name is|this is|i am|i'm) ([A-Z]\w+(?: [A-Z]\w+)*)", re.I)
_ORDER: Final = re.compile(
    r"\b(set|mark|change)\b.*\b(to|as)\b|\bignore\b|\binstructions?\b|\bdisposition\b|\bsystem\b",
    re.I,
)
"""A caller who tells somebody how to fill in a form: no fact."""
_SET: Final = re.compile(r"\b(?:set|mark|put|change) (?:the )?(\w+) (?:to|as) ([^\s,.]+)", re.I)
_SMALL: Final = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by for from has have how in is it its of on or that the they this "
        "to was were what when which who whom will with one",
    )
)
_NOBODY_SAID: Final = "Purple zeppelins quarrel over marmalade"


@dataclass(frozen=True, slots=True)
class _Hit:
    value: Any
    evidence: str


def extraction_of(schema: Mapping[str, Any], text: str, mood: Mood = "truthful") -> str:
    """The answer. `text`: the transcript."""
    if mood == "nonsense":
        return "Certainly! Here is what I found: the caller was nice. {"
    if mood == "wrong_type":
        return json.dumps({name: ["?"] for name in schema["properties"]})
    return json.dumps(_Reader(text, mood).value("", schema), ensure_ascii=False)


class _Reader:
    def __init__(self, text: str, mood: Mood) -> None:
        self._lines = turns_of(text)
        self._turns = [_without_orders(turn) for turn in self._lines]
        self._mood = mood
        self._orders = {k.lower(): v for k, v in _SET.findall(text)} if mood == "gullible" else {}

    def value(self, name: str, schema: Mapping[str, Any]) -> Any:
        properties = schema.get("properties")
        if properties is not None and properties.keys() == {"value", "evidence"}:
            hit = self._fact(name, properties["value"])
            found = (None, None) if hit is None else (hit.value, hit.evidence)
            return dict(zip(("value", "evidence"), found, strict=True))
        if properties is not None:
            return {key: self.value(key, inner) for key, inner in properties.items()}
        kinds = _kinds(schema)
        if "string" in kinds and "enum" not in schema and "summary" in name:
            return self._summary()
        hit = self._fact(name, schema)
        return _blank(schema) if hit is None else hit.value

    def _summary(self) -> str:
        said = [turn.text for turn in self._lines if turn.role == "user"]
        return f"The caller said: {' '.join(said)}"[:400] if said else "The caller said nothing."

    def _fact(self, name: str, schema: Mapping[str, Any]) -> _Hit | None:
        if self._mood == "made_up":
            return _Hit(_anything(schema), _NOBODY_SAID)
        told = self._orders.get(name.lower())
        if told is not None:
            return _Hit(_converted(told, _kinds(schema)), self._line_with(told))
        if "enum" in schema:
            choices = [choice for choice in schema["enum"] if choice is not None]
            if self._mood == "wrong_choice":
                return _Hit("_".join(choices), self._line_with(""))
            return self._choice(choices)
        return self._from_tools(name, schema) or self._from_words(name, schema)

    def _choice(self, choices: Sequence[str]) -> _Hit | None:
        """The one that was spoken of last; by agent and tools rather than by the caller."""
        for roles in (("assistant", "function_call", "function_call_output"), ("user",)):
            for turn in reversed(self._turns):
                if turn.role in roles:
                    for choice in choices:
                        if _speaks_of(f"{turn.name or ''} {turn.text}", choice):
                            return _Hit(choice, turn.text)
        return None

    def _from_tools(self, name: str, schema: Mapping[str, Any]) -> _Hit | None:
        for turn in reversed(self._turns):
            if turn.role == "function_call":
                given = _object(turn.text).get(name)
                if given is not None and _fits(given, _kinds(schema)):
                    return _Hit(given, str(given))
        return None

    def _from_words(self, name: str, schema: Mapping[str, Any]) -> _Hit | None:
        about = f"{name.replace('_', ' ')} {schema.get('description', '')}"
        kinds = _kinds(schema)
        for turn in reversed([t for t in self._turns if t.role == "user"]):
            hit = _in_line(about, kinds, turn.text) or self._answered(about, kinds, turn)
            if hit is not None:
                return hit
        return None

    def _answered(self, about: str, kinds: Sequence[str], turn: Turn) -> _Hit | None:
        """What the caller said to a question of the agent's about it."""
        before = self._turns[: self._turns.index(turn)]
        question = next((t.text for t in reversed(before) if t.role == "assistant"), "")
        if not set(_words(about)) & set(_words(question)):
            return None
        first = (_words(turn.text, small=True) or [""])[0]
        if "boolean" in kinds:
            return _Hit(first == "yes", turn.text) if first in ("yes", "no") else None
        if "integer" in kinds or "number" in kinds:
            return _number(turn.text)
        plain = "string" in kinds and not re.search(r"YYYY|HH:MM|E\.164|e-mail", about)
        return _Hit(turn.text.strip(), turn.text.strip()) if plain else None

    def _line_with(self, word: str) -> str:
        return next((t.text for t in self._lines if word.lower() in t.text.lower()), "")


def _without_orders(turn: Turn) -> Turn:
    """The turn without the sentences in which the caller says how a form is to be filled in."""
    if turn.role != "user":
        return turn
    sentences = re.split(r"(?<=[.!?])\s+", turn.text)
    return replace(turn, text=" ".join(s for s in sentences if not _ORDER.search(s)))


def _in_line(about: str, kinds: Sequence[str], line: str) -> _Hit | None:
    """What a line says by its form, or by naming it."""
    if "integer" in kinds or "number" in kinds:
        return _number(line) if set(_words(about)) & set(_words(line)) else None
    if "string" not in kinds:
        return None
    if re.search(r"E\.164|phone|number", about):
        return _phone(line)
    for wanted, pattern in _PATTERNS:
        if wanted.search(about):
            found = pattern.search(line)
            return None if found is None else _Hit(found[0], found[0])
    named = _NAMED.search(line) if "name" in about.split() else None
    return None if named is None else _Hit(named[1], named[0])


def _phone(line: str) -> _Hit | None:
    found = _PHONE.search(line)
    said = found[0] if found else ""
    digits = re.sub(r"\D", "", said) or "".join(
        _DIGITS.get(w, "") for w in _words(line, small=True)
    )
    if not 7 <= len(digits) <= 15:
        return None
    prefix = "+" if said.startswith("+") or len(digits) != 10 else "+1"
    return _Hit(prefix + digits, said or line)


def _number(line: str) -> _Hit | None:
    for word in _words(line, small=True):
        said = _DIGITS.get(word, word)
        if said.isdigit():
            return _Hit(int(said), word)
    return None


def _speaks_of(line: str, choice: str) -> bool:
    """Every word of the choice, or another form of it, stands in the line."""
    said = _words(line, small=True)
    return all(any(_akin(word, other) for other in said) for word in _words(choice, small=True))


def _akin(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return one == other or (shorter >= 4 and one[:4] == other[:4])


def _words(text: str, *, small: bool = False) -> list[str]:
    found = re.findall(r"[^\W_]+", text.lower())
    return found if small else [word for word in found if word not in _SMALL]


def _object(text: str) -> Mapping[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _fits(value: Any, kinds: Sequence[str]) -> bool:
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    kind = names.get(type(value), "")
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _converted(said: str, kinds: Sequence[str]) -> Any:
    if "boolean" in kinds:
        return said.lower() in ("true", "yes")
    if ("integer" in kinds or "number" in kinds) and said.isdigit():
        return int(said)
    return said


def _anything(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kinds = _kinds(schema)
    plain: Iterator[Any] = (
        value
        for kind, value in (("string", "+15550100099"), ("boolean", True), ("integer", 7))
        if kind in kinds
    )
    return next(plain, 7)


def _blank(schema: Mapping[str, Any]) -> Any:
    """What stands for nothing where it can be no null."""
    kinds = _kinds(schema)
    if "null" in kinds or not kinds:
        return None
    blanks: dict[str, Any] = {"string": "", "boolean": False, "array": [], "object": {}}
    return blanks.get(kinds[0], 0)
