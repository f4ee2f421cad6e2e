"""Why a call ended: one reason from a closed list, and who is at fault."""

from enum import StrEnum
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["nobody", "carrier", "model", "us"]


class EndReason(StrEnum):
    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    OPERATOR_HUNG_UP = "operator_hung_up"
    HANDED_ON = "handed_on"
    SPENT = "spent"
    MESSAGE_LEFT = "message_left"
    MACHINE_ANSWERED = "machine_answered"
    NO_INPUT = "no_input"
    TOO_LONG = "too_long"
    DRAINED = "drained"
    CARRIER_LOST = "carrier_lost"
    CARRIER_STALLED = "carrier_stalled"
    MODEL_REFUSED = "model_refused"
    MODEL_UNREACHABLE = "model_unreachable"
    MODEL_WRONG_FORMAT = "model_wrong_format"
    MODEL_NONSENSE = "model_nonsense"
    MODEL_EXPIRED = "model_expired"
    MODEL_LOST = "model_lost"
    MODEL_STALLED = "model_stalled"
    MODEL_FAILED = "model_failed"
    INTERNAL_ERROR = "internal_error"

    @property
    def fault(self) -> Fault:
        return _FAULTS[self]

    @property
    def deliberate(self) -> bool:
        """True when nothing more is owed to the caller here: no apology, no fallback."""
        return self.fault == "nobody"


_FAULTS: dict[EndReason, Fault] = {
    EndReason.CALLER_HUNG_UP: "nobody",
    EndReason.AGENT_HUNG_UP: "nobody",
    EndReason.OPERATOR_HUNG_UP: "nobody",
    EndReason.HANDED_ON: "nobody",
    EndReason.SPENT: "nobody",
    EndReason.MESSAGE_LEFT: "nobody",
    EndReason.MACHINE_ANSWERED: "nobody",
    EndReason.NO_INPUT: "nobody",
    EndReason.TOO_LONG: "nobody",
    EndReason.DRAINED: "us",
    EndReason.CARRIER_LOST: "carrier",
    EndReason.CARRIER_STALLED: "carrier",
    EndReason.MODEL_REFUSED: "model",
    EndReason.MODEL_UNREACHABLE: "model",
    EndReason.MODEL_WRONG_FORMAT: "model",
    EndReason.MODEL_NONSENSE: "model",
    EndReason.MODEL_EXPIRED: "model",
    EndReason.MODEL_LOST: "model",
    EndReason.MODEL_STALLED: "model",
    EndReason.MODEL_FAILED: "model",
    EndReason.INTERNAL_ERROR: "us",
}

# What the events' causes mean for the call.
CARRIER_ENDINGS: dict[str, EndReason] = {
    "hangup": EndReason.CALLER_HUNG_UP,
    "lost": EndReason.CARRIER_LOST,
    "stalled": EndReason.CARRIER_STALLED,
}
MODEL_ENDINGS: dict[str, EndReason] = {
    "refused": EndReason.MODEL_REFUSED,
    "unreachable": EndReason.MODEL_UNREACHABLE,
    "wrong_format": EndReason.MODEL_WRONG_FORMAT,
    "nonsense": EndReason.MODEL_NONSENSE,
    "expired": EndReason.MODEL_EXPIRED,
    "lost": EndReason.MODEL_LOST,
    "stalled": EndReason.MODEL_STALLED,
    "failed": EndReason.MODEL_FAILED,
}
SILENCE_ENDINGS: dict[str, EndReason] = {
    "give_up": EndReason.NO_INPUT,
    "too_long": EndReason.TOO_LONG,
}
HANG_UP_ENDINGS: dict[str, EndReason] = {
    "agent": EndReason.AGENT_HUNG_UP,
    "operator": EndReason.OPERATOR_HUNG_UP,
    "drain": EndReason.DRAINED,
}
