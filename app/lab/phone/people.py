"""Who is at the other end of a number, a SIP URI or a client's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from app.lab.phone.mixing import beep
from app.lab.phone.script import HangUp, Say, Script, Wait

CalleeAnswer: TypeAlias = Literal["answer", "busy", "no-answer", "failed"]
AnsweredBy: TypeAlias = Literal["human", "machine", "fax", "unknown"]


@dataclass(frozen=True, slots=True)
class Callee:
    """Who is at the number that the bot dials."""

    script: Script = field(default_factory=Script)
    answers: CalleeAnswer = "answer"
    ring_ms: int = 0
    sip_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of a SIP party's answer, such as {"X-Agent": "7"}."""
    sip_code: int = 0
    """Final SIP response; 0: what fits `answers`."""
    login: tuple[str, str] | None = None
    """User and password that a SIP party asks for; None: anybody may call."""
    refers_to: str = ""
    """A SIP party's REFER: whom it sends the caller on to, once it has answered."""
    refers_after_ms: int = 1_000
    """... after so long."""
    answered_by: AnsweredBy = "human"
    """What machine detection finds."""
    verdicts: tuple[tuple[int, str], ...] | None = None
    """Milliseconds after the answer, and the AnsweredBy that its callback then tells; none where it
    finds nothing. None: one, in its time, that fits `answered_by`."""
    text: Literal["delivered", "undelivered", "failed"] = "delivered"
    """What becomes of a text message to this number."""
    text_error: int = 30003
    """Twilio's error code for a message that is not delivered."""


def admitted(callee: Callee, username: str, password: str) -> Callee:
    """The same, or one that refuses who does not log in."""
    if callee.login in (None, (username, password)):
        return callee
    return replace(callee, answers="failed", sip_code=407)


Directory: TypeAlias = Mapping[str, Callee] | Callable[[str], Callee | None]
"""Who is at an address ("+1...", "sip:user@host", "client:name"). Nobody: the call fails."""

NOBODY = Callee(answers="failed", sip_code=404)
"""At a number that is not in service."""


def find(directory: Directory, address: str) -> Callee:
    """Asks for the address as it was dialled, then without its parameters and headers."""
    for known in (address, bare(address)):
        callee = directory(known) if callable(directory) else directory.get(known)
        if callee is not None:
            return callee
    return NOBODY


def bare(address: str) -> str:
    """A SIP URI without port, parameters and headers; other addresses as they are."""
    if not address.lower().startswith(("sip:", "sips:")):
        return address
    user, at, rest = address.partition("@")
    if not at:
        return address
    for end in "?;:>":
        rest = rest.partition(end)[0]
    return f"{user}@{rest}"


def voicemail(
    greeting: bytes,
    text: str = "",
    *,
    ring_ms: int = 0,
    takes_ms: int = 30_000,
    verdicts: tuple[tuple[int, str], ...] | None = None,
) -> Callee:
    """A machine: it speaks its greeting (μ-law), beeps, listens for `takes_ms` and hangs up."""
    steps = (Wait(500), Say(greeting, text), Say(beep(), kind="noise"), Wait(takes_ms), HangUp())
    return Callee(Script(steps), ring_ms=ring_ms, answered_by="machine", verdicts=verdicts)
