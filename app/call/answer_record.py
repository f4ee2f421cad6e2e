"""What the record says of how a call that we placed was answered, and what came of a machine."""

from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from app.call.axis import BYTES_PER_MS, ItemHeard
from app.call.events import AnsweredBy

Witness: TypeAlias = Literal["carrier", "beep", "silence"]
NOT_AT_HAND = "not at hand"
BEGUN_AGAIN = "begun again at a beep"
PICKED_UP = "a person picked up"
MACHINES = frozenset(
    {"machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    at_ms: int
    by: AnsweredBy
    witness: Witness


@dataclass(slots=True)
class Message:
    """One time that the message was begun, or was to be."""

    witness: Witness
    """Who said that the machine's greeting was over."""
    asked_ms: int
    from_ms: int | None = None
    """It began to be heard ..."""
    to_ms: int | None = None
    """... and no more of it was."""
    heard_ms: int = 0
    length_ms: int = 0
    whole: bool = False
    """It was heard from its first to its last byte."""
    why: str = ""
    """Why not."""


@dataclass(slots=True)
class AnswerRecord:
    """One per outbound call. Times are call-clock milliseconds unless they say otherwise."""

    on_machine: str = ""
    """What is done about one; "": nobody asked who answers."""
    since_answer_ms: int | None = None
    """How long before the stream began somebody answered; None: not known."""
    goes_on: bool = False
    """It is not the call's first stream: what was heard before stands in that one's record."""
    abandoned_after_ms: int = 2_000
    answered_by: str = ""
    """What the call went by; "": no verdict came."""
    verdicts: list[Verdict] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    picked_up_ms: int | None = None
    """A person was found behind a machine."""
    first_audio_ms: int | None = None
    """From the answer to the first frame of ours that was played, by the carrier's clock."""
    _began_ms: int = 0
    _began_carrier_ms: int = 0
    _of: dict[str, Message] = field(default_factory=dict)
    """By the item that says it."""

    @property
    def abandoned(self) -> bool:
        """A person heard nothing in time."""
        if self.goes_on or (self.answered_by in MACHINES and self.picked_up_ms is None):
            return False
        late = self.first_audio_ms is None or self.first_audio_ms > self.abandoned_after_ms
        return late

    @property
    def message_left(self) -> bool:
        return any(message.whole for message in self.messages)

    def audio_began(self, now_ms: int, carrier_ms: int) -> None:
        """The first sound came from the other side."""
        self._began_ms, self._began_carrier_ms = now_ms, carrier_ms

    def verdict(self, now_ms: int, by: AnsweredBy, witness: Witness) -> None:
        self.verdicts.append(Verdict(now_ms, by, witness))

    def asked(self, now_ms: int, witness: Witness) -> None:
        """The message is to begin."""
        self.messages.append(Message(witness, now_ms))

    def began(self, item_id: str, n_bytes: int) -> None:
        """It is on its way as this item."""
        self._of[item_id] = message = self.messages[-1]
        message.length_ms = n_bytes // BYTES_PER_MS

    def broke_off(self, why: str) -> None:
        if self.messages and not self.messages[-1].whole:
            self.messages[-1].why = why

    def mark_echoed(self, carrier_ms: int) -> None:
        """The first mark of all stands before the first audio, with nothing queued: it comes back
        when that begins to be played, whatever becomes of the rest."""
        if self.first_audio_ms is None and not self.goes_on:
            within_ms = self._began_ms + carrier_ms - self._began_carrier_ms
            self.first_audio_ms = max(0, within_ms) + (self.since_answer_ms or 0)

    def first_played(self, item_id: str, now_ms: int) -> None:
        """Something of this item began to be played."""
        message = self._of.get(item_id)
        if message is not None and message.from_ms is None:
            message.from_ms = now_ms

    def heard(self, item: ItemHeard, now_ms: int | None) -> None:
        """So much of an item was heard, and no more will be."""
        message = self._of.get(item.item_id)
        if message is not None:
            message.heard_ms, message.to_ms = item.heard_ms, now_ms
            message.whole = item.whole

    def as_json(self) -> dict[str, object]:
        return {
            "on_machine": self.on_machine,
            "answered_by": self.answered_by,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "since_answer_ms": self.since_answer_ms,
            "first_audio_ms": self.first_audio_ms,
            "abandoned": self.abandoned,
            "messages": [asdict(message) for message in self.messages],
            "message_left": self.message_left,
            "picked_up_ms": self.picked_up_ms,
        }
