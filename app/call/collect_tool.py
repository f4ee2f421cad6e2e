"""The built-in tool `collect_digits`: what a model may ask for, and what it is told in the end.

The model writes seconds, the keypad counts milliseconds. What the model may ask for has bounds: a
model that asks for a minute between two digits must not leave a caller on a dead line.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from app.call.key_entry import Collect, KeyEntry

COLLECT_TOOL: Final = "collect_digits"
TERMINATORS: Final = ("#", "*", "")
MOST_SHOWN: Final = 40
"""So many characters of a wrong argument are told back."""
MOST_WRONG: Final = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    least: int
    most: int


BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {
        "min_digits": Bounds(1, 40),
        "max_digits": Bounds(1, 40),
        "first_digit_s": Bounds(2, 60),
        "inter_digit_s": Bounds(1, 20),
        "retries": Bounds(0, 5),
    }
)
"""What each number may be, both ends included."""
_USUAL: Final = Collect()
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "min_digits": _USUAL.min_digits,
        "max_digits": _USUAL.max_digits,
        "terminator": _USUAL.terminator,
        "first_digit_s": _USUAL.first_digit_ms // 1000,
        "inter_digit_s": _USUAL.inter_digit_ms // 1000,
        "retries": _USUAL.retries,
        "masked": _USUAL.masked,
    }
)
"""Every argument, with what is taken where the model leaves it out."""

SPOKE: Final = (
    "The caller spoke instead of pressing keys. Go on with what they said; "
    "call collect_digits again if you still need keys."
)
UNSAFE: Final = (
    "No private number can be taken by key now: the recording of this call could not be paused. "
    "Tell the caller so, and offer another way. Do not ask them to say the number."
)
REPLACED: Final = "Another collect_digits took its place."


class ArgumentsError(ValueError):
    """The model's arguments cannot be meant; the message tells it what was expected."""


def wishes(arguments: str) -> Collect:
    """What the model asks for, as it wrote it in JSON. Raises `ArgumentsError`."""
    given = _object(arguments)
    wrong = [told for key, value in given.items() if (told := _wrong(key, value))]
    if wrong:
        raise ArgumentsError("; ".join(wrong[:MOST_WRONG]))
    of = {**DEFAULTS, **{key: value for key, value in given.items() if value is not None}}
    if of["min_digits"] > of["max_digits"]:
        raise ArgumentsError(
            "expected min_digits of at most max_digits, got "
            f"{of['min_digits']:g} and {of['max_digits']:g}"
        )
    return Collect(
        min_digits=int(of["min_digits"]),
        max_digits=int(of["max_digits"]),
        terminator=of["terminator"],
        first_digit_ms=int(of["first_digit_s"] * 1000),
        inter_digit_ms=int(of["inter_digit_s"] * 1000),
        retries=int(of["retries"]),
        masked=of["masked"],
        to_model="masked" if of["masked"] else "digits",
    )


def _object(arguments: str) -> dict[str, Any]:
    try:
        given = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ArgumentsError(f"expected a JSON object, got {_short(arguments)}")
    return given


def _wrong(key: str, value: Any) -> str:
    """What is wrong with one argument; "" for nothing. null is as good as left out."""
    if key not in DEFAULTS:
        return f"there is no {_short(key)}, there are {', '.join(DEFAULTS)}"
    if value is None:
        return ""
    expected, fits = _rule(key)
    return "" if fits(value) else f"{key}: expected {expected}, got {_told(value)}"


def _rule(key: str) -> tuple[str, Callable[[Any], bool]]:
    """What is expected of an argument, in words and as a test."""
    if key == "masked":
        return "true or false", lambda value: isinstance(value, bool)
    if key == "terminator":
        expected = ", ".join(json.dumps(allowed) for allowed in TERMINATORS)
        return f"one of {expected}", lambda value: isinstance(value, str) and value in TERMINATORS
    bounds, whole = BOUNDS[key], not key.endswith("_s")
    kind = "a whole number" if whole else "a number"

    def fits(value: Any) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        within = number and bounds.least <= value <= bounds.most
        return within and (not whole or value == int(value))

    return f"{kind} from {bounds.least} to {bounds.most}", fits


def _told(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def result(entry: KeyEntry) -> str:
    """What came of a collection, for the model."""
    told: dict[str, object] = {"ok": entry.complete, "digits": entry.for_model}
    if entry.masked:
        told |= {"count": len(entry.keys), "masked": True}
    return json.dumps({**told, "reason": entry.reason}, ensure_ascii=False)


def called_off(why: str) -> str:
    """For the model, where no entry came to an end."""
    return json.dumps({"ok": False, "reason": why}, ensure_ascii=False)


def ask_again(entry: KeyEntry, settings: Collect) -> str:
    """Instructions to the model after a try that failed."""
    happened = {
        "no_input": "The caller has pressed no key.",
        "too_short": f"The caller pressed too few keys: {settings.min_digits} or more are needed.",
    }.get(entry.reason, "The caller pressed a key that is no digit.")
    end = f", with {settings.terminator} at the end" if _needs_end(settings) else ""
    return (
        f"{happened} Ask for the whole number again in one short sentence, from its first digit"
        f"{end}. Call no tool: the keys are being collected already."
    )


def _needs_end(settings: Collect) -> bool:
    return bool(settings.terminator) and settings.min_digits < settings.max_digits


BEGIN_ANEW: Final = (
    "The connection was interrupted for a moment and is back; the keys that the caller had pressed "
    "are lost. Say so in one short sentence and ask for the whole number again, from its first "
    "digit. Do not greet the caller again. Call no tool: the keys are being collected already."
)
"""For the first answer on another worker, where a collection went on."""
