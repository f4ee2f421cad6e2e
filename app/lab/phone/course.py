"""Where a call goes next: other TwiML, or its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from app.lab.phone.identity import CallStatus
from app.lab.phone.report import EndedBy
from app.lab.phone.webhook import Method


@dataclass(frozen=True, slots=True)
class TwimlSource:
    """Where the next TwiML comes from: a URL, or the document itself."""

    url: str = ""
    method: Method = "POST"
    document: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What a verb adds to the standard parameters."""
    purpose: Literal["twiml", "action"] = "twiml"


@dataclass(frozen=True, slots=True)
class HungUp:
    by: EndedBy
    status: CallStatus = "completed"
    leaves: bool = False
    """<Leave>: only the queue is left, not the call."""


@dataclass(frozen=True, slots=True)
class Redirected:
    source: TwimlSource


Next: TypeAlias = TwimlSource | HungUp | None
"""Other TwiML, the end of the call, or None: the next verb."""
