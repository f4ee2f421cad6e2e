"""Hanging up: after the last mark, and never later than a while after it was due."""

from app.call.endings import EndReason
from app.call.playout import Playout

TAKEN_BACK = (
    EndReason.AGENT_HUNG_UP,
    EndReason.NO_INPUT,
    EndReason.HANDED_ON,
    EndReason.MESSAGE_LEFT,
)
"""Goodbyes that a caller who speaks calls off."""


class Goodbye:
    """Begun by the agent's tool, an operator, a silent caller, the end of the call's time, or
    because the call goes on elsewhere."""

    __slots__ = ("_began_ms", "call_id", "detail", "reason", "timeout_ms")

    def __init__(self, timeout_ms: int) -> None:
        self.timeout_ms = timeout_ms
        """How long the last mark may be overdue."""
        self.reason: EndReason | None = None
        self.call_id = ""
        """The tool call to answer if the goodbye is called off."""
        self.detail = ""
        """Of the call's end."""
        self._began_ms = 0

    @property
    def begun(self) -> bool:
        return self.reason is not None

    def begin(self, reason: EndReason, now_ms: int, call_id: str = "", detail: str = "") -> None:
        """One that is not taken back stands: nothing said later changes or delays it."""
        if self.reason is not None and self.reason not in TAKEN_BACK:
            return
        self.reason, self.call_id, self.detail = reason, call_id, detail
        self._began_ms = now_ms

    def call_off(self) -> bool:
        """The caller spoke. True if the call goes on."""
        if self.reason not in TAKEN_BACK:
            return False
        self.reason = None
        return True

    def due_ms(self, playout: Playout) -> int | None:
        if self.reason is None:
            return None
        last_ms = max(self._began_ms, playout.play_end_ms) + playout.unsent_ms
        return last_ms + self.timeout_ms

    def over(self, playout: Playout, now_ms: int, *, busy: bool) -> EndReason | None:
        """The reason to end the call with now, if it is time. `busy`: an answer is in progress."""
        due_ms = self.due_ms(playout)
        if due_ms is None:
            return None
        said = not playout.unplayed and not busy
        return self.reason if said or now_ms >= due_ms else None
