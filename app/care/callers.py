"""A caller's number as one text, however a carrier writes it, and as a digest that names nobody.

Source: Twilio docs, "Voice webhooks: request parameters" and "Why am I getting calls from these
strange numbers?" (what stands in `From` where the caller withheld the number).
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

_NOT_IN_NUMBERS: Final = re.compile(r"[\s().\-/\u2010-\u2015]")
_NUMBER: Final = re.compile(r"\+?[0-9]{2,20}\Z")
_ANONYMOUS: Final = frozenset(
    {"", "anonymous", "private", "restricted", "unavailable", "unknown", "blocked", "withheld"}
)
_SPELLED: Final = frozenset(
    {"+266696687", "+7378742833", "+86282452253", "+464", "+656", "+2562533"}
)
"""How some carriers spell ANONYMOUS, RESTRICTED, UNAVAILABLE and BLOCKED on the keys."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls. `address` is personal data; `digest` and `shown` are fit to be kept."""

    address: str = field(repr=False)
    """E.164 as far as it was given so, or sip:user@host in small letters; "" for nobody known."""

    @property
    def anonymous(self) -> bool:
        return not self.address

    @property
    def digest(self) -> str:
        """The same for the same caller. Whoever can try all numbers can find theirs."""
        return hashlib.sha256(f"earshot:{self.address}".encode()).hexdigest()[:32]


def caller_of(text: str) -> Caller:
    """Who stands in a carrier's `From`, or on a list."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in ("sip", "sips"):
        address = re.split(r"[;?>]", rest, maxsplit=1)[0].lower()
        user = address.partition("@")[0]
        return Caller("" if user in _ANONYMOUS else f"sip:{address}")
    if colon and scheme.lower() == "tel":
        text = rest.partition(";")[0]
    if text.lower() in _ANONYMOUS:
        return Caller("")
    number = _NOT_IN_NUMBERS.sub("", text)
    if number in _SPELLED:
        return Caller("")
    if _NUMBER.match(number):
        return Caller("+" + number[2:] if number.startswith("00") else number)
    return Caller(text.lower())
