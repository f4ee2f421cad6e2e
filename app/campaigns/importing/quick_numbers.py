"""The shortest way to what `app.policy.numbers.read_number` says of numbers that are written well.

Most of a list is: a plus and digits, or ten digits of North America's plan. What the policy's
reader looks for besides cannot stand in these shapes: an extension, a prefix, a short number, an
emergency behind a country code. So its answer is the one of phonenumbers, asked once. Everything
else, and everything that is not valid, is left to the policy's reader. Tests hold the two together.

The region is left out: finding it costs as much again, and no part of an import asks for it.
"""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from app.policy.numbers import Number

_INTERNATIONAL: Final = re.compile(r"\+[1-9][0-9]{9,14}")
_AMERICAN: Final = re.compile(
    r"(?:\+1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([2-9][0-9]{2})[ .-]?([0-9]{4})"
)
_AMERICANS: Final = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])


def quick_number(text: str, region: str | None) -> Number | None:
    """None: ask the policy's reader."""
    american = _AMERICAN.fullmatch(text)
    if american and (text[0] == "+" or region in _AMERICANS):
        digits = american[1] + american[2] + american[3]
        return _number(PhoneNumber(country_code=1, national_number=int(digits)), f"+1{digits}")
    if not _INTERNATIONAL.fullmatch(text):
        return None
    try:
        parsed = phonenumbers.parse(text, None)
    except NumberParseException:
        return None
    return _number(parsed, phonenumbers.format_number(parsed, PhoneNumberFormat.E164))


def _number(parsed: PhoneNumber, e164: str) -> Number | None:
    kind = phonenumbers.number_type(parsed)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    return Number(e164=e164, code=str(parsed.country_code), region="", kind=kind)
