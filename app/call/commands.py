"""What the heart asks of the world. The bridge carries these out in order and reports as events.

Audio positions are bytes of μ-law on the playout axis of a generation (8 bytes = 1 ms); the bridge
appended every accepted model byte to that generation's store in the order of `AudioReceived`.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.call.endings import EndReason
from app.call.events import Entry, LegCause


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
class ReplayAudio:
    """Append a stretch of an older generation's audio to this generation's store, the first
    `fade_bytes` of it fading in."""

    generation: int
    source: int
    """The older generation."""
    start: int
    end: int
    fade_bytes: int


@dataclass(frozen=True, slots=True)
class SendAudio:
    generation: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SendSound:
    """Send a stretch of the sound that plays while a tool runs; it goes round for ever."""

    start: int
    end: int
    """Counted from where the sound began, on the axis of a generation of its own."""


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
class CommitInput:
    """What the model heard since the last commit becomes the caller's item; it does not answer."""

    request_id: str


@dataclass(frozen=True, slots=True)
class ClearInput:
    """The model forgets what it heard since the last commit, but for the newest `keep_ms`."""

    keep_ms: int = 0


@dataclass(frozen=True, slots=True)
class JudgeTurn:
    """Ask a text model whether the caller has said all. `TurnJudged` will tell."""

    request_id: str
    text: str
    """What the caller said in this turn so far."""
    agent_text: str = ""
    """What the agent had said before."""


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
class AddAgentText:
    """Put what the caller hears in the agent's voice, from no model, into the conversation."""

    request_id: str
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RewriteItem:
    """Put an item of words in the place of another item. "" as text: only delete that one."""

    request_id: str
    item_id: str
    new_id: str
    speaker: Literal["caller", "agent"]
    text: str


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Open a model session beside the one that carries the call, if there is one.

    `ModelReady` or `ModelClosed` with this leg will tell. No caller audio goes to it yet.
    """

    leg: int
    model: int
    """Which one of the agent's list of models."""
    context: str = ""
    """What the session must know beyond the agent's instructions; follows them."""
    agent: str = ""
    """Whose session; "": the agent's that the call began with. `model` is one of its list."""
    language: str = ""
    """What is spoken, where that is not the agent's own choice; two letters."""
    topics: tuple[str, ...] = ()
    """Of the tools that the model asked for."""


@dataclass(frozen=True, slots=True)
class TakeLeg:
    """From now on this leg carries the call; the one before it is closed.

    First it is told `entries`. Then it hears caller audio from the later of two places on: the
    caller axis's `heard_ms`, and `replay_ms` before the point up to which the leg before it heard
    (None: as far back as `heard_ms`, because the caller is speaking).
    """

    leg: int
    entries: tuple[Entry, ...]
    heard_ms: int
    replay_ms: int | None
    cause: LegCause


@dataclass(frozen=True, slots=True)
class CloseLeg:
    """Close this session; nothing more of it counts."""

    leg: int


@dataclass(frozen=True, slots=True)
class Summarise:
    """Ask for a summary of the call so far, beside the conversation. `SummaryWritten` will tell."""

    request_id: str
    by: Literal["session", "text_model"]
    instructions: str
    conversation: str = ""
    """For a text model: what was said, as text."""


@dataclass(frozen=True, slots=True)
class PlayPhrase:
    """Fetch a fixed phrase in the agent's voice, if it is at hand; `PhraseStored` brings it."""

    text: str


@dataclass(frozen=True, slots=True)
class PlayKeys:
    """Make the tones of these keys; `TonesMade` brings them."""

    keys: str


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run a tool, once: `call_id` tells a second request for the same run."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CancelTool:
    """Break a run off; its output is not waited for any more."""

    call_id: str


@dataclass(frozen=True, slots=True)
class OfferTools:
    """Let the model's sessions have the tools of these topics besides those of the agent."""

    topics: tuple[str, ...]


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
    | ReplayAudio
    | SendAudio
    | SendSound
    | SendMark
    | SendClear
    | CreateResponse
    | CancelResponse
    | CommitInput
    | ClearInput
    | JudgeTurn
    | TruncateItem
    | DeleteItem
    | AddUserText
    | AddAgentText
    | RewriteItem
    | OpenLeg
    | TakeLeg
    | CloseLeg
    | Summarise
    | PlayPhrase
    | PlayKeys
    | RunTool
    | CancelTool
    | OfferTools
    | SendToolOutput
    | EndCall
)
