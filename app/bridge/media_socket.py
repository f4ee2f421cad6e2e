"""A carrier's media sockets as an ASGI endpoint: its door checks who knocks, then one `CallBridge`
is fed.

The reader never waits for the model, a tool or the other side's socket: a carrier discards caller
audio that is read slowly (Twilio's error 31930).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from app.bridge.call_bridge import CallBridge
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.switchboard import Switchboard
from app.call.arrival import Arrival
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.carriers.line import Admitted, Door, Frame, Knock, Line, RefusedLineError, Violation
from app.observe.log import event

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 10.0
"""Longest wait after the upgrade for the message that names the call; carriers send it at once."""
POLICY_VIOLATION = 1008
NORMAL = 1000
ABNORMAL = 1006
"""The socket was lost, and nobody said why (RFC 6455, 7.4.1)."""

MakeWriter = Callable[[Callable[[str, str], None]], CarrierWriter]
MakeCall = Callable[[Arrival, Line, MakeWriter], Awaitable[CallBridge]]

OnEnded = Callable[[CallBridge, EndCall, int], None]
"""Told of each call that is over, and how many malformed frames came in it."""


def _unseen(call: CallBridge, end: EndCall, malformed_frames: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class MediaSocket:
    """The ASGI endpoint behind one carrier's door."""

    door: Door
    switchboard: Switchboard
    make_call: MakeCall
    on_ended: OnEnded = _unseen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        try:
            knock = self.door.knock(scope)
        except RefusedLineError as refused:
            event(logger, logging.WARNING, "media socket refused", reason=refused.reason)
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await send({"type": "websocket.accept", "subprotocol": knock.subprotocol or None})
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await _named(knock, receive)
                admitted = await knock.admit()
        except TimeoutError:
            await _refuse(send, RefusedLineError("no_start_in_time"))
        except RefusedLineError as refused:
            await _refuse(send, refused)
        else:
            await self._carry(admitted, receive, send)

    async def _carry(self, admitted: Admitted, receive: Receive, send: Send) -> None:
        def writer(on_broken: Callable[[str, str], None]) -> CarrierWriter:
            return CarrierWriter(lambda frame: _send(send, frame), on_broken)

        line = admitted.line
        try:
            for frame in admitted.welcome:
                await _send(send, frame)
            call = await self.make_call(admitted.arrival, line, writer)
        except BaseException:
            self.switchboard.withdraw(admitted.arrival.call_id)
            admitted.lost()
            raise
        self.switchboard.connected(call)
        report_connected(call, admitted.arrival.agent)
        reader = asyncio.create_task(_read(line, receive, call))
        reader.add_done_callback(call.watch)
        end = EndCall(EndReason.INTERNAL_ERROR, "cancelled")
        try:
            end = await call.run()
        finally:
            self.switchboard.ended(call, end)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await asyncio.gather(_close(send, NORMAL, line.farewell(end)), call.finish())
            malformed_frames = sum(line.violations.values())
            report_end(call, end, malformed_frames)
            self.on_ended(call, end, malformed_frames)


async def _refuse(send: Send, refused: RefusedLineError) -> None:
    event(logger, logging.WARNING, "media stream refused", reason=refused.reason)
    await _close(send, POLICY_VIOLATION, refused.farewell)


async def _send(send: Send, frame: Frame) -> None:
    kind = "text" if isinstance(frame, str) else "bytes"
    await send({"type": "websocket.send", kind: frame})


async def _close(send: Send, code: int, farewell: Sequence[Frame]) -> None:
    try:
        async with asyncio.timeout(5):
            for frame in farewell:
                await _send(send, frame)
            await send({"type": "websocket.close", "code": code})
    except (OSError, RuntimeError, TimeoutError):
        return  # the other side was faster


def report_connected(call: CallBridge, agent: str) -> None:
    """`agent`: as it was chosen."""
    event(
        logger,
        logging.INFO,
        "call connected",
        call=call.call_id,
        agent=agent,
        version=call.started.agent_version,
    )


def report_end(call: CallBridge, end: EndCall, malformed_frames: int) -> None:
    level = logging.INFO if end.reason.fault == "nobody" else logging.WARNING
    event(
        logger,
        level,
        "call ended",
        call=call.call_id,
        reason=end.reason.value,
        fault=end.reason.fault,
        detail=end.detail,
        turns=len(call.call.timeline.turns),
        malformed_frames=malformed_frames,
        padded_ms=call.caller.padded_bytes // 8,
        dropped_ms=call.caller.dropped_bytes // 8,
    )


async def _named(knock: Knock, receive: Receive) -> None:
    """Until the call is named."""
    while True:
        frame = _frame(await receive())
        if frame is None:
            raise RefusedLineError("closed_before_start")
        try:
            if knock.receive(frame):
                return
        except Violation as violation:
            if violation.fatal:
                raise RefusedLineError(violation.kind.value) from violation


def _frame(message: Message) -> Frame | None:
    """One frame, or None when the socket is closed."""
    if message["type"] != "websocket.receive":
        return None
    text: str | None = message.get("text")
    return text if text is not None else bytes(message["bytes"])


async def _read(line: Line, receive: Receive, call: CallBridge) -> None:
    """Hand every message on until the socket closes or breaks its protocol."""
    while True:
        message = await receive()
        frame = _frame(message)
        if frame is None:
            line.closed(int(message.get("code", ABNORMAL)), call)
            return
        try:
            if not line.receive(frame, call):
                return
        except Violation as violation:
            _log_violation(line, call.call_id, violation)
            if violation.fatal:
                call.carrier_closed("lost", f"protocol violation: {violation.kind}")
                return


def _log_violation(line: Line, call_id: str, violation: Violation) -> None:
    """The first one of each kind."""
    if line.violations[violation.kind] == 1 or violation.fatal:
        event(
            logger,
            logging.WARNING,
            "malformed media frame",
            call=call_id,
            kind=violation.kind.value,
            expected=violation.text,
        )
