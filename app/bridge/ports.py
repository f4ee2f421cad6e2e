"""What the bridge needs of its neighbours: a carrier's dialect, tools, and whoever looks on."""

from collections.abc import Collection, Sequence
from typing import Any, Literal, Protocol

from app.call.call import Call
from app.call.commands import Command, JudgeTurn, Summarise
from app.call.events import Effect, Event, SummaryWritten, TurnJudged
from app.carriers.line import Frame


class Dialect(Protocol):
    """How a carrier writes what we send on its media socket."""

    def audio(self, ulaw: bytes) -> Sequence[Frame]: ...

    def mark(self, name: str) -> Sequence[Frame]: ...

    def clear(self) -> Sequence[Frame]: ...

    def idle(self, now_ms: int) -> Sequence[Frame]: ...


class ToolOutcome(Protocol):
    @property
    def ok(self) -> bool: ...

    @property
    def output(self) -> str: ...

    @property
    def effect(self) -> Effect | None:
        """What the call does besides telling the model."""
        ...

    @property
    def proof(self) -> str:
        """How the caller proved by it who they are; "": they did not. It is the policy that says
        so, never the tool or the model."""
        ...


class Manner(Protocol):
    """How a call deals with a tool, whatever it does."""

    @property
    def idempotent(self) -> bool: ...

    @property
    def once_per_call(self) -> bool: ...

    @property
    def on_interruption(self) -> Literal["finish", "cancel"]: ...

    @property
    def wait_words(self) -> str:
        """What the agent says when it takes long; "": nothing."""
        ...


class Tools(Protocol):
    async def run(self, name: str, arguments_json: str, *, run_id: str) -> ToolOutcome:
        """Never raises for what the model or the tool did wrong: the output says it.

        `run_id` is the model's id of this run: asked for again, even by another worker, the tool
        does not run twice. What is being run goes on when the caller of this is cancelled.
        """
        ...

    def cancel(self, run_id: str) -> None:
        """Break a run off: the model has been told that it was."""
        ...

    def manner(self, name: str) -> Manner:
        """As the agent that speaks now wants it."""
        ...

    def schemas(self, loaded: Collection[str] = ()) -> list[dict[str, Any]]:
        """What the model is told of the tools. `loaded`: the topics that it asked for."""
        ...


class Summariser(Protocol):
    async def __call__(self, request: Summarise) -> SummaryWritten:
        """A summary by a text model. Never raises for the vendor's faults: its text is "" then."""
        ...


class TurnJudge(Protocol):
    async def __call__(self, request: JudgeTurn) -> TurnJudged:
        """Whether the caller has said all. Never raises for the vendor's faults, and is bounded in
        time: there is no verdict then."""
        ...


class Phrases(Protocol):
    def __call__(self, text: str) -> bytes | None:
        """A phrase in the agent's voice as μ-law, if it is at hand. Never waits."""
        ...


class Observer(Protocol):
    """Sees every step of a call, in the event loop, right after it was carried out."""

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None: ...
