"""Twilio's media sockets: signed upgrades, streams with a token, and Media Streams' messages.

Nothing is opened before the upgrade's signature and the token in `start` were believed.
"""

import logging
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.call.arrival import Arrival
from app.call.commands import EndCall
from app.call.facts import CallFacts
from app.carriers.clock import CarrierClock
from app.carriers.line import Admitted, Frame, Hears, RefusedLineError
from app.carriers.twilio.caller import FactSeals, from_parameters
from app.carriers.twilio.media import (
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaProtocol,
    Start,
    Stop,
    encode_clear,
    encode_mark,
    encode_media,
)
from app.carriers.twilio.messages import ViolationKind
from app.carriers.twilio.signature import SignatureChecker
from app.carriers.twilio.stream_plans import AGAIN
from app.carriers.twilio.tokens import (
    TOKEN_PARAMETER,
    Grant,
    StreamTokens,
    TokenRefusedError,
    UsedTokens,
)

_log = logging.getLogger(__name__)


class MediaStream:
    """One stream: see `app.carriers.line.Line`."""

    __slots__ = ("_protocol", "_stream_sid", "clock")

    def __init__(self, stream_sid: str, protocol: MediaProtocol | None = None) -> None:
        """`protocol`: where it stands after `start`."""
        self._stream_sid = stream_sid
        self._protocol = MediaProtocol() if protocol is None else protocol
        self.clock = CarrierClock(0)

    @property
    def violations(self) -> Mapping[ViolationKind, int]:
        return self._protocol.violations

    def receive(self, frame: Frame, call: Hears) -> bool:
        message = self._protocol.receive(frame)
        match message:
            case Media():
                call.media(message.payload, message.audio, message.timestamp_ms)
            case Mark():
                call.mark(message.name)
            case Dtmf():
                call.key(message.digit)
            case Stop():
                call.carrier_closed("hangup")
                return False
            case Connected() | Start():
                pass
        return True

    def closed(self, code: int, call: Hears) -> None:
        call.carrier_closed("lost", "the media socket closed without a stop")

    def audio(self, ulaw: bytes) -> tuple[str]:
        return (encode_media(self._stream_sid, ulaw),)

    def mark(self, name: str) -> tuple[str]:
        return (encode_mark(self._stream_sid, name),)

    def clear(self) -> tuple[str]:
        return (encode_clear(self._stream_sid),)

    def idle(self, now_ms: int) -> tuple[()]:
        """Nothing: Twilio fills silence itself."""
        return ()

    def farewell(self, end: EndCall) -> Sequence[str]:
        """Nothing: Twilio asks the `<Connect action>` how the call goes on."""
        return ()


@dataclass(frozen=True, slots=True)
class MediaStreams:
    """The door at `/twilio/media`."""

    checker: SignatureChecker
    tokens: StreamTokens
    seals: FactSeals
    used: UsedTokens

    def knock(self, scope: MutableMapping[str, Any]) -> "_Knock":
        verdict = self.checker.check_upgrade(scope)
        if not verdict.signed:
            raise RefusedLineError(verdict.reason.value)
        return _Knock(self)


class _Knock:
    """An upgrade that Twilio signed."""

    subprotocol = ""

    def __init__(self, door: MediaStreams) -> None:
        self._door = door
        self._protocol = MediaProtocol()
        self._start: Start | None = None

    def receive(self, frame: Frame) -> bool:
        message = self._protocol.receive(frame)
        if isinstance(message, Start):
            self._start = message
        return self._start is not None

    async def admit(self) -> Admitted:
        assert self._start is not None, "asked once the call is named"
        start, grant = self._start, await self._redeem(self._start)
        arrival = Arrival(
            call_id=start.call_sid,
            stream_id=start.stream_sid,
            agent=grant.agent,
            direction=grant.direction,
            facts=self._facts(grant, start),
            again=AGAIN in start.parameters,
            news=grant.news,
        )
        return Admitted(arrival, MediaStream(start.stream_sid, self._protocol))

    async def _redeem(self, start: Start) -> Grant:
        door, token = self._door, start.parameters.get(TOKEN_PARAMETER, "")
        try:
            return await door.tokens.redeem(token, start.call_sid, door.used, time.time())
        except TokenRefusedError as error:
            raise RefusedLineError(f"token_{error.reason}") from error

    def _facts(self, grant: Grant, start: Start) -> CallFacts:
        """What the webhook learnt of the call. Without it less is known and trusted, no more."""
        facts = self._door.seals.open(from_parameters(start.parameters), start.call_sid)
        if facts is None:
            _log.warning("the call's facts are missing", extra={"fields": {"call": start.call_sid}})
        return facts or CallFacts(direction=grant.direction)
