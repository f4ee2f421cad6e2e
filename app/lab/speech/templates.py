"""Lines with gaps: `{field}`, `{field:spell}` (one by one), `{field:clock}` ("19:30" in words)."""

import re
from collections.abc import Mapping

_GAP = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"([a-z_]+)(?::(spell|clock))?")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HOURS = (
    *("twelve", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten", "eleven"),
)


class TemplateError(ValueError):
    """A line has a gap that cannot be filled."""


def fields_of(line: str) -> frozenset[str]:
    """Raises TemplateError."""
    return frozenset(_field(gap)[0] for gap in _GAP.findall(line))


def fill(line: str, values: Mapping[str, object]) -> str:
    """Raises KeyError for a field without a value, TemplateError for a gap that is none."""

    def spoken(gap: re.Match[str]) -> str:
        name, manner = _field(gap[1])
        value = str(values[name])
        match manner:
            case "spell":
                return ", ".join(value.replace(" ", ""))
            case "clock":
                return _clock(value)
            case _:
                return value

    return _GAP.sub(spoken, line)


def _field(gap: str) -> tuple[str, str]:
    match = _FIELD.fullmatch(gap)
    if match is None:
        raise TemplateError(
            f"expected {{field}}, {{field:spell}} or {{field:clock}}, got {{{gap}}}"
        )
    return match[1], match[2] or ""


def _clock(value: str) -> str:
    """As people say it; a value that is no 24-hour time is said as it is."""
    time = _CLOCK.fullmatch(value)
    if time is None:
        return value
    hour = _HOURS[int(time[1]) % 12]
    match time[2]:
        case "00":
            return hour
        case "30":
            return f"half past {hour}"
        case minutes:
            return f"{hour} {minutes}"
