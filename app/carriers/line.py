"""What every carrier that brings a call's sound over a WebSocket has in common.

    Door.knock      an upgrade is asked for: refused at once, or let in to say which call it is
    Knock.receive   until the call is named, then
    Knock.admit     the call is checked and has a place, or is refused
    Line            the call's sound, marks and keys, both ways, until it is over

All of it is sans-I/O but `admit`, which may ask a store. The socket's loop is in
`app.bridge.media_socket`; the heart learns nothing of which carrier it is.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from app.call.arrival import Arrival
from app.call.commands import EndCall

Frame: TypeAlias = str | bytes
"""One WebSocket message: text, or binary."""


class Violation(Exception):
    """The carrier's fault. `text` says what was expected and what came, and is safe to log."""

    def __init__(self, kind: StrEnum, text: str, *, fatal: bool = False) -> None:
        """`fatal`: the socket must be closed; otherwise this frame is dropped and it goes on."""
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text
        self.fatal = fatal


class RefusedLineError(Exception):
    """The call may not begin here; `reason` is safe to log. `farewell` is sent before the socket is
    closed."""

    def __init__(self, reason: str, farewell: Sequence[Frame] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.farewell = tuple(farewell)


class Hears(Protocol):
    """Whom a line tells of the call. Nothing of it waits."""

    def media(self, payload_b64: str, ulaw: bytes, timestamp_ms: int) -> None:
        """A caller frame: μ-law and its base64, dated by the line's clock."""
        ...

    def mark(self, name: str) -> None:
        """What was sent before this mark was played, or was flushed by a clear."""
        ...

    def key(self, digit: str) -> None: ...

    def send(self, frames: Sequence[Frame]) -> None:
        """What the line sends of its own accord, such as what it had to keep back."""
        ...

    def carrier_closed(
        self, cause: Literal["hangup", "lost", "stalled"], detail: str = ""
    ) -> None: ...


class Clock(Protocol):
    """The carrier's own clock, read off caller media (μ-law, 8 bytes = 1 ms)."""

    @property
    def always_on(self) -> bool:
        """Caller media comes as long as the carrier is there: one that sends none at all for long
        is given up. False: it comes only while the caller's side sends some."""
        ...

    def on_media(self, timestamp_ms: int, n_bytes: int, now_ms: int) -> int:
        """Take a frame; returns how many bytes of silence belong before it."""
        ...

    def due_padding(self, now_ms: int) -> int:
        """Bytes of silence that are due because media has stopped coming."""
        ...

    def at(self, now_ms: int) -> tuple[int, int]:
        """Bounds of the carrier time of a message that arrives now on the same socket."""
        ...


class Line(Protocol):
    """One call's socket once it was let in. It is also how we write to the carrier."""

    @property
    def clock(self) -> Clock: ...

    @property
    def violations(self) -> Mapping[Any, int]:
        """Frames refused so far, by kind."""
        ...

    def receive(self, frame: Frame, call: Hears) -> bool:
        """Tell the call what a frame says; False: no other one will come.

        Raises `Violation`; go on after it unless its `fatal` is set.
        """
        ...

    def closed(self, code: int, call: Hears) -> None:
        """Tell the call what it means that the carrier closed the socket (RFC 6455's code)."""
        ...

    # What is to be sent now; nothing, where the line keeps it back until it may go out.

    def audio(self, ulaw: bytes) -> Sequence[Frame]:
        """To be played after all that was sent before."""
        ...

    def mark(self, name: str) -> Sequence[Frame]:
        """`Hears.mark` is told when all that was sent before was played or flushed."""
        ...

    def clear(self) -> Sequence[Frame]:
        """Nothing that was sent and not played yet is to be played; its marks come back."""
        ...

    def idle(self, now_ms: int) -> Sequence[Frame]:
        """Asked about every 100 ms: what keeps the line alive where nothing is being said."""
        ...

    def farewell(self, end: EndCall) -> Sequence[Frame]:
        """What is sent last, before the socket is closed."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    arrival: Arrival
    line: Line
    welcome: Sequence[Frame] = ()
    """Sent at once, before anybody speaks."""
    lost: Callable[[], None] = lambda: None
    """Told if no call comes of it after all."""


class Knock(Protocol):
    """A socket that was opened; which call it brings is not known yet."""

    @property
    def subprotocol(self) -> str:
        """What the upgrade is answered with; "": none."""
        ...

    def receive(self, frame: Frame) -> bool:
        """True once the call is named. Raises `Violation`."""
        ...

    async def admit(self) -> Admitted:
        """Asked once, when the call is named. Raises `RefusedLineError`."""
        ...


class Door(Protocol):
    """One carrier's media sockets."""

    def knock(self, scope: MutableMapping[str, Any]) -> Knock:
        """Before the upgrade is answered (an ASGI websocket scope). Raises `RefusedLineError`."""
        ...
