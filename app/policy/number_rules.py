"""Whether a valid number may be reached under an agent's rules. The first rule that it breaks is
named; what no setting opens comes first."""

from typing import Final

from phonenumbers import PhoneNumberType

from app.policy.destination_rules import DestinationRules
from app.policy.numbers import Number
from app.policy.ranges import FRAUD_RANGES, FRAUD_REGIONS, PREMIUM, SATELLITE, UNASSIGNED
from app.policy.verdicts import Refused, Rule, refuse

_ORDINARY: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
NARROW: Final = 3
"""A prefix that goes so many digits beyond the country code means that range and not a country."""


def number_refused(number: Number, rules: DestinationRules, *, listed: bool) -> Refused | None:
    """`listed`: it must begin with an allowed prefix, a country alone does not do."""
    allow = _longest(number, rules.allow_prefixes)
    if number.e164 in _plain(rules.own_numbers):
        return refuse(Rule.OWN_NUMBER)
    if refused := never_dialled(number):
        return refused
    deny = _longest(number, rules.deny_prefixes)
    if deny and deny >= allow:
        return refuse(Rule.DENY_PREFIX)
    if refused := _special(number, rules, allow):
        return refused
    if not allow and not any(number.is_of(region) for region in rules.reached):
        return refuse(Rule.COUNTRY)
    return refuse(Rule.NOT_ON_LIST) if listed and not allow else None


def never_dialled(number: Number) -> Refused | None:
    """What no setting opens."""
    if number.digits.startswith((*SATELLITE, *UNASSIGNED)):
        return refuse(Rule.SATELLITE)
    if number.kind == PhoneNumberType.PREMIUM_RATE or PREMIUM.match(number.digits):
        return refuse(Rule.PREMIUM)
    return None


def _special(number: Number, rules: DestinationRules, allow: int) -> Refused | None:
    """What only a prefix opens that means just this range."""
    narrow = allow >= len(number.code) + NARROW
    fraud = _longest(number, tuple(f"+{digits}" for digits in FRAUD_RANGES))
    if fraud > allow and number.region not in rules.home:
        return refuse(Rule.FRAUD_RANGE)
    # A whole country may be meant, but not by a prefix such as +1 that holds many.
    country = 1 + NARROW if number.code == "1" else len(number.code)
    if number.region in FRAUD_REGIONS and number.region not in rules.reached and allow < country:
        return refuse(Rule.FRAUD_RANGE if allow else Rule.COUNTRY)
    return _kind_refused(number, rules, narrow)


def _kind_refused(number: Number, rules: DestinationRules, narrow: bool) -> Refused | None:
    if number.kind == PhoneNumberType.TOLL_FREE:
        return None if rules.toll_free or narrow else refuse(Rule.TOLL_FREE)
    if number.kind == PhoneNumberType.SHARED_COST:
        return None if narrow else refuse(Rule.SHARED_COST)
    if number.kind not in _ORDINARY:
        return None if narrow else refuse(Rule.SPECIAL_NUMBER)
    return None


def _longest(number: Number, prefixes: tuple[str, ...]) -> int:
    """How many digits the longest of them has that the number begins with; 0: it begins with
    none."""
    return max((len(p) - 1 for p in prefixes if number.e164.startswith(p)), default=0)


def _plain(numbers: tuple[str, ...]) -> frozenset[str]:
    """As they are dialled, however they were written."""
    return frozenset(
        "+" + "".join(character for character in number if character.isdigit())
        for number in numbers
    )
