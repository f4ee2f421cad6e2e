"""What was decided and why, fit to be kept: numbers and addresses only by their last two digits."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from app.policy.destinations import Cleared, Kind
from app.policy.verdicts import Allowed, Refused

SHOWN_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of a call's `decisions.jsonl`."""

    at: datetime
    """With a time zone."""
    call_id: str
    action: str
    """Such as "dial", "sms", "refer", "tool:NAME", "spend"."""
    subject_masked: str
    allowed: bool
    rule: str
    """Of `Rule`; "" when it was allowed."""
    reason: str
    by: str
    """Who asked, such as "model"."""

    @property
    def as_json(self) -> str:
        """One line, without its end."""
        fields = asdict(self) | {"at": self.at.isoformat(timespec="milliseconds")}
        return json.dumps(fields, ensure_ascii=False)


def decided(
    at: datetime,
    call_id: str,
    action: str,
    subject: object,
    verdict: Cleared | Allowed | Refused,
    by: str,
) -> Decision:
    """`subject`: as it was asked for; of what was cleared, that is told instead."""
    shown = masked_destination(verdict) if isinstance(verdict, Cleared) else masked(subject)
    if isinstance(verdict, Refused):
        return Decision(at, call_id, action, shown, False, verdict.rule, verdict.reason, by)
    return Decision(at, call_id, action, shown, True, "", "", by)


def masked_destination(cleared: Cleared) -> str:
    """Names that stand in the agent's file are told; numbers and users of addresses are not."""
    key = f"{cleared.key}: " if cleared.key else ""
    if cleared.kind in (Kind.CLIENT, Kind.QUEUE):
        return f"{key}{cleared.uri}"
    if cleared.kind is Kind.SIP:
        return f"{key}sip:…@{cleared.address.rpartition('@')[2].removeprefix('sip:')}"
    return f"{key}{masked(cleared.address)}"


def masked(subject: object) -> str:
    """What anybody may have written: its kind, and the last two digits if it has enough of them."""
    if not isinstance(subject, str):
        return f"({type(subject).__name__})"
    scheme = subject.partition(":")[0].strip().lower()
    kind = f"{scheme}:" if scheme in ("sip", "sips", "tel", "client", "queue") else ""
    digits = [character for character in subject if character.isdigit()]
    # Of a short number, two digits would be most of it.
    end = "".join(digits[-SHOWN_DIGITS:]) if len(digits) > LONGEST_HIDDEN else ""
    return f"{kind}…{end}"


LONGEST_HIDDEN: Final = 6
