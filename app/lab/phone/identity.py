"""Who a call is: its ids, its numbers, and the parameters that every webhook carries."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

API_VERSION = "2010-04-01"

Direction: TypeAlias = Literal["inbound", "outbound-api", "outbound-dial"]

CallStatus: TypeAlias = Literal[
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
]

ENDED: frozenset[CallStatus] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

ADDRESS_PARAMETERS = tuple(
    f"{party}{part}"
    for party in ("From", "To", "Caller", "Called")
    for part in ("City", "State", "Zip", "Country")
)


def new_sid(prefix: str) -> str:
    """A Twilio-like id: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class CallIdentity:
    call_sid: str
    account_sid: str
    from_: str
    to: str
    direction: Direction
    extra: Mapping[str, str] = field(default_factory=dict)
    """More parameters for the voice webhook, such as ForwardedFrom or SipHeader_X-Name."""
    parent_call_sid: str = ""
    """Of a leg that <Dial> made."""
    stir_verstat: str = "TN-Validation-Passed-A"
    """What the carrier says about an inbound number; "" leaves it out."""
    sip_headers: Mapping[str, str] = field(default_factory=dict)
    """What the called SIP party was sent with the call."""

    def standard(self, status: CallStatus) -> dict[str, str]:
        """The parameters of every request about this call (Twilio docs: voice webhooks)."""
        parent = {"ParentCallSid": self.parent_call_sid} if self.parent_call_sid else {}
        return {
            "CallSid": self.call_sid,
            "AccountSid": self.account_sid,
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
            "CallStatus": status,
            "Direction": self.direction,
            "ApiVersion": API_VERSION,
            **parent,
        }

    def voice(self, status: CallStatus) -> dict[str, str]:
        """The parameters of a request for TwiML. Numbers bring blank address fields along."""
        parameters = self.standard(status)
        if self.from_.startswith("+"):
            parameters |= {
                name: "US" if name.endswith("Country") else "" for name in ADDRESS_PARAMETERS
            }
            if self.direction == "inbound" and self.stir_verstat:
                parameters["StirVerstat"] = self.stir_verstat
        return {**parameters, **self.extra}
