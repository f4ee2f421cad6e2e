"""One leg with all that its verbs need, and the plan by which further legs are made."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urljoin

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.call import LiveCall
from app.lab.phone.conference import Sounds
from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.identity import CallIdentity
from app.lab.phone.people import CalleeAnswer
from app.lab.phone.script import Script
from app.lab.phone.status import Callbacks, StatusCallback
from app.lab.phone.webhook import Method, Webhooks

CONFERENCE_SOUNDS: Final = frozenset({"Say", "Play", "Pause", "Redirect"})
CONFERENCE_SOUNDS_REFUSED = 13238
AGAIN_S = 0.2
"""Least time between two rounds of waiting TwiML, which may last no time at all."""

Beside: TypeAlias = Callable[[TwimlSource, frozenset[str], int, str], Awaitable[HungUp | None]]
"""(TwiML, verbs it may use, error code for others, what it is) -> how it ended; None: by itself"""

Join: TypeAlias = Callable[["Leg"], Coroutine[Any, Any, Next]]
"""What an answered leg does after its first TwiML: it joins other legs."""


@dataclass(frozen=True, slots=True)
class MachineDetection:
    """Of a called leg. `callback`: asynchronous, the TwiML does not wait."""

    takes_ms: int = 0
    message_end: bool = False
    callback: str = ""
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call before it is made."""

    identity: CallIdentity
    script: Script
    first: TwimlSource | None
    """Its TwiML; None for a leg that only joins others."""
    fallback: TwimlSource | None = None
    status: StatusCallback | None = None
    callee: CalleeAnswer = "answer"
    """Outbound only: how the called party reacts."""
    ring_ms: int = 0
    ring_limit_ms: int = 60_000
    time_limit_s: float | None = None
    sip_code: int = 0
    """Final SIP response of the called party; 0: what fits `callee`."""
    answered_by: str = "human"
    verdicts: tuple[tuple[int, str], ...] | None = None
    """Of its detection, where that is asynchronous: see `Callee`."""
    detection: MachineDetection | None = None
    allowed: frozenset[str] | None = None
    """Verbs that this leg's first TwiML may use; None: all."""
    refusal: int = 0
    """Error code for the others."""
    join: Join | None = None
    on_answer: Callable[["Leg"], None] | None = None


@dataclass(slots=True)
class Leg:
    """A leg while it lasts."""

    call: LiveCall
    account: Account
    webhooks: Webhooks
    callbacks: Callbacks
    place: Callable[[CallPlan], PlacedCall]
    """Begins another leg of the account."""
    answer: Callable[[], None]
    """Answers the call if that has not been done."""
    beside: Beside
    """Runs TwiML on this leg while a verb of it lasts."""
    children: list[PlacedCall] = field(default_factory=list)


def sounds_for(leg: Leg, document_url: str = "") -> Sounds:
    """TwiML that somebody hears in a conference: waiting, on hold, or as an announcement."""

    async def play(url: str, method: Method, again: bool) -> None:
        within = "wait" if again else "announcement"
        source = TwimlSource(urljoin(document_url, url), method)
        while True:
            end = await leg.beside(source, CONFERENCE_SOUNDS, CONFERENCE_SOUNDS_REFUSED, within)
            if end is not None or not again:
                return
            await asyncio.sleep(AGAIN_S)

    return play
