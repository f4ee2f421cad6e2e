"""A session that could not be opened: it says why, once, and takes nothing.

With it a bridge handles a refused key as it handles any other end of a session.
"""

from collections.abc import Mapping, Sequence

from app.call.events import Entry, ModelClosed
from app.models.ports import Capabilities, Incoming, ModelCommand, SessionOver, SessionStats


class NeverOpened:
    """Stands where an open `ModelSession` would; hands out `closed` as first and last event."""

    def __init__(self, closed: ModelClosed, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.stats = SessionStats()
        self.axis_bytes = 0
        self.axis_ms = 0
        self._closed = closed
        self._over = False

    async def receive(self) -> Incoming:
        """The reason. Raises `SessionOver` when called again."""
        if self._over:
            raise SessionOver("receive() was called after ModelClosed: stop at the first one")
        self._over = True
        return Incoming(self._closed)

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        """Dropped: nobody listens."""

    def send_silence(self, n_bytes: int) -> None:
        """Dropped: nobody listens."""

    def send(self, command: ModelCommand) -> None:
        """Dropped: nobody listens."""

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        """Dropped: nobody listens."""

    def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
        """Dropped: nobody listens."""

    async def close(self) -> None:
        """Nothing is open."""
