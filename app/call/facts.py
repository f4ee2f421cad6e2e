"""What is known of a call besides its audio: who calls whom, over what, and what came along.

All of it is said by the carrier or by whoever calls, so it is data: nothing here is an instruction,
and only the carrier's own fields (`stir_verstat`, `source_ip`, `sip_domain`) are worth any trust.
It is personal data too: it is kept out of `repr`, so that no log line shows it by accident.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.call.events import Direction, OnAnswer

Origin: TypeAlias = Literal["pstn", "sip", "client"]
"""Over what the other party is connected: a telephone network, SIP, or a softphone of ours."""

_SIP_USER = re.compile(r"sips?:([^@;?>]+)@", re.IGNORECASE)
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CallFacts:
    """The texts are as they came; whoever uses one decides what it may hold."""

    direction: Direction = "inbound"
    origin: Origin = "pstn"
    from_number: str = ""
    """Who placed the call: "+" and digits, or "sip:user@host", or "client:name"; "anonymous" for a
    number that is withheld."""
    to_number: str = ""
    """Whom it was placed to, alike."""
    country: str = ""
    """The other party's, two letters, where the carrier says it."""
    caller_name: str = ""
    """Where the carrier looks names up."""
    forwarded_from: str = ""
    """The number that sent the call on to ours. Carriers differ; often empty."""
    stir_verstat: str = ""
    """The carrier's verdict on the caller's number, such as "TN-Validation-Passed-A"."""
    sip_domain: str = ""
    source_ip: str = ""
    """Where a SIP call came from."""
    sip_call_id: str = ""
    """Its Call-ID, by which the other side's logs know it."""
    sip_headers: Mapping[str, str] = field(default_factory=dict)
    """X-... and User-to-User, by the names as they came. Anyone who may call can write them."""
    campaign: Mapping[str, str] = field(default_factory=dict)
    """Variables that whoever had the call placed gave along."""
    attempt_id: str = ""
    """The attempt of a campaign that this call is; "": of none."""
    on_answer: OnAnswer | None = None
    """What they want done about a machine that answers; None: nobody asks who does."""
    answered_at_ms: int | None = None
    """When somebody answered the call that we placed, in Unix milliseconds by our clock."""

    def __repr__(self) -> str:
        return f"CallFacts(direction={self.direction!r}, origin={self.origin!r}, ...)"

    @property
    def party(self) -> str:
        """The address of whoever speaks with the agent: the caller, or whom we called."""
        return self.from_number if self.direction == "inbound" else self.to_number

    @property
    def line(self) -> str:
        """Our own address in this call: what was dialled, or the caller ID that we showed."""
        return self.to_number if self.direction == "inbound" else self.from_number

    def header(self, name: str) -> str:
        """A SIP header, whatever the case of its letters; "" if it did not come."""
        wanted = name.casefold()
        return next((v for k, v in self.sip_headers.items() if k.casefold() == wanted), "")


def number_of(address: str) -> str:
    """The telephone number in an address, as "+" and digits: the address itself or the user of a
    SIP address. "" where there is none."""
    user = match[1] if (match := _SIP_USER.match(address)) else address
    return user if _NUMBER.match(user) else ""
