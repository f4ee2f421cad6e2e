"""Keeps where a call stands, so that another worker can go on with it.

A call is written down when a turn, a tool or a session changed something, never for audio; the
store coalesces and never waits. When the call's stream ends here, what another worker will ask for
is written before the carrier learns of the end.
"""

from collections.abc import Awaitable
from typing import Protocol

import msgspec

from app.call.call import Call
from app.call.commands import (
    AddUserText,
    Command,
    DeleteItem,
    EndCall,
    RewriteItem,
    RunTool,
    SendToolOutput,
    TakeLeg,
    TruncateItem,
)
from app.call.endings import EndReason
from app.call.events import (
    AudioReceived,
    CallerTranscribed,
    Event,
    ResponseFinished,
    Snapshot,
    SpeechStopped,
    SummaryWritten,
    TextReceived,
    ToolFinished,
)

_HOT = (AudioReceived, TextReceived)
_EVENTS = (CallerTranscribed, ResponseFinished, SpeechStopped, SummaryWritten, ToolFinished)
_COMMANDS = (AddUserText, DeleteItem, RewriteItem, RunTool, SendToolOutput, TakeLeg, TruncateItem)


class Store(Protocol):
    """Where calls are kept; nothing here waits."""

    def save(self, call_id: str, state: bytes) -> None: ...

    def end(self, call_id: str, reason: str, detail: str = "") -> None: ...


class Flush(Protocol):
    def __call__(self) -> Awaitable[None]:
        """Wait until what was written is in the store; bounded in time."""
        ...


class Keeper:
    """An `Observer` for all calls of a worker."""

    def __init__(self, store: Store, flush: Flush) -> None:
        self._store = store
        self._flush = flush

    def step(self, call: Call, event: Event, commands: list[Command], now_ms: int) -> None:
        """See `app.bridge.ports.Observer`."""
        if isinstance(event, _HOT):
            return
        notice = call.notices.heard_at_ms == now_ms  # it must not be heard again
        if notice or isinstance(event, _EVENTS) or any(isinstance(c, _COMMANDS) for c in commands):
            self._store.save(call.call_id, packed(call.snapshot()))

    async def before_close(self, call: Call, end: EndCall) -> None:
        """See `CallBridge`."""
        moved = end.reason is EndReason.DRAINED
        handed_on = end.reason is EndReason.HANDED_ON  # it may come back
        if handed_on or not end.reason.deliberate:
            self._store.save(call.call_id, packed(call.snapshot(moved=moved or handed_on)))
        detail = end.detail if handed_on else ""
        self._store.end(call.call_id, end.reason.value, detail)
        await self._flush()


def packed(snapshot: Snapshot) -> bytes:
    return msgspec.json.encode(snapshot)


def unpacked(state: bytes) -> Snapshot | None:
    """None for what this version cannot read: the call then goes on without its past."""
    try:
        return msgspec.json.decode(state, type=Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
