"""A contact's number out of a cell of somebody's list.

The policy's own reader (app/policy/numbers.py) decides, and is stricter than lists are. What lists
are full of and can be meant in one way only is mended first, and told: blanks that do not break,
`0049` for `+49` where that is how one dials abroad, a country code without its plus, what a
spreadsheet made of a number. Digits that are lost are never guessed.
"""

import re
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException

from app.campaigns.importing.quick_numbers import quick_number
from app.policy.number_rules import never_dialled
from app.policy.numbers import Number, read_number
from app.policy.verdicts import Refused, Rule

_POINT_ZERO: Final = re.compile(r"(\d{7,15})[.,]0")
_POWER: Final = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})")
_SLASH: Final = re.compile(r"(\+?[ (]*[0-9][0-9 ()]*)/([0-9 -]+)")
_SAME: Final = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\t", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
        **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
    }
)
NOTHING: Final = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "unknown", "k.a."})
"""What people write where there is no number."""

CHARACTERS: Final = "characters that look like blanks and dashes were replaced"
SPREADSHEET: Final = "a spreadsheet had made numbers of them; all digits were there"
NO_PLUS: Final = "the country code had no +"
ABROAD: Final = "the prefix for calls abroad was replaced by +"
SLASH: Final = "a / between area code and number was taken away"

_MENDING: Final = {
    Rule.EMPTY: "expected a telephone number",
    Rule.TOO_LONG: "expected one number of at most 15 digits",
    Rule.LETTERS: "expected digits only; write out what letters stand for",
    Rule.EXTENSION: "expected a number without an extension: it cannot be dialled",
    Rule.SEVERAL: "expected one number in a cell; put the others into columns phone_2, phone_3",
    Rule.NOT_A_NUMBER: "expected a telephone number",
    Rule.DIALLING_PREFIX: "expected + and the country code instead of 00, 011 or another prefix",
    Rule.NO_COUNTRY_CODE: "expected + and the country code (or give --region)",
    Rule.NOT_VALID: "no network has such a number: check its digits and its country",
    Rule.EMERGENCY: "emergency numbers are never dialled",
    Rule.SHORT_CODE: "short numbers are never dialled",
    Rule.PREMIUM: "premium rate numbers are never dialled",
    Rule.SATELLITE: "satellite and international network numbers are never dialled",
}
_LOST: Final = (
    "a spreadsheet shortened this number, and digits are lost: take it from where it came from, "
    "into a column that is formatted as text"
)


@dataclass(frozen=True, slots=True)
class Read:
    """`mended`: what was done to it, "" if nothing was."""

    number: Number
    mended: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """`reason`: what was expected and how to mend it."""

    reason: str


def read_contact_number(text: str, region: str | None) -> Read | Unread:
    """`region` (two letters): where numbers without a country code are. None: they need one."""
    if number := quick_number(text, region):
        return _allowed(number, "")
    stripped = text.strip()
    if power := _POWER.fullmatch(stripped):
        digits = power[1] + (power[2] or "")
        whole = len(digits) == int(power[3]) + 1
        return _read(digits, region, SPREADSHEET) if whole else Unread(_LOST)
    if pointed := _POINT_ZERO.fullmatch(stripped):
        return _read(pointed[1], region, SPREADSHEET)
    same = stripped.translate(_SAME).strip().removeprefix("'").strip()
    same = same[4:] if same.lower().startswith("tel:") else same
    if slashed := _SLASH.fullmatch(same):
        return _slashed(slashed, region)
    return _read(same, region, CHARACTERS if same != stripped else "")


def _slashed(found: re.Match[str], region: str | None) -> Read | Unread:
    """Area code / number, unless one half is a number by itself."""
    halves = (read_number(half.strip(), region) for half in found.groups())
    if any(isinstance(half, Number) for half in halves):
        return Unread(_MENDING[Rule.SEVERAL])
    return _read(f"{found[1].strip()} {found[2].strip()}", region, SLASH)


def _read(text: str, region: str | None, mended: str) -> Read | Unread:
    verdict = read_number(text, region)
    if isinstance(verdict, Number):
        return _allowed(verdict, mended)
    if region and verdict.rule in (Rule.NO_COUNTRY_CODE, Rule.DIALLING_PREFIX):
        international, why = _international(text, region)
        if international:
            return _read(international, None, why if not mended else f"{mended}; {why}")
    return Unread(_MENDING.get(verdict.rule, verdict.reason))


def _international(text: str, region: str) -> tuple[str, str]:
    """With a plus, where the numbering plan of `region` leaves no other meaning; else ""."""
    try:
        parsed = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException:
        return "", ""
    why = {
        CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN: NO_PLUS,
        CountryCodeSource.FROM_NUMBER_WITH_IDD: ABROAD,
    }.get(parsed.country_code_source)
    if why is None or parsed.extension:
        return "", ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164), why


def _allowed(number: Number, mended: str) -> Read | Unread:
    refused: Refused | None = never_dialled(number)
    return Unread(_MENDING[refused.rule]) if refused else Read(number, mended)
