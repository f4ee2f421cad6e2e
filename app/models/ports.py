"""What a speech-to-speech model is to the bridge, whoever the vendor.

A session is opened configured or not at all: its first `Incoming` is `ModelReady` or, when opening
failed, `ModelClosed`; its last is always one `ModelClosed`. Audio is μ-law at 8 kHz both ways.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import msgspec

from app.call.commands import (
    AddAgentText,
    AddUserText,
    CancelResponse,
    ClearInput,
    CommitInput,
    CreateResponse,
    DeleteItem,
    RewriteItem,
    SendToolOutput,
    Summarise,
    TruncateItem,
)
from app.call.events import Entry, Event

ModelCommand: TypeAlias = (
    CreateResponse
    | CancelResponse
    | CommitInput
    | ClearInput
    | TruncateItem
    | DeleteItem
    | RewriteItem
    | AddUserText
    | AddAgentText
    | SendToolOutput
    | Summarise
)
"""The heart's commands that a model carries out; all others are the carrier's or the bridge's."""

NoiseReduction: TypeAlias = Literal["near_field", "far_field"]
Eagerness: TypeAlias = Literal["low", "medium", "high", "auto"]
ReasoningEffort: TypeAlias = Literal["minimal", "low", "medium", "high", "xhigh"]


@dataclass(frozen=True, slots=True)
class ServerVad:
    """Turns end after a silence. Raises `ValueError` for values that no vendor would take."""

    threshold: float = 0.5
    """Share of certainty, 0 to 1. Higher needs louder speech."""
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    """Let the model speak up after this much silence; None: never."""
    create_response: bool = True
    """The model answers each turn by itself."""
    interrupt_response: bool = True
    """The model cancels its running answer when the caller begins to speak."""

    def __post_init__(self) -> None:
        _require_range("threshold", self.threshold, 0.0, 1.0)
        _require_range("prefix_padding_ms", self.prefix_padding_ms, 0, 60_000)
        _require_range("silence_duration_ms", self.silence_duration_ms, 0, 60_000)
        if self.idle_timeout_ms is not None:
            _require_range("idle_timeout_ms", self.idle_timeout_ms, 1, 600_000)


@dataclass(frozen=True, slots=True)
class SemanticVad:
    """Turns end when the words sound finished."""

    eagerness: Eagerness = "auto"
    """Longest wait: low 8 s, medium (= auto) 4 s, high 2 s."""
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection: TypeAlias = ServerVad | SemanticVad


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """How a session is to be. Raises `ValueError` for values that no vendor would take."""

    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    instructions: str = ""
    """Empty: the vendor's own default."""
    tools: tuple[Mapping[str, object], ...] = ()
    """Function schemas: `type` "function", `name`, `description`, `parameters` (JSON Schema)."""
    turn_detection: TurnDetection | None = field(default_factory=ServerVad)
    """None: the model decides nothing; we commit turns."""
    transcription_model: str | None = "gpt-transcribe"
    """None: the caller's words are not written down."""
    language: str | None = None
    """Caller's language for the transcription, ISO 639-1; None: detected."""
    speed: float | None = None
    """Rate of speech, 0.25 to 1.5; None: the vendor's default, 1."""
    max_output_tokens: int | None = None
    """Per answer, 1 to 4096; None: no limit."""
    reasoning_effort: ReasoningEffort | None = None
    """Only for reasoning models; None: the vendor's default."""
    noise_reduction: NoiseReduction | None = None
    """Applied to the caller's audio before the model hears it; None: off."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model: expected a model name, got an empty text")
        if self.speed is not None:
            _require_range("speed", self.speed, 0.25, 1.5)
        if self.max_output_tokens is not None:
            _require_range("max_output_tokens", self.max_output_tokens, 1, 4096)


def _require_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: expected {low} to {high}, got {value}")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the heart may ask of a model, and who ends a turn."""

    turns: Literal["model", "us", "duplex"]
    """`model`: it says when a turn is over, and answers by itself; `us`: we say so, and ask for the
    answer; `duplex`: it owns the floor."""
    truncate: bool = True
    """Its memory of an answer can be cut to what was heard."""
    cancel: bool = True
    speech_events: bool = True
    """It reports where speech began and stopped, whoever ends turns."""
    tools: bool = True


class Incoming(msgspec.Struct, frozen=True):
    """One event from the model. `audio` (μ-law) comes with `AudioReceived` only."""

    event: Event
    audio: bytes | None = None


@dataclass(slots=True)
class SessionStats:
    """Counters of one session; the session writes them, anyone may read."""

    events: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    """Events whose type we do not know, by type; at most 32 names, the rest under "other"."""
    nonsense: int = 0
    """Messages that were no JSON, or a known type with missing or wrong fields."""
    model_audio_bytes: int = 0
    commands: int = 0
    queued_max_bytes: int = 0
    """Most that ever waited for the vendor to read; 0 on a healthy line."""


class SessionOver(RuntimeError):
    """`receive` was called again after the final `ModelClosed`: a fault of ours."""


class ModelSession(Protocol):
    """One conversation with a model. One task receives; sends come from the same event loop."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def stats(self) -> SessionStats: ...

    @property
    def axis_bytes(self) -> int:
        """Caller audio handed to this session so far, silence included (μ-law, 8 bytes = 1 ms)."""
        ...

    @property
    def axis_ms(self) -> int: ...

    async def receive(self) -> Incoming:
        """The next event; cancelling loses nothing. Raises `SessionOver` after the last."""
        ...

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        """Hand over caller audio as the carrier's base64 text, which holds `n_bytes`.

        Never waits. Raises `ValueError` when text and count cannot belong together.
        """
        ...

    def send_silence(self, n_bytes: int) -> None:
        """Hand over that much μ-law silence: the carrier's clock went on without audio."""
        ...

    def send(self, command: ModelCommand) -> None:
        """Carry out a command, in one order with the audio. Never waits."""
        ...

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        """From the next answer on it has these tools, and no others. Never waits."""
        ...

    def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
        """Put something said or done before this session into its conversation. Never waits.

        `ulaw`: the caller's voice, for a turn of theirs whose words are not known.
        """
        ...

    async def close(self) -> None:
        """End the session, within a bounded time. May be called twice."""
        ...
