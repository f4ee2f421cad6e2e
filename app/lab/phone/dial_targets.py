"""Whom a <Dial> names, and under which caller id: read, and refused as Twilio refuses it.

Source: shared notes on Twilio Voice, section 2; error pages 13214 to 13248.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.lab.phone.account import Account
from app.lab.phone.identity import CallIdentity
from app.lab.phone.sip import is_sip, read_target
from app.lab.phone.twiml import TwimlError, Verb

INVALID_CALLER_ID = 13214
INVALID_NESTING = 13215
INVALID_SEND_DIGITS = 13222
INVALID_FORMAT = 13223
INVALID_NUMBER = 13224
NOT_PERMITTED = 13227
CALLER_ID_CHARACTERS = 13247
CALLER_ID_LENGTH = 13248

MOST_TARGETS = 10
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_DIALABLE = re.compile(r"\+?[\d\s().-]+")
_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]{1,32}")
_SIP_CALLER_ID = re.compile(r"[A-Za-z0-9+\-_.]+")
_SIP_CALLER_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class Target:
    """One party to ring."""

    noun: Verb
    """For its attributes: url, statusCallback and so on."""
    address: str
    sip_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_sip(self) -> bool:
        return is_sip(self.address)


def read_targets(verb: Verb, account: Account) -> list[Target]:
    """Raises TwimlError with the code that Twilio reports."""
    nouns = verb.children or (Verb("Number", {}, verb.text, ()),)
    kinds = {noun.name for noun in nouns}
    if not kinds <= {"Number", "Sip", "Client"}:
        raise TwimlError(
            f"this telephone dials <Number>, <Sip> and <Client> together, got {sorted(kinds)}",
            INVALID_NESTING,
        )
    if len(nouns) > MOST_TARGETS:
        raise TwimlError(
            f"<Dial> rings at most {MOST_TARGETS} at once, got {len(nouns)}", INVALID_NESTING
        )
    return [_target(noun, account) for noun in nouns]


def _target(noun: Verb, account: Account) -> Target:
    if noun.name == "Sip":
        sip = read_target(noun.text)
        return Target(noun, sip.uri, sip.headers)
    if noun.name == "Client":
        named = next((child.text for child in noun.children if child.name == "Identity"), "")
        name = named or noun.text
        if not name:
            raise TwimlError("<Client> needs an identity", INVALID_FORMAT)
        return Target(noun, f"client:{name}")
    return Target(noun, _number(noun, account))


def _number(noun: Verb, account: Account) -> str:
    text = noun.text
    if not (text.isascii() and _DIALABLE.fullmatch(text)):
        raise TwimlError(f"expected a phone number of ASCII digits, got {text!r}", INVALID_FORMAT)
    number = "+" + re.sub(r"\D", "", text)
    if not (text.startswith("+") and _NUMBER.fullmatch(number)):
        raise TwimlError(f"expected a number in E.164 format, got {text!r}", INVALID_NUMBER)
    if account.blocks(number):
        raise TwimlError("geo permissions do not allow calls to this number", NOT_PERMITTED)
    digits = noun.get("sendDigits")
    if digits and not _SEND_DIGITS.fullmatch(digits):
        raise TwimlError("expected sendDigits of 0-9, A-D, #, * and w", INVALID_SEND_DIGITS)
    return number


def caller_id(verb: Verb, target: Target, call: CallIdentity, account: Account) -> str:
    """Under which a target is called. Raises TwimlError where Twilio refuses it."""
    given = verb.get("callerId")
    shown = given or call.from_
    if target.noun.name == "Client":
        return shown
    if target.is_sip:
        return _sip_caller_id(shown)
    inbound_sip = call.direction == "inbound" and is_sip(call.from_)
    own = () if inbound_sip else (call.from_, call.to)
    if _NUMBER.fullmatch(shown) and (shown in own or account.may_show(shown)):
        return shown
    raise TwimlError(
        "expected callerId: the calling or called number (not on a call from SIP), a number of "
        f"the account or a verified one, got {shown!r}",
        INVALID_CALLER_ID,
    )


def _sip_caller_id(shown: str) -> str:
    name = shown
    if is_sip(shown):  # a SIP caller's own name goes on to the next SIP party
        name = shown.partition(":")[2].partition("@")[0]
    if not _SIP_CALLER_ID.fullmatch(name):
        raise TwimlError(
            f"expected callerId of letters, digits and +-_. for <Sip>, got {shown!r}",
            CALLER_ID_CHARACTERS,
        )
    if len(name) > _SIP_CALLER_ID_CHARS:
        raise TwimlError("callerId is too long", CALLER_ID_LENGTH)
    return name
