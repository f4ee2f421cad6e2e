"""What the heart asks of the world. The bridge carries these out in order and reports as events.

Audio positions are bytes of μ-law on the playout axis of a generation (8 bytes = 1 ms); the bridge
appended every accepted model byte to that generation's store in the order of `AudioReceived`.
"""

from dataclasses import dataclass
from typing import TypeAlias

from app.call.endings import EndReason


@dataclass(frozen=True, slots=True)
class KeepAudio:
    """Append the bytes of the `AudioReceived` just handled to this generation's store.

    Without this command in the answer the bytes are dropped: they belong to a cancelled response.
    """

    generation: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class KeepSilence:
    """Append μ-law silence to this generation's store, to fill the last frame of an answer."""

    generation: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class SendAudio:
    generation: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SendMark:
    name: str


@dataclass(frozen=True, slots=True)
class SendClear:
    """Empty the carrier's playout buffer; the bridge may forget older generations' audio."""


@dataclass(frozen=True, slots=True)
class CreateResponse:
    request_id: str
    instructions: str = ""
    """Empty: answer the conversation as it stands."""


@dataclass(frozen=True, slots=True)
class CancelResponse:
    request_id: str
    response_id: str


@dataclass(frozen=True, slots=True)
class TruncateItem:
    request_id: str
    item_id: str
    audio_end_ms: int
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class DeleteItem:
    request_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class AddUserText:
    """Put a text into the conversation as the caller's (key presses)."""

    request_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RunTool:
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SendToolOutput:
    request_id: str
    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Close both sides. Always the last command of a call."""

    reason: EndReason
    detail: str = ""


Command: TypeAlias = (
    KeepAudio
    | KeepSilence
    | SendAudio
    | SendMark
    | SendClear
    | CreateResponse
    | CancelResponse
    | TruncateItem
    | DeleteItem
    | AddUserText
    | RunTool
    | SendToolOutput
    | EndCall
)
