"""Where a call or a message may go: the one gate for every dial, transfer, REFER and SMS.

`judge` gives a `Cleared`, which only this module can make, or a `Refused` with its rule. Who writes
TwiML or asks a carrier's API takes a `Cleared` and nothing else. Judging what was cleared once more
gives the same, so a state that comes back over the network is judged anew.
"""

import re
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from typing import Final, Literal, final

from app.policy.destination_rules import NAME, DestinationRules
from app.policy.number_rules import number_refused
from app.policy.numbers import Number, odd_characters, read_number
from app.policy.ranges import EVERYWHERE, LONGEST_SHORT, is_emergency
from app.policy.sip_uris import MOST_HEADERS, MOST_URI, SipUri, read_sip_uri, with_headers
from app.policy.verdicts import Refused, Rule, refuse

MOST_TEXT: Final = MOST_URI + 1 + MOST_HEADERS
_ONLY_HERE: Final = object()
_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_NUMBER_LIKE: Final = re.compile(r"\+?[0-9._-]+")
_MANY_DIGITS: Final = re.compile(r"(?:[0-9][._-]*){7,}")


class Kind(StrEnum):
    """What a destination is."""

    NUMBER = "number"
    SIP = "sip"
    CLIENT = "client"
    QUEUE = "queue"


class Purpose(StrEnum):
    """What is to be done with it."""

    DIAL = "dial"
    TRANSFER = "transfer"
    REFER = "refer"
    SMS = "sms"


class By(StrEnum):
    """Who asks. `OPERATOR`: the agent's own file. `CARRIER`: the caller's number as the
    carrier gives it, when the program itself answers it. `MODEL`, `CALLER` (said, typed) and `DATA`
    (a CRM field, a header, a tool's result) are believed nothing."""

    OPERATOR = "operator"
    CARRIER = "carrier"
    MODEL = "model"
    CALLER = "caller"
    DATA = "data"


TAKEN: Final[dict[Purpose, frozenset[Kind]]] = {
    Purpose.DIAL: frozenset({Kind.NUMBER, Kind.SIP, Kind.CLIENT}),
    Purpose.TRANSFER: frozenset(Kind),
    Purpose.REFER: frozenset({Kind.SIP}),
    Purpose.SMS: frozenset({Kind.NUMBER}),
}
"""A call can be placed to no queue, <Refer> takes one SIP address, a message goes to a number."""


@final
@dataclass(frozen=True, slots=True)
class Cleared:
    """A destination that passed every rule. Made by `judge` only; anybody else gets `TypeError`."""

    kind: Kind
    address: str = field(repr=False)
    """E.164, `sip:user@host`, or the bare name of a client or queue."""
    purpose: Purpose
    by: By
    key: str = ""
    """The configured target that it is, if any."""
    country: str = ""
    """ISO code of a number; "001" for none, "" for what is no number."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Of a SIP address, decoded."""
    token: InitVar[object] = None

    def __post_init__(self, token: object) -> None:
        if token is not _ONLY_HERE:
            raise TypeError("a Cleared destination is made by app.policy.destinations.judge only")

    @property
    def uri(self) -> str:
        """As it is dialled: a SIP address with its headers, a name with `client:` or `queue:`."""
        if self.kind in (Kind.CLIENT, Kind.QUEUE):
            return f"{self.kind}:{self.address}"
        return with_headers(self.address, self.headers)


def judge(
    rules: DestinationRules, target: object, *, purpose: Purpose, by: By, caller: str = ""
) -> Cleared | Refused:
    """`target`: a configured key, or an address; whatever came, also what is no text. `caller`: the
    caller's own number as the carrier gives it; anything else counts as withheld.

    Raises nothing that depends on `target`.
    """
    if not isinstance(target, str):
        return refuse(Rule.NOT_TEXT)
    if len(target) > MOST_TEXT:
        return refuse(Rule.TOO_LONG)
    if target in rules.targets:
        return _Case(rules, purpose, by, caller, target).judged(rules.targets[target])
    if by not in (By.OPERATOR, By.CARRIER) and not rules.free_numbers:
        there = ", ".join(sorted(rules.targets))
        return refuse(Rule.NOT_A_TARGET, f"There are: {there}." if there else "There are none.")
    return _Case(rules, purpose, by, caller, "").judged(target)


