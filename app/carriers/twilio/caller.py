"""What Twilio says about a call, from its voice webhook to the call's media streams.

The webhook and the stream may reach different workers, so the facts travel with the call, sealed
for it: in `<Parameter>`s beside the token, and in the query of the URLs that Twilio asks later,
since those requests no longer bring SIP headers along.
Fields: Twilio docs, "TwiML Voice: request parameters" and "SIP: custom headers".
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Final

import msgspec

from app.call.events import Direction, OnAnswer
from app.call.facts import CallFacts, Origin
from app.carriers.sealed import Seals

FACTS_QUERY: Final = "facts"
"""Name in the query of our URLs."""
VARIABLES_QUERY: Final = "vars"
"""Name in the voice URL of a call that we place."""
ON_ANSWER_QUERY: Final = "machine"
"""... and what is to be done about a machine that answers it."""
MOST_MESSAGE_BYTES: Final = 1_000
MOST_VARIABLES_BYTES: Final = 1_024
"""Names and values of a call's variables together."""

_PARAMETER: Final = "facts"
_CHUNK: Final = 480
"""Twilio takes fewer than 500 characters of a `<Parameter>`'s name and value together."""
_MOST_CHUNKS: Final = 20
_MOST_VALUE: Final = 120
_MOST_HEADER_BYTES: Final = 1_024
"""Twilio passes on no more than this of a call's SIP headers."""
_HEADER: Final = "SipHeader_"
_WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""What Twilio gives instead of a number that is not shown: "anonymous", "restricted", "blocked",
"unknown" and "unavailable", spelt on a telephone's keys."""


class TooManyVariablesError(ValueError):
    """The operator's input: more than a call can carry."""


class MessageTooLongError(ValueError):
    """The operator's input: a message for machines that a call cannot carry."""


class FactSeals:
    """Seals and opens the facts of calls, and the variables of calls that we place."""

    def __init__(self, auth_tokens: Sequence[str]) -> None:
        self._facts = Seals(auth_tokens, "call facts 1")
        self._variables = Seals(auth_tokens, "call variables 1")
        self._on_answer = Seals(auth_tokens, "on answer 1")

    def seal(self, facts: CallFacts, call_sid: str) -> str:
        said = {
            f.name: value for f in fields(facts) if (value := getattr(facts, f.name)) != _empty(f)
        }
        return self._facts.seal(msgspec.json.encode(said), call_sid)

    def open(self, sealed: str, call_sid: str) -> CallFacts | None:
        """None for what was not sealed for this call."""
        text = self._facts.open(sealed, call_sid)
        try:
            return None if text is None else msgspec.json.decode(text, type=CallFacts)
        except msgspec.DecodeError:
            return None  # of another version of ours

    def seal_variables(self, variables: Mapping[str, str]) -> str:
        """For the voice URL of a call that has no CallSid yet. Raises `TooManyVariablesError`."""
        size = _bytes(variables)
        if size > MOST_VARIABLES_BYTES:
            raise TooManyVariablesError(
                f"expected at most {MOST_VARIABLES_BYTES} bytes of variables, got {size}"
            )
        return self._variables.seal(msgspec.json.encode(dict(variables)), "")

    def open_variables(self, sealed: str) -> dict[str, str]:
        text = self._variables.open(sealed, "")
        return {} if text is None else msgspec.json.decode(text, type=dict[str, str])

    def seal_on_answer(self, on_answer: OnAnswer) -> str:
        """For the voice URL as well. Raises `MessageTooLongError`."""
        size = len(on_answer.message.encode())
        if size > MOST_MESSAGE_BYTES:
            raise MessageTooLongError(
                f"expected a message of at most {MOST_MESSAGE_BYTES} bytes, got {size}"
            )
        return self._on_answer.seal(msgspec.json.encode(on_answer), "")

    def open_on_answer(self, sealed: str) -> OnAnswer | None:
        """None for what we did not seal."""
        text = self._on_answer.open(sealed, "") if sealed else None
        try:
            return None if text is None else msgspec.json.decode(text, type=OnAnswer)
        except msgspec.DecodeError:
            return None  # of another version of ours


def as_parameters(sealed: str) -> dict[str, str]:
    """In as many `<Parameter>`s as it takes."""
    chunks = [sealed[at : at + _CHUNK] for at in range(0, len(sealed), _CHUNK)]
    return {f"{_PARAMETER}{number}": chunk for number, chunk in enumerate(chunks, 1)}


def from_parameters(parameters: Mapping[str, str]) -> str:
    """What `as_parameters` split; "" when there is nothing."""
    names = (f"{_PARAMETER}{number}" for number in range(1, _MOST_CHUNKS + 1))
    return "".join(parameters.get(name, "") for name in names)


def read_facts(
    said: Mapping[str, str],
    direction: Direction,
    variables: Mapping[str, str] | None = None,
    attempt_id: str = "",
    on_answer: OnAnswer | None = None,
    answered_at_ms: int | None = None,
) -> CallFacts:
    """The facts in the fields of a voice webhook. The rest stood in our own URL."""
    sender, receiver = (said.get(name, "")[:255] for name in ("From", "To"))
    sender = "anonymous" if sender in _WITHHELD else sender
    party = sender if direction == "inbound" else receiver
    country = said.get("FromCountry" if direction == "inbound" else "ToCountry", "")
    return CallFacts(
        direction=direction,
        origin=_origin(party, said),
        from_number=sender,
        to_number=receiver,
        country=country if len(country) == 2 and country.isascii() else "",
        caller_name=said.get("CallerName", "")[:_MOST_VALUE],
        forwarded_from=said.get("ForwardedFrom", "")[:_MOST_VALUE],
        stir_verstat=said.get("StirVerstat", "")[:_MOST_VALUE],
        sip_domain=said.get("SipDomain", "")[:_MOST_VALUE],
        source_ip=said.get("SipSourceIp", "")[:_MOST_VALUE],
        sip_call_id=said.get("SipCallId", "")[:_MOST_VALUE],
        sip_headers=_headers(said),
        campaign=dict(variables or {}),
        attempt_id=attempt_id,
        on_answer=on_answer,
        answered_at_ms=answered_at_ms,
    )


def _origin(party: str, said: Mapping[str, str]) -> Origin:
    if party.startswith("client:"):
        return "client"
    return "sip" if party.startswith(("sip:", "sips:")) or said.get("SipDomain") else "pstn"


def _headers(said: Mapping[str, str]) -> dict[str, str]:
    """As many as Twilio can have passed on; a longer list is cut at its end. Of two whose names
    differ in the case of letters only, which no SIP system tells apart, the first one counts."""
    headers: dict[str, str] = {}
    known: set[str] = set()
    for name, value in said.items():
        header = name.removeprefix(_HEADER)
        if header == name or not header or header.casefold() in known:
            continue
        if _bytes({**headers, header: value}) <= _MOST_HEADER_BYTES:
            headers[header] = value
            known.add(header.casefold())
    return headers


def _bytes(texts: Mapping[str, str]) -> int:
    return sum(len(name.encode()) + len(value.encode()) for name, value in texts.items())


def _empty(field: object) -> object:
    """A field's default."""
    factory = getattr(field, "default_factory", MISSING)
    return getattr(field, "default", MISSING) if factory is MISSING else factory()
