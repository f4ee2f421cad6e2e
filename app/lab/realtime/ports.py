"""Where the lab's realtime model meets what hears, thinks and speaks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of the conversation as the model remembers it."""

    role: Literal["user", "assistant", "system", "function_call", "function_call_output"]
    text: str
    """Transcript, tool output, or a function call's JSON arguments.

    "" with `understood` for a user: the silence of an idle timeout. "" for the assistant: an
    answer that was cut, whose words the vendor forgets.
    """
    name: str = ""
    """Function name, for role function_call."""
    understood: bool = True
    """False for a user utterance that the ear rejected."""


@dataclass(frozen=True, slots=True)
class Say:
    """One spoken message item. `audio` (μ-law, 8 kHz) replaces synthesis when given."""

    text: str
    audio: bytes | None = None
    stall_after_ms: int | None = None
    """Stop sending deltas after this much audio of the item ..."""
    stall_ms: int = 0
    """... for this long, then go on."""


@dataclass(frozen=True, slots=True)
class CallFunction:
    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


Output: TypeAlias = Say | CallFunction


class Ear(Protocol):
    async def hear(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """Transcript of one utterance (μ-law, 8 kHz); None when it is outside the grammar.

        `hints` are JSGF right-hand sides that may be said now; empty: anything the ear knows.
        """
        ...


@runtime_checkable
class PartialEar(Ear, Protocol):
    """An ear that also understands speech that breaks off, for semantic turn detection."""

    async def so_far(self, utterance: bytes, hints: Sequence[str]) -> str | None:
        """Like `hear`, of a turn that may go on. Without this method `hear` is asked."""
        ...


class Mouth(Protocol):
    async def say(self, text: str, voice: str) -> bytes:
        """The whole utterance as μ-law, 8 kHz."""
        ...


class Brain(Protocol):
    """One conversation's mind; the server makes a new one for each session."""

    def hints(self) -> Sequence[str]:
        """What the caller may say in the present dialog state (JSGF right-hand sides)."""
        ...

    def reply(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """The items of the next response; `instructions`: of the response, else the session."""
        ...


@runtime_checkable
class AsideBrain(Brain, Protocol):
    """A brain that can be asked something without its dialog moving on."""

    def aside(self, conversation: Sequence[Turn], instructions: str) -> Sequence[Output]:
        """Answer an out-of-band response (`conversation: "none"`), such as a summary.

        Without this method `reply` is asked.
        """
        ...


@runtime_checkable
class ToolAwareBrain(Brain, Protocol):
    """A brain that says something else when the tool it would call is not offered."""

    def offer(self, functions: Sequence[str] | None) -> None:
        """The functions that the next response may call; None: not known, so all."""
        ...
