"""A telephone number out of whatever somebody wrote, or the rule that it breaks.

Strict on purpose: what people and models write in good faith is plus, digits and a little
punctuation. Everything that makes a text look like one number and dial as another is refused by
name before phonenumbers, which forgives a lot, sees it.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from app.policy.ranges import LONGEST_SHORT, is_emergency, is_emergency_abroad
from app.policy.verdicts import Refused, Rule, refuse

MOST_CHARACTERS: Final = 40
MOST_DIGITS: Final = 15
"""E.164, the plus apart."""

_PLUSES: Final = frozenset("＋﹢⁺₊➕±✚⨁𐄂᛭†")
_SHAPE: Final = re.compile(r"\+?[ (]*[0-9][0-9 ().-]*")
_EXTENSION: Final = re.compile(
    r"[;,*#]|\b(?:ext|extension|x|w|p)\b|[0-9)] *(?:ext|x|w|p)\.? *[0-9]"
)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):")
_SEPARATED: Final = re.compile(r"[0-9].*\+|[0-9] *(?:/|\||&| or | and ) *[+(0-9]", re.DOTALL)
_CODE_SOURCE: Final = phonenumbers.CountryCodeSource


@dataclass(frozen=True, slots=True)
class Number:
    """A valid number. `kind` is a phonenumbers.PhoneNumberType; `region` an ISO code, "001" for
    none."""

    e164: str
    code: str
    """The country calling code, as digits."""
    region: str
    kind: int

    @property
    def digits(self) -> str:
        """All digits, the country code first, without the plus."""
        return self.e164[1:]

    def is_of(self, region: str) -> bool:
        """Some numbers, such as +1 800, are of several regions."""
        parsed = phonenumbers.parse(self.e164, None)
        return phonenumbers.is_valid_number_for_region(parsed, region)


def odd_characters(text: str) -> Refused | None:
    """What no number and no address has, by the rule that names it best."""
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "C" or category in ("Zl", "Zp", "Mn", "Me", "Mc"):
            return refuse(Rule.INVISIBLE)
        if character.isascii():
            continue
        if category[0] == "Z" or character in "\u115f\u1160\u3164\uffa0\u2800":
            return refuse(Rule.INVISIBLE)
        if character in _PLUSES:
            return refuse(Rule.FOREIGN_PLUS)
        if category[0] == "N" or unicodedata.numeric(character, None) is not None:
            return refuse(Rule.FOREIGN_DIGITS)
        return refuse(Rule.FOREIGN_CHARACTERS)
    return None


def read_number(text: str, region: str | None = None) -> Number | Refused:
    """`region` (ISO): where a number without a plus is understood; None: it needs a plus."""
    if refused := _unlike_a_number(text):
        return refused
    stripped = text.strip(" ")
    digits = "".join(character for character in stripped if character.isdigit())
    plus = stripped.startswith("+")
    if refused := _short_or_prefixed(digits, plus, region):
        return refused
    if len(digits) > MOST_DIGITS:
        return refuse(Rule.TOO_LONG)
    if not plus and region is None:
        return refuse(Rule.NO_COUNTRY_CODE)
    return _parsed(stripped, None if plus else region)


def _unlike_a_number(text: str) -> Refused | None:
    stripped = text.strip(" ")
    if refused := odd_characters(text):
        return refused
    if not stripped or len(stripped) > MOST_CHARACTERS:
        return refuse(Rule.TOO_LONG if stripped else Rule.EMPTY)
    broken = _broken_shape(stripped)
    return refuse(broken) if broken else None


def _broken_shape(text: str) -> Rule | None:
    lower = text.lower()
    if scheme := _SCHEME.match(lower):
        return Rule.TEL_URI if scheme[1] == "tel" else Rule.UNKNOWN_SCHEME
    for shape, rule in ((_SEPARATED, Rule.SEVERAL), (_EXTENSION, Rule.EXTENSION)):
        if shape.search(lower):
            return rule
    if _SHAPE.fullmatch(text):
        return None
    has_digits = any(character.isdigit() for character in text)
    letters = any(character.isalpha() for character in text)
    return Rule.LETTERS if letters and has_digits else Rule.NOT_A_NUMBER


def _short_or_prefixed(digits: str, plus: bool, region: str | None) -> Refused | None:
    if is_emergency(digits) or (plus and is_emergency_abroad(digits)):
        return refuse(Rule.EMERGENCY)
    if plus:
        return refuse(Rule.SHORT_CODE) if len(digits) <= LONGEST_SHORT else None
    # Turin's numbers begin with 011, as calls abroad do in North America.
    prefixes = ("00", "011") if region in (None, "US", "CA") else ("00",)
    if digits.startswith(prefixes):
        return refuse(Rule.DIALLING_PREFIX)
    if len(digits) <= LONGEST_SHORT and not _is_valid(digits, region):
        return refuse(Rule.SHORT_CODE)
    return None


def _is_valid(digits: str, region: str | None) -> bool:
    return region is not None and isinstance(_parsed(digits, region), Number)


def _parsed(text: str, region: str | None) -> Number | Refused:
    try:
        parsed = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException:
        return refuse(Rule.NOT_VALID)
    if parsed.country_code_source == _CODE_SOURCE.FROM_NUMBER_WITH_IDD:
        return refuse(Rule.DIALLING_PREFIX)
    if parsed.country_code_source == _CODE_SOURCE.FROM_NUMBER_WITHOUT_PLUS_SIGN:
        return refuse(Rule.NO_COUNTRY_CODE)
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return refuse(Rule.NOT_VALID)
    return _number(parsed)


def _number(parsed: PhoneNumber) -> Number:
    return Number(
        e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        code=str(parsed.country_code),
        region=phonenumbers.region_code_for_number(parsed) or "001",
        kind=phonenumbers.number_type(parsed),
    )
