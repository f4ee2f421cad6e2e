"""An opening time as one says it: "tomorrow at nine"."""

from datetime import datetime
from typing import Final

_NUMBERS: Final = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty"}
_ORDINALS: Final = {
    **{1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"},
    **{20: "twentieth", 30: "thirtieth"},
}
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
NAMED_DAYS: Final = 6
"""So far ahead a weekday alone says which day is meant."""


def spoken(opening: datetime, now: datetime) -> str:
    """`opening` in English, as said at `now`, in the zone of `opening`."""
    days = (opening.date() - now.astimezone(opening.tzinfo).date()).days
    if days == 0:
        day = "today"
    elif days == 1:
        day = "tomorrow"
    else:
        day = f"on {_DAYS[opening.weekday()]}"
    if not 0 <= days <= NAMED_DAYS:
        day += f", {_MONTHS[opening.month - 1]} {_ordinal(opening.day)},"
    return f"{day} at {_clock(opening.hour, opening.minute)}"


def _clock(hour: int, minute: int) -> str:
    if minute == 0 and hour % 12 == 0:
        return "noon" if hour else "midnight"
    return f"{_on_the_dial(hour, minute)}{_part_of_day(hour)}"


def _on_the_dial(hour: int, minute: int) -> str:
    this, next_ = (_NUMBERS[(value - 1) % 12 + 1] for value in (hour, hour + 1))
    if minute == 45:
        return f"quarter to {next_}"
    named = {0: this, 15: f"quarter past {this}", 30: f"half past {this}"}
    return named.get(minute) or f"{this} {'oh ' if minute < 10 else ''}{_cardinal(minute)}"


def _part_of_day(hour: int) -> str:
    """Nothing in the morning hours in which most doors open."""
    if 7 <= hour < 12:
        return ""
    if hour < 7:
        return " in the morning"
    return " in the afternoon" if hour < 18 else " in the evening"


def _cardinal(number: int) -> str:
    if number < 20:
        return _NUMBERS[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{_NUMBERS[ones]}" if ones else _TENS[tens]


def _ordinal(number: int) -> str:
    if number in _ORDINALS:
        return _ORDINALS[number]
    if number < 20:
        return f"{_NUMBERS[number]}th"
    return f"{_TENS[number // 10]}-{_ordinal(number % 10)}"
