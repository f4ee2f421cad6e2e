"""The sessions that are open now, and what may befall them in the middle of a call."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from websockets.asyncio.server import ServerConnection

from app.lab.realtime.session import Session
from app.lab.realtime.stage import Stage

End: TypeAlias = Literal["abort", "close", "expire"]
"""`abort`: TCP is gone without a close frame; `close`: a clean close; `expire`: the error
`session_expired`, then close 1001."""


@dataclass(frozen=True, slots=True, eq=False)
class LivingSession:
    """One session with its socket."""

    session: Session
    stage: Stage
    socket: ServerConnection

    def end(self, how: End, code: int = 1000, reason: str = "") -> None:
        """`code` and `reason`: of a `close`."""
        self.resume()
        if self.stage.log.dropped_s is None:
            self.stage.log.dropped_s = time.monotonic()
        match how:
            case "abort":
                self.socket.transport.abort()
            case "close":
                self.stage.outbox.close(code, reason)
            case "expire":
                self.session.expire()

    def pause(self, *, answers_pings: bool) -> None:
        """Send no event any more; unless `answers_pings`, no pong either, and read nothing."""
        self.stage.outbox.hold()
        if answers_pings:
            return
        if self.socket.keepalive_task is not None:
            # Its pings go unanswered while nothing is read: it would close the socket.
            self.socket.keepalive_task.cancel()
        self.socket.transport.pause_reading()

    def resume(self) -> None:
        self.stage.outbox.release()
        if not self.socket.transport.is_closing():
            self.socket.transport.resume_reading()

    @contextlib.contextmanager
    def deadlines(self) -> Iterator[None]:
        """Ends the session when its behaviour says so."""
        loop, behaviour = asyncio.get_running_loop(), self.stage.behaviour
        timers = [loop.call_later(behaviour.session_cap_s, self.end, "expire")]
        if behaviour.drop_after_s is not None:
            timers.append(loop.call_later(behaviour.drop_after_s, self.end, "abort"))
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
