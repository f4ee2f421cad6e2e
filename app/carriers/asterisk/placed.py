"""Calls that we have a PBX place: what it is asked for, and how the call is known again.

What the call is about travels with it, sealed in a channel variable that ARI sets (so no dialplan
cuts it short): only we can have written it, and nobody else can read it. It is bound to the call's
id, which is the channel's id too, and is made of the attempt that the call is. So whoever tells of
the channel tells of the attempt, and no attempt is placed twice at once.

The dialplan is deploy/asterisk/extensions.conf: `earshot-out` dials, and whoever answers goes on
in `earshot-outgoing`. A call of ours is `Local/WHERE@earshot-out/n`, so that the PBX, not we,
knows trunks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import msgspec

from app.call.events import OnAnswer
from app.call.facts import CallFacts
from app.carriers.asterisk import identity
from app.carriers.asterisk.ari import Originate
from app.carriers.sealed import Seals

OUT: Final = "earshot-out"
"""The context that dials."""
OUTGOING: Final = "earshot-outgoing"
"""... and the one in which who was reached goes on,"""
TALK: Final = "talk"
"""at this extension."""
ADDRESS: Final = "address"
"""The extension of `OUT` that dials a SIP address, which no extension's name can hold."""
RING: Final = "EARSHOT_RING_S"
MARGIN_S: Final = 15
"""So much longer than it rings a channel may live unanswered: the dialplan is to end it."""
MOST_RING_S: Final = 600
MOST_VARIABLES_BYTES: Final = 1_024
MOST_MESSAGE_BYTES: Final = 1_000
MOST_SEALED: Final = 4_000
"""Characters: what all of Asterisk's buffers have room for."""

_ATTEMPT: Final = re.compile(r"[0-9a-f]{32}\Z")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z", re.ASCII)
_SIP: Final = re.compile(r"sips?:[A-Za-z0-9+_.\-]{1,64}@[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?\Z")


class PlacedInputError(ValueError):
    """Whoever wants the call must mend it: says what was expected, and repeats no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCall:
    """One call. `ring_s`: 1 to 600. `attempt_id`: of a campaign; "": of none."""

    call_id: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    agent: str
    ring_s: int
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempt_id: str = ""
    on_answer: OnAnswer | None = field(default=None, repr=False)

    def facts(self, answered_at_ms: int | None) -> CallFacts:
        """`answered_at_ms`: Unix ms; None where that is not known any more."""
        return CallFacts(
            direction="outbound",
            origin="sip" if _is_sip(self.to) else "pstn",
            from_number=self.from_,
            to_number=self.to,
            campaign=dict(self.variables),
            attempt_id=self.attempt_id,
            on_answer=self.on_answer,
            answered_at_ms=answered_at_ms,
        )


def id_of_attempt(attempt_id: str) -> str:
    """The call's id. Raises `PlacedInputError` for what is no attempt's."""
    if not _ATTEMPT.match(attempt_id):
        raise PlacedInputError("expected an attempt id of 32 hexadecimal digits")
    return f"AO{attempt_id}"


def attempt_of(call_id: str) -> str:
    """The attempt that a channel of ours would be; "": it is none of ours."""
    return call_id[2:] if identity.is_ours(call_id) else ""


def new_id() -> str:
    """Of a call that is no campaign's."""
    return f"AO{uuid4().hex}"


def check_parties(to: str, from_: str) -> None:
    """Raises `PlacedInputError`."""
    if not (_NUMBER.match(to) or _SIP.match(to)):
        raise PlacedInputError(
            "expected the number to call as E.164 (+ and digits), or sip:user@host of letters, "
            "digits, +, -, _ and dots"
        )
    if not _NUMBER.match(from_):
        raise PlacedInputError("expected the caller ID as E.164: + and digits")


class PlacedSeals:
    """Seals and opens what a call is about. `secrets`: what lets the PBX in, the same everywhere
    that places or carries calls; the first one seals, any one opens."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._seals = Seals(secrets, "placed call 1")

    def originate(self, call: PlacedCall) -> Originate:
        """What the PBX is asked for. Raises `PlacedInputError`."""
        check_parties(call.to, call.from_)
        if not 1 <= call.ring_s <= MOST_RING_S:
            raise PlacedInputError(f"expected 1 to {MOST_RING_S} s of ringing, got {call.ring_s}")
        named = {
            identity.DIRECTION: "outbound",
            identity.CALL_ID: call.call_id,
            identity.FROM: call.from_,
            identity.TO: call.to,
            identity.AGENT: call.agent,
            identity.ATTEMPT: call.attempt_id,
            identity.ORDER: self.seal(call),
            RING: str(call.ring_s),
        }
        where = ADDRESS if _is_sip(call.to) else call.to
        return Originate(
            channel_id=call.call_id,
            endpoint=f"Local/{where}@{OUT}/n",
            context=OUTGOING,
            extension=TALK,
            timeout_s=call.ring_s + MARGIN_S,
            caller_id=call.from_,
            variables={f"__{name}": value for name, value in named.items()},
        )

    def seal(self, call: PlacedCall) -> str:
        """Raises `PlacedInputError` for more than a call can carry."""
        size = sum(len(k.encode()) + len(v.encode()) for k, v in call.variables.items())
        if size > MOST_VARIABLES_BYTES:
            raise PlacedInputError(
                f"expected at most {MOST_VARIABLES_BYTES} bytes of variables, got {size}"
            )
        said = 0 if call.on_answer is None else len(call.on_answer.message.encode())
        if said > MOST_MESSAGE_BYTES:
            raise PlacedInputError(
                f"expected a message of at most {MOST_MESSAGE_BYTES} bytes, got {said}"
            )
        sealed = self._seals.seal(msgspec.json.encode(call), call.call_id)
        if len(sealed) > MOST_SEALED:
            raise PlacedInputError("expected shorter variables, or a shorter message")
        return sealed

    def open(self, sealed: str, call_id: str) -> PlacedCall | None:
        """None for what we did not seal for this call."""
        if not identity.is_ours(call_id):
            return None
        text = self._seals.open(sealed, call_id)
        try:
            return None if text is None else msgspec.json.decode(text, type=PlacedCall)
        except msgspec.DecodeError:
            return None  # of another version of ours


def _is_sip(address: str) -> bool:
    return address.startswith(("sip:", "sips:"))
