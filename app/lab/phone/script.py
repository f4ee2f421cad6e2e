"""A caller's script, as data. Steps run one after another, driven by what the caller hears.

    Script(steps=(
        WaitForBot.finished(),
        Say(clip, text="When are you open?"),
        Interrupt(other_clip, after_ms=800),
        WaitForBot.finished(),
        HangUp(),
    ))

A script that runs out keeps the line open and quiet until the other side ends the call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from app.lab.phone.said import UtteranceKind
from app.lab.phone.sound import Hearing, audible


@dataclass(frozen=True, slots=True)
class Say:
    audio: bytes
    """μ-law, 8 kHz."""
    text: str = ""
    """What it says, for reports and live views."""
    kind: UtteranceKind = "speech"


@dataclass(frozen=True, slots=True)
class Piece:
    audio: bytes
    """μ-law, 8 kHz."""
    text: str = ""
    pause_ms: int = 0
    """Quiet after it; counted in whole frames of 20 ms, upwards."""


@dataclass(frozen=True, slots=True)
class SayPieces:
    """One utterance with pauses inside, in which the line carries the background."""

    pieces: tuple[Piece, ...]
    kind: UtteranceKind = "hesitation"

    @property
    def text(self) -> str:
        return " ... ".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class WaitForBot:
    """Wait until the bot was heard for `said_ms` since the caller's last words ended, and has then
    been quiet for `quiet_ms`. What ends the wait without that: `timeout_ms`."""

    said_ms: int = 20
    quiet_ms: int = 0
    timeout_ms: int = 30_000

    @classmethod
    def started(cls, timeout_ms: int = 30_000) -> "WaitForBot":
        return cls(timeout_ms=timeout_ms)

    @classmethod
    def finished(
        cls, quiet_ms: int = 800, *, said_ms: int = 20, timeout_ms: int = 30_000
    ) -> "WaitForBot":
        """`said_ms` keeps the tail of an interrupted answer from passing for the next one."""
        return cls(said_ms=said_ms, quiet_ms=quiet_ms, timeout_ms=timeout_ms)


@dataclass(frozen=True, slots=True)
class Wait:
    ms: int


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Wait for something of which the line tells the caller nothing, such as what the bot's own
    process has done. It is looked at every 20 ms. What ends the wait without it: `timeout_ms`."""

    happened: Callable[[], bool]
    timeout_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Speak once the bot was heard for `after_ms` since the caller's last words ended."""

    audio: bytes
    after_ms: int
    text: str = ""
    timeout_ms: int = 30_000
    kind: UtteranceKind = "interruption"

    @classmethod
    def somewhere(
        cls,
        audio: bytes,
        between_ms: tuple[int, int],
        seed: int,
        text: str = "",
        kind: UtteranceKind = "interruption",
    ) -> "Interrupt":
        """At a point of the bot's answer that the seed decides.

        Raises ValueError for a span that is empty or begins before 0.
        """
        first_ms, last_ms = between_ms
        if not 0 <= first_ms <= last_ms:
            raise ValueError(
                f"between_ms is (first, last) with 0 <= first <= last, got {between_ms}"
            )
        after_ms = Random(f"{seed}/interrupt").randint(first_ms, last_ms)
        return cls(audio, after_ms, text, kind=kind)


@dataclass(frozen=True, slots=True)
class Press:
    digits: str
    gap_ms: int = 200
    """Between one key and the next, and after the last."""


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller's side carries nothing: no media messages, timestamps jump."""

    ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Step: TypeAlias = (
    Say | SayPieces | WaitForBot | WaitUntil | Wait | Interrupt | Press | Silence | HangUp
)


@dataclass(frozen=True, slots=True)
class DialOutcome:
    """What becomes of a <Dial>."""

    status: Literal["completed", "answered", "busy", "no-answer", "failed", "canceled"] = (
        "completed"
    )
    ring_ms: int = 0
    talk_ms: int = 0
    """Only for `completed` and `answered`."""


@dataclass(frozen=True, slots=True)
class ReferOutcome:
    """What this person's telephone system makes of a <Refer>."""

    response: int = 202
    """Its answer to the REFER; 405 where it knows no such thing."""
    notify: int | None = 200
    """How the call to the new target ended, as its NOTIFY says; None: no NOTIFY comes."""
    delay_ms: int = 0
    hangs_up: bool = True
    """After a transfer that worked the system gives up this leg."""


LineAudio: TypeAlias = Callable[[int, bytes | None], bytes | None]
"""(tick of the stream from 0, the script's 160 bytes or None while it is quiet) -> the frame that
the carrier gets, or None for none. Outside a stream the tick is -1."""


@dataclass(frozen=True, slots=True)
class Script:
    steps: tuple[Step, ...] = ()
    background: Literal["silence", "comfort"] = "comfort"
    """What the line carries while the caller does not speak."""
    line_audio: LineAudio | None = None
    """Replaces or mixes the caller's audio frame by frame, for benches with coded audio. Its frames
    stay as they are: noise, clipping, echo, keys and band do not touch them."""
    hears: Hearing = audible
    """Decides whether a frame counts as the bot speaking."""
    on_timeout: Literal["hang_up", "go_on"] = "hang_up"
    """After a wait that ended by its timeout. Either way the call did not go as scripted."""
    dial: DialOutcome | None = None
    """Replaces whoever <Dial> reaches; None: people of the account's directory are called."""
    refer: ReferOutcome = ReferOutcome()
    confidence: float = 0.9
    """With which Twilio understands this person in <Gather>: 0 to 1. It hears the `text` of steps,
    and nothing where that is empty."""
    limit_ms: int = 120_000
    """The call is given up when it is as old as this, and did not go as scripted."""
