"""What a conversation by text needs of its neighbours."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from app.agents.sms_table import Sms
from app.bridge.ports import ToolOutcome
from app.call.events import Usage
from app.models.openai_answer import TextFailed
from app.models.openai_chat import Item, Reply
from app.text.limits import Silence

TurnEnd: TypeAlias = Literal["answered", "apologised", "silent", "not_sent"]
"""answered: all of the reply was sent. apologised: the model failed, and that was said. silent:
nothing was to be said. not_sent: there was an answer, and it was not or only partly sent."""
Received: TypeAlias = Literal["message", "stop", "start", "help", "ignored"]
"""ignored: from no number that could be answered, or from somebody who has opted out."""


class Tools(Protocol):
    """The tools of one conversation, as of one call."""

    async def run(self, name: str, arguments_json: str, *, run_id: str) -> ToolOutcome: ...


class Ask(Protocol):
    async def __call__(
        self, instructions: str, items: Sequence[Item], tools: Sequence[dict[str, Any]]
    ) -> Reply | TextFailed:
        """The text model's answer. Raises nothing but cancellation."""
        ...


class Summarise(Protocol):
    async def __call__(self, instructions: str, text: str) -> str:
        """A summary; "" when none could be had. Raises nothing but cancellation."""
        ...


@dataclass(frozen=True, slots=True)
class Parties:
    """The two numbers of a conversation; personal data."""

    theirs: str = field(repr=False)
    own: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAgent:
    """An agent, ready to write. Shared by its conversations."""

    name: str
    """By which it is looked up; for an agent that is named by its file, the path."""
    instructions: Callable[[Parties], Awaitable[str]]
    """The prompt, for a conversation between these two."""
    sms: Sms
    schemas: Callable[[], tuple[dict[str, Any], ...]]
    """Of the tools that work without a call, as there are now."""
    tools: Callable[[str, Parties], Tools]
    """By the id of a conversation."""
    ask: Ask
    summarise: Summarise
    languages: tuple[str, ...] = ()
    """Two letters each; none: any."""
    cost_usd: Callable[[Usage], float] = lambda usage: 0.0


class Agents(Protocol):
    """Who writes."""

    def get(self, name: str) -> TextAgent | None:
        """None: there is no such agent, or its file is wrong."""
        ...

    def for_number(self, ours: str) -> str:
        """The name of the agent that answers messages to this number of ours."""
        ...


class Store(Protocol):
    """Conversations of all workers; `app.live.texts` says what each method does."""

    async def accept(self, conversation: str, message_id: str, message: bytes) -> None: ...

    async def look(self, conversation: str) -> "Looked": ...

    async def save(
        self, conversation: str, version: int, state: bytes, taken: Sequence[str] = ()
    ) -> None: ...

    async def due(self, older_s: float) -> list[str]: ...

    async def settled(self, conversation: str) -> None: ...

    async def put_call(self, person: str, call: bytes) -> None: ...

    async def call_of(self, person: str) -> bytes | None: ...

    async def put_newest(self, person: str, conversation: str) -> None: ...

    async def newest_of(self, person: str) -> str | None: ...


class Looked(Protocol):
    """What a store has of a conversation."""

    @property
    def state(self) -> bytes | None: ...

    @property
    def inbox(self) -> Mapping[str, bytes]: ...


class Leases(Protocol):
    """One worker at a time; `app.live.text_leases` says what each method does."""

    async def ask(self, conversation: str) -> bool: ...

    async def holds(self, conversation: str) -> bool: ...

    async def keep(self, conversation: str) -> None: ...

    async def release(self, conversation: str) -> None: ...


class Watch(Protocol):
    """Counts what happens; nothing personal reaches it."""

    def received(self, kind: Received) -> None: ...

    def sent(self, how: str) -> None: ...

    def turn(self, end: TurnEnd, seconds: float) -> None: ...

    def silent(self, why: Silence) -> None: ...

    def delivered(self, state: str) -> None: ...


class Unwatched:
    """Nobody counts."""

    def received(self, kind: Received) -> None:
        """See `Watch`."""

    def sent(self, how: str) -> None:
        """See `Watch`."""

    def turn(self, end: TurnEnd, seconds: float) -> None:
        """See `Watch`."""

    def silent(self, why: Silence) -> None:
        """See `Watch`."""

    def delivered(self, state: str) -> None:
        """See `Watch`."""