@dataclass(frozen=True, slots=True)
class _Case:
    """One target before the judge."""

    rules: DestinationRules
    purpose: Purpose
    by: By
    caller: str
    key: str

    @property
    def _operators(self) -> bool:
        """The address stands in the agent's file, whoever chose it."""
        return bool(self.key) or self.by is By.OPERATOR

    def judged(self, text: str) -> Cleared | Refused:
        if refused := odd_characters(text):
            return refused
        scheme = _SCHEME.match(text)
        kind = scheme[1].lower() if scheme else ""
        if kind in ("sip", "sips"):
            return self._sip(text)
        if kind in ("client", "queue"):
            return self._name("client" if kind == "client" else "queue", text)
        return self._number(text)

    @property
    def _region(self) -> str | None:
        """Where a number without its country code is understood."""
        known = self._operators or self.rules.national_numbers
        return self.rules.region if known else None

    def _number(self, text: str) -> Cleared | Refused:
        number = read_number(text, self._region)
        if isinstance(number, Refused):
            return number
        refused = number_refused(number, self.rules, listed=not self._is_own_choice(number))
        return refused or self._cleared(Kind.NUMBER, number.e164, number.region)

    def _is_own_choice(self, number: Number) -> bool:
        """Named by whom a country's list is enough for: the operator, or a caller who is called
        back at their own number."""
        if self._operators or self.by is By.CARRIER:
            return True
        own = read_number(self.caller)
        return isinstance(own, Number) and own.e164 == number.e164

    def _sip(self, text: str) -> Cleared | Refused:
        if len(text) != len(text.strip()):
            return refuse(Rule.SIP_SYNTAX)
        uri = read_sip_uri(text)
        if isinstance(uri, Refused):
            return uri
        refused = _address_refused(uri, self.rules) or self._user_refused(uri.user)
        return refused or self._cleared(Kind.SIP, uri.address, "", uri.headers)

    def _user_refused(self, user: str) -> Refused | None:
        """A host may be a gateway to the telephone network: a user that is a number is one."""
        if not _NUMBER_LIKE.fullmatch(user):
            hides_one = not self._operators and _MANY_DIGITS.search(user)
            return refuse(Rule.SIP_USER) if hides_one or user.startswith("+") else None
        digits = user.removeprefix("+")
        if not digits.isdigit():
            # What a gateway makes of its dots and dashes is not known.
            return refuse(Rule.SIP_USER)
        if user.startswith("+"):
            return self._readings_refused([_unchanged(read_number(user), digits)])
        return self._digits_refused(digits)

    def _digits_refused(self, digits: str) -> Refused | None:
        if len(digits) <= LONGEST_SHORT:
            return self._extension_refused(digits)
        if digits.startswith(("00", "011")):
            return refuse(Rule.DIALLING_PREFIX)
        if not self._operators:
            return refuse(Rule.NO_COUNTRY_CODE)
        as_written = _unchanged(read_number("+" + digits), digits)
        return self._readings_refused([as_written, read_number(digits, self._region)])

    def _readings_refused(self, readings: list[Number | Refused]) -> Refused | None:
        """What a gateway may make of the digits; all that can be meant must be allowed."""
        numbers = [reading for reading in readings if isinstance(reading, Number)]
        if not numbers:
            return next((one for one in readings if isinstance(one, Refused)), None)
        refusals = (
            number_refused(number, self.rules, listed=not self._is_own_choice(number))
            for number in numbers
        )
        return next((refusal for refusal in refusals if refusal), None)

    def _extension_refused(self, digits: str) -> Refused | None:
        """Extensions such as 101 are an emergency number somewhere; of the operator's own those
        count that are one where the line is, or everywhere."""
        if not self._operators:
            return refuse(Rule.EMERGENCY if is_emergency(digits) else Rule.SHORT_CODE)
        if digits in EVERYWHERE or is_emergency(digits, self.rules.reached):
            return refuse(Rule.EMERGENCY)
        return None

    def _name(self, kind: Literal["client", "queue"], text: str) -> Cleared | Refused:
        name = text.partition(":")[2]
        if not NAME.fullmatch(name) or name not in self.rules.listed(kind):
            return refuse(Rule.CLIENT if kind == "client" else Rule.QUEUE)
        return self._cleared(Kind(kind), name)

    def _cleared(
        self,
        kind: Kind,
        address: str,
        country: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Cleared | Refused:
        if kind not in TAKEN[self.purpose]:
            return refuse(Rule.WRONG_KIND)
        return Cleared(
            kind, address, self.purpose, self.by, self.key, country, headers, token=_ONLY_HERE
        )


def _unchanged(number: Number | Refused, digits: str) -> Number | Refused:
    """A gateway dials what is written, not what phonenumbers takes it to mean."""
    if isinstance(number, Number) and number.digits != digits:
        return refuse(Rule.NOT_VALID)
    return number


def _address_refused(uri: SipUri, rules: DestinationRules) -> Refused | None:
    """Everything of a SIP address but its user."""
    if uri.scheme not in rules.sip_schemes:
        return refuse(Rule.SIP_SCHEME)
    if uri.host not in rules.sip_hosts:
        return refuse(Rule.SIP_IP if uri.ip else Rule.SIP_HOST)
    if uri.port is not None and uri.port not in rules.sip_ports:
        return refuse(Rule.SIP_PORT)
    names = {name.lower() for name in rules.sip_headers}
    if any(name.lower() not in names for name, _ in uri.headers):
        return refuse(Rule.SIP_HEADER)
    return None
