"""Keeping people and keys out of the log: by the name of a field, and by the look of a text.

The net under a rule, not the rule: log texts are static and values go into named fields, so that
nothing personal is written in the first place. What slips through is caught here. CallSids and
other ids stay, because a call must be found again.
"""

import math
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeAlias

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

HIDDEN = "[hidden]"

_PRIVATE_NAMES = re.compile(
    r"answer|arguments?|auth|body|called|callee|caller|content|cookie|dtmf|from_?|greeting|input"
    r"|instructions|keys?|number|output|payload|pressed|prompt|said|signature|speech|text|to"
    r"|token|utterance|words",
    re.IGNORECASE,
)
_PRIVATE_PARTS = re.compile(
    r"(api_?key|auth_?token|secret|passw|phone|transcri|digit|credential|authorization"
    r"|_number$|_token$|_text$|^from_|^to_|(^|_)e164)",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    r"(^|_)(ms|s|us|hz|bytes|frames|calls|count|port|pid|tokens|chars|generation|position|line"
    r"|status|code)$|^n_"
)

_DASHES = "\\-\u2010-\u2015\u2212"
_BETWEEN = rf"[\s().{_DASHES}/]"
"""What people write between the digits of a phone number."""
_KEPT = re.compile(
    r"(?<![0-9A-Za-z])(?:(?!SK)[A-Z]{2}[0-9a-f]{32}"  # Twilio's ids; SK would be an API key
    r"|(?:sess|resp|item|event|call|conv|rtc)_(?=[0-9]*[A-Za-z])[A-Za-z0-9]{6,48}"  # OpenAI's ids
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9A-Za-z])"
    # Addresses and dates, unless they could be the middle of a phone number.
    rf"|(?<![0-9A-Za-z.+])(?<![0-9]{_BETWEEN})(?<![0-9]{_BETWEEN}{{2}})(?<![0-9]{_BETWEEN}{{3}})(?:"
    r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}"
    r"|20[0-9]{2}-[01][0-9]-[0-3][0-9](?:[T ][0-2][0-9]:[0-5][0-9](?::[0-5][0-9])?)?"
    rf")(?![0-9A-Za-z]|{_BETWEEN}{{1,3}}[0-9])"
)
_SECRET = re.compile(
    r"(?P<key>\b(?:sk|pk|rk|ek)[-_][A-Za-z0-9_-]{8,}|\bSK[0-9a-f]{32}\b|(?<![0-9A-Za-z])[0-9a-f]{32}"
    r"(?![0-9A-Za-z])|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?)"
    r"|(?P<scheme>\b(?:Bearer|Basic)\s+)[^\s\"',;]+"
    r"|(?P<login>://)[^/\s@]+@"
    r"|(?P<sip>\bsips?:)[^\s@<>\"';]+@"
    r"|(?P<client>\bclient:)[^\s@<>\"',;]+"
    r"|(?P<query>[?&;\s](?:[\w-]*(?:token|key|secret|signature|password))=)[^&\s\"']+"
    r"|(?P<path>/media/)[^\s/\"'?]+",
    re.IGNORECASE,
)
_PHONE = re.compile(rf"[+(]*\d(?:{_BETWEEN}{{0,3}}\d){{6,}}")


class Redactor:
    """Makes values fit to be logged.

    `secrets` are known in clear text and never come out, wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one secret may begin another. Tiny ones would hide ordinary words.
        known = sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text without secrets, keys, tokens in addresses, and phone numbers."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        pieces = []
        end = 0
        for kept in _KEPT.finditer(text):
            pieces += [_clean(text[end : kept.start()]), kept[0]]
            end = kept.end()
        return "".join([*pieces, _clean(text[end:])])

    def fields(self, fields: Mapping[str, object]) -> dict[str, Plain]:
        """The fields with private ones hidden and the rest made plain and clean."""
        return {str(name): self.value(str(name), value) for name, value in fields.items()}

    def value(self, name: str, value: object, depth: int = 0) -> Plain:
        """One value as it may be logged under `name`; `depth` is how far inside others it is."""
        if value is None or isinstance(value, bool):
            return value
        if _is_private(name) or depth > 6:
            return HIDDEN
        if isinstance(value, Enum):
            return self.value(name, value.value, depth + 1)
        if isinstance(value, int | float):
            return _number(name, value)
        return self._parts(name, value, depth + 1)

    def _parts(self, name: str, value: object, depth: int) -> Plain:
        if isinstance(value, bytes | bytearray | memoryview):
            return f"({len(value)} bytes)"
        if isinstance(value, Mapping):
            parts = {str(key): part for key, part in value.items()}
            return {self.text(key): self.value(key, part, depth) for key, part in parts.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(name, part, depth) for part in value]
        return self.text(_said(value))


def _said(value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        # Logging would print the whole record, unredacted, with its own complaint.
        return f"({type(value).__name__} whose text fails: {type(error).__name__})"


def _clean(text: str) -> str:
    return _PHONE.sub(HIDDEN, _SECRET.sub(_hide, text))


def _hide(match: re.Match[str]) -> str:
    """Hide what was found but leave what shows its kind."""
    login = "@" if match["login"] or match["sip"] else ""
    kinds = ("scheme", "login", "sip", "client", "query", "path")
    shown = next((match[kind] for kind in kinds if match[kind]), "")
    return f"{shown}{HIDDEN}{login}"


def _is_private(name: str) -> bool:
    return bool(_PRIVATE_NAMES.fullmatch(name) or _PRIVATE_PARTS.search(name))


def _number(name: str, value: float) -> Plain:
    """The number, unless somebody could dial it: 7 digits, or 10 if its name has a unit."""
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return HIDDEN if abs(value) >= (1e9 if _MEASURE.search(name) else 1e6) else value
