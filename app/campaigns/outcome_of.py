"""What came of a dial: from the carrier's last word and from what the call's record says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.campaigns.outcomes import Outcome
from app.campaigns.ports import CallFate

_MACHINES: Final = frozenset(
    {"machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"}
)
_NO_SUCH_NUMBER: Final = frozenset({404, 410, 484, 604})
"""SIP: not found, gone, incomplete, found nowhere."""
_REFUSED: Final = frozenset({403, 433, 603, 607, 608})
"""SIP: forbidden, an anonymous caller refused, declined, unwanted, rejected by the network."""
_UNANSWERED: Final[Mapping[str, Outcome]] = {
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    "canceled": Outcome.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Went:
    """How a call went that was answered, as its record says (docs/records.md, "Answer")."""

    answered_by: str = ""
    message_left: bool = False
    """Whole."""
    picked_up: bool = False
    """A person was found behind a machine."""
    abandoned: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Went | None":
        """From a `timeline.json`; None for that of a call which came in."""
        answer = record.get("answer")
        if answer is None:
            return None
        return cls(
            str(answer["answered_by"]),
            bool(answer["message_left"]),
            answer["picked_up_ms"] is not None,
            bool(answer["abandoned"]),
        )


def outcome_of(
    fate: CallFate, went: Went | None, *, answered_by: str = "", sip_code: int | None = None
) -> Outcome:
    """`fate`: the carrier's last word; `sip_code`: the far end's, if it is known. `went`: None when
    there is no record: then no word of ours was heard. `answered_by`: the carrier's verdict, which
    counts where the record has none.

    Raises `ValueError` for a call that is not over.
    """
    if fate in _UNANSWERED:
        return _unanswered(fate, sip_code)
    if fate != "completed":
        raise ValueError(f"expected a call that is over, got one that is {fate}")
    if went is None:
        went = Went(answered_by, abandoned=True)
    by = went.answered_by or answered_by
    if by == "fax":
        return Outcome.FAX
    if by in _MACHINES and not went.picked_up:
        return Outcome.MESSAGE_LEFT if went.message_left else Outcome.MACHINE
    return Outcome.ABANDONED if went.abandoned else Outcome.ANSWERED


def _unanswered(fate: CallFate, sip_code: int | None) -> Outcome:
    if sip_code in _NO_SUCH_NUMBER and fate == "failed":
        return Outcome.INVALID_NUMBER
    if sip_code in _REFUSED:
        return Outcome.REJECTED
    return _UNANSWERED[fate]
