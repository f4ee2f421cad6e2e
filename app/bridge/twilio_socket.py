"""The media socket as an ASGI endpoint: checks who knocks, then feeds one `CallBridge`.

Nothing is opened before the upgrade's signature and the token in `start` were believed. The reader
never waits for the model, a tool or the other side's socket: Twilio discards caller audio when it
is read slowly (error 31930).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from app.bridge.call_bridge import CallBridge
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.switchboard import Switchboard
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.twilio.caller import FactSeals, from_parameters
from app.carriers.twilio.media import (
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaProtocol,
    ProtocolViolation,
    Start,
    Stop,
    encode_clear,
    encode_mark,
    encode_media,
)
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.tokens import (
    TOKEN_PARAMETER,
    Grant,
    StreamTokens,
    TokenRefusedError,
    UsedTokens,
)
from app.observe.log import event

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 10.0
"""Longest wait for `start` after the upgrade; Twilio sends it at once."""
POLICY_VIOLATION = 1008
NORMAL = 1000

MakeWriter = Callable[[Callable[[str, str], None]], CarrierWriter]
MakeCall = Callable[[Grant, CallFacts, Start, "TwilioDialect", MakeWriter], Awaitable[CallBridge]]

OnEnded = Callable[[CallBridge, EndCall, int], None]
"""Told of each call that is over, and how many malformed frames came in it."""


def _unseen(call: CallBridge, end: EndCall, malformed_frames: int) -> None:
    """Nobody wants to know."""


class TwilioDialect:
    """Media Streams messages for one stream."""

    __slots__ = ("_stream_sid",)

    def __init__(self, stream_sid: str) -> None:
        self._stream_sid = stream_sid

    def audio(self, ulaw: bytes) -> str:
        return encode_media(self._stream_sid, ulaw)

    def mark(self, name: str) -> str:
        return encode_mark(self._stream_sid, name)

    def clear(self) -> str:
        return encode_clear(self._stream_sid)


class RefusedStreamError(Exception):
    """The stream may not begin; `reason` is safe to log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class MediaSocket:
    """The ASGI endpoint at `/twilio/media`."""

    checker: SignatureChecker
    tokens: StreamTokens
    seals: FactSeals
    used: UsedTokens
    switchboard: Switchboard
    make_call: MakeCall
    on_ended: OnEnded = _unseen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        verdict = self.checker.check_upgrade(scope)
        if not verdict.signed:
            event(logger, logging.WARNING, "media socket refused", reason=verdict.reason.value)
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await send({"type": "websocket.accept"})
        protocol = MediaProtocol()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                start = await _await_start(protocol, receive)
            grant = await self._admit(start)
        except (RefusedStreamError, TimeoutError) as error:
            reason = error.reason if isinstance(error, RefusedStreamError) else "no_start_in_time"
            event(logger, logging.WARNING, "media stream refused", reason=reason)
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await self._carry(grant, start, protocol, receive, send)

    async def _admit(self, start: Start) -> Grant:
        token = start.parameters.get(TOKEN_PARAMETER, "")
        try:
            return await self.tokens.redeem(token, start.call_sid, self.used, time.time())
        except TokenRefusedError as error:
            raise RefusedStreamError(f"token_{error.reason}") from error

    def _facts(self, grant: Grant, start: Start) -> CallFacts:
        """What the webhook learnt of the call. Without it less is known and trusted, no more."""
        sealed = from_parameters(start.parameters)
        facts = self.seals.open(sealed, start.call_sid)
        if facts is None:
            event(logger, logging.WARNING, "the call's facts are missing", call=start.call_sid)
        return facts or CallFacts(direction=grant.direction)

    async def _carry(
        self, grant: Grant, start: Start, protocol: MediaProtocol, receive: Receive, send: Send
    ) -> None:
        async def send_text(message: str) -> None:
            await send({"type": "websocket.send", "text": message})

        def writer(on_broken: Callable[[str, str], None]) -> CarrierWriter:
            return CarrierWriter(send_text, on_broken)

        facts, dialect = self._facts(grant, start), TwilioDialect(start.stream_sid)
        call = await self.make_call(grant, facts, start, dialect, writer)
        self.switchboard.connected(call)
        event(
            logger,
            logging.INFO,
            "call connected",
            call=call.call_id,
            agent=grant.agent,
            version=call.started.agent_version,
        )
        reader = asyncio.create_task(_read(protocol, receive, call))
        reader.add_done_callback(call.watch)
        end = EndCall(EndReason.INTERNAL_ERROR, "cancelled")
        try:
            end = await call.run()
        finally:
            self.switchboard.ended(call, end)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await asyncio.gather(_close(send), call.finish())
            _report(call, end, protocol)
            self.on_ended(call, end, sum(protocol.violations.values()))


async def _close(send: Send) -> None:
    try:
        async with asyncio.timeout(5):
            await send({"type": "websocket.close", "code": NORMAL})
    except (OSError, RuntimeError, TimeoutError):
        return  # the other side was faster


def _report(call: CallBridge, end: EndCall, protocol: MediaProtocol) -> None:
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
        malformed_frames=sum(protocol.violations.values()),
        padded_ms=call.caller.padded_bytes // 8,
        dropped_ms=call.caller.dropped_bytes // 8,
    )


async def _await_start(protocol: MediaProtocol, receive: Receive) -> Start:
    while True:
        frame = _frame(await receive())
        if frame is None:
            raise RefusedStreamError("closed_before_start")
        try:
            message = protocol.receive(frame)
        except ProtocolViolation as violation:
            if violation.fatal:
                raise RefusedStreamError(violation.kind.value) from violation
            continue
        if isinstance(message, Start):
            return message


def _frame(message: Message) -> str | bytes | None:
    """One frame, or None when the socket is closed."""
    if message["type"] != "websocket.receive":
        return None
    text: str | None = message.get("text")
    return text if text is not None else bytes(message["bytes"])


async def _read(protocol: MediaProtocol, receive: Receive, call: CallBridge) -> None:
    """Hand every message on until the socket closes or breaks its protocol."""
    while True:
        frame = _frame(await receive())
        if frame is None:
            call.carrier_closed("lost", "the media socket closed without a stop")
            return
        try:
            message = protocol.receive(frame)
        except ProtocolViolation as violation:
            if protocol.violations[violation.kind] == 1 or violation.fatal:
                event(
                    logger,
                    logging.WARNING,
                    "malformed media frame",
                    call=call.call_id,
                    kind=violation.kind.value,
                    expected=violation.text,
                )
            if violation.fatal:
                call.carrier_closed("lost", f"protocol violation: {violation.kind}")
                return
            continue
        match message:
            case Media():
                call.media(message.payload, message.audio, message.timestamp_ms)
            case Mark():
                call.mark(message.name)
            case Dtmf():
                call.key(message.digit)
            case Stop():
                call.carrier_closed("hangup")
                return
            case Connected() | Start():
                pass
