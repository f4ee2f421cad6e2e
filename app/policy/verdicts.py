"""What the policy answers: allowed, or refused by a rule of this closed list, with a reason.

A reason is one sentence for the model and the log. It never holds what was refused: no number, no
name, no header.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """Every rule that can refuse something."""

    # The text of a target.
    NOT_TEXT = "not_text"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    INVISIBLE = "invisible"
    FOREIGN_DIGITS = "foreign_digits"
    FOREIGN_PLUS = "foreign_plus"
    FOREIGN_CHARACTERS = "foreign_characters"
    LETTERS = "letters"
    EXTENSION = "extension"
    SEVERAL = "several"
    TEL_URI = "tel_uri"
    UNKNOWN_SCHEME = "unknown_scheme"
    NOT_A_NUMBER = "not_a_number"
    DIALLING_PREFIX = "dialling_prefix"
    NO_COUNTRY_CODE = "no_country_code"
    NOT_VALID = "not_valid"
    # What kind of number it is.
    EMERGENCY = "emergency"
    SHORT_CODE = "short_code"
    PREMIUM = "premium"
    SATELLITE = "satellite"
    SHARED_COST = "shared_cost"
    SPECIAL_NUMBER = "special_number"
    FRAUD_RANGE = "fraud_range"
    TOLL_FREE = "toll_free"
    # What this agent may reach.
    OWN_NUMBER = "own_number"
    DENY_PREFIX = "deny_prefix"
    COUNTRY = "country"
    NOT_A_TARGET = "not_a_target"
    NOT_ON_LIST = "not_on_list"
    WRONG_KIND = "wrong_kind"
    CLIENT = "client"
    QUEUE = "queue"
    # SIP addresses.
    SIP_SYNTAX = "sip_syntax"
    SIP_SCHEME = "sip_scheme"
    SIP_USER = "sip_user"
    SIP_HOST = "sip_host"
    SIP_IP = "sip_ip"
    SIP_PORT = "sip_port"
    SIP_PARAMETER = "sip_parameter"
    SIP_HEADER = "sip_header"
    SIP_ENCODING = "sip_encoding"
    # How often, how dear, and for whom.
    DIALS_PER_CALL = "dials_per_call"
    DIALS_PER_CALLER = "dials_per_caller"
    DIALS_PER_DESTINATION = "dials_per_destination"
    DIALS_PER_COUNTRY = "dials_per_country"
    SMS_PER_CALL = "sms_per_call"
    SMS_PER_NUMBER = "sms_per_number"
    SMS_PER_DAY = "sms_per_day"
    SPEND_PER_CALL = "spend_per_call"
    SPEND_PER_DAY = "spend_per_day"
    TRUST = "trust"


REASONS: Final[Mapping[Rule, str]] = {
    Rule.NOT_TEXT: "The target must be a text, such as the name of a target.",
    Rule.EMPTY: "The target is empty.",
    Rule.TOO_LONG: "The target is too long to be one number or address.",
    Rule.INVISIBLE: "The target holds characters that cannot be seen.",
    Rule.FOREIGN_DIGITS: "The target has digits that are not 0 to 9.",
    Rule.FOREIGN_PLUS: "The target has a plus sign that is not +.",
    Rule.FOREIGN_CHARACTERS: "The target has characters that no number or address has.",
    Rule.LETTERS: "The number has letters; it must be written in digits.",
    Rule.EXTENSION: "Extensions, pauses and keys after a number cannot be dialled.",
    Rule.SEVERAL: "That is more than one number; give one.",
    Rule.TEL_URI: "tel: addresses are not taken; give the number itself, with + and country code.",
    Rule.UNKNOWN_SCHEME: "That kind of address cannot be reached by telephone.",
    Rule.NOT_A_NUMBER: "That is not a telephone number.",
    Rule.DIALLING_PREFIX: "Write + and the country code instead of 00, 011 or another prefix.",
    Rule.NO_COUNTRY_CODE: "The number needs + and its country code.",
    Rule.NOT_VALID: "There can be no such number; ask for it again.",
    Rule.EMERGENCY: "Emergency numbers are never dialled from here; the caller must dial it.",
    Rule.SHORT_CODE: "Short numbers are not dialled.",
    Rule.PREMIUM: "Premium rate numbers are never dialled.",
    Rule.SATELLITE: "Satellite and international network numbers are never dialled.",
    Rule.SHARED_COST: "Shared cost numbers are not dialled.",
    Rule.SPECIAL_NUMBER: "Personal, pager, company-wide and mailbox numbers are not dialled.",
    Rule.FRAUD_RANGE: "Numbers of that range are not dialled: they are known from toll fraud.",
    Rule.TOLL_FREE: "Toll-free numbers are not dialled by this agent.",
    Rule.OWN_NUMBER: "That is this line's own number; the call would come back here.",
    Rule.DENY_PREFIX: "Numbers that begin so are denied to this agent.",
    Rule.COUNTRY: "Numbers of that country are not dialled by this agent.",
    Rule.NOT_A_TARGET: "There is no such target.",
    Rule.NOT_ON_LIST: "That number is neither the caller's own nor on this agent's list.",
    Rule.WRONG_KIND: "That kind of target cannot be used for this.",
    Rule.CLIENT: "There is no such client on this agent's list.",
    Rule.QUEUE: "There is no such queue on this agent's list.",
    Rule.SIP_SYNTAX: "That is not a SIP address of the form sip:user@host.",
    Rule.SIP_SCHEME: "SIP addresses of that scheme are not on this agent's list.",
    Rule.SIP_USER: "The user of the SIP address is not one that may be called.",
    Rule.SIP_HOST: "The host of the SIP address is not on this agent's list.",
    Rule.SIP_IP: "SIP addresses with an IP address as host are not on this agent's list.",
    Rule.SIP_PORT: "The port of the SIP address is not on this agent's list.",
    Rule.SIP_PARAMETER: "The SIP address has a parameter that is not taken.",
    Rule.SIP_HEADER: "The SIP address has a header that is not on this agent's list, or too long.",
    Rule.SIP_ENCODING: "The SIP address has encoded characters where none may be.",
    Rule.DIALS_PER_CALL: "This call has placed as many calls as it may.",
    Rule.DIALS_PER_CALLER: "Calls were placed too often for this caller; offer a message instead.",
    Rule.DIALS_PER_DESTINATION: "That number was called too often lately.",
    Rule.DIALS_PER_COUNTRY: "Too many calls went to that country lately.",
    Rule.SMS_PER_CALL: "This call has sent as many messages as it may.",
    Rule.SMS_PER_NUMBER: "That number was sent as many messages as it may be.",
    Rule.SMS_PER_DAY: "As many messages as may be were sent today.",
    Rule.SPEND_PER_CALL: "This call has cost as much as it may.",
    Rule.SPEND_PER_DAY: "Today's calls have cost as much as they may.",
    Rule.TRUST: "This needs more proof of who the caller is.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason` never holds what was refused."""

    rule: Rule
    reason: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing stands against it."""


def refuse(rule: Rule, more: str = "") -> Refused:
    """In the words of its rule; `more` is another sentence, free of what was refused."""
    return Refused(rule, f"{REASONS[rule]} {more}".rstrip())
