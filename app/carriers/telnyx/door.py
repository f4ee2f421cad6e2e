"""Telnyx' media sockets: a secret in the path, the call's name in `start`, and one `Line` each.

Telnyx says nothing of marks that a clear drops. So a mark of our own follows each clear, and when
it is back those that have not come by then are told, the heart's fence as the last.
"""

import hmac
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, Final

from app.call.arrival import Arrival, Lack
from app.call.commands import EndCall
from app.call.facts import CallFacts
from app.carriers.clock import CarrierClock
from app.carriers.line import Admitted, Frame, Hears, RefusedLineError
from app.carriers.telnyx import wire
from app.carriers.telnyx.order import InOrder
from app.carriers.telnyx.protocol import TelnyxProtocol, ViolationKind, audio_of

MEDIA_PATH: Final = "/telnyx/media/{token}"
LACKS: Final[frozenset[Lack]] = frozenset(("transfer", "warm", "refer", "menu", "voicemail"))
_FENCE: Final = "after-clear-"

Admit = Callable[[str, CallFacts, str], Awaitable[str]]
"""(our id of the call, its facts, its call_control_id) the agent that answers; raises
`RefusedLineError`."""


class TelnyxLine:
    """Begins behind `start`. `protocol`: where it stands then."""

    __slots__ = ("_marks", "_order", "_pending", "_protocol", "_waits", "clock")

    def __init__(self, protocol: TelnyxProtocol) -> None:
        self._protocol = protocol
        self._order: InOrder[wire.Media] = InOrder()
        self._marks: list[str] = []
        """Sent since the newest clear, and not back."""
        self._waits: deque[tuple[str, list[str]]] = deque()
        """For each clear its own mark, and those before it that are not back."""
        self._pending = 0
        self.clock = CarrierClock(0)

    @property
    def violations(self) -> Mapping[ViolationKind, int]:
        return self._protocol.violations

    def receive(self, frame: Frame, call: Hears) -> bool:
        message = self._protocol.receive(frame)
        match message:
            case wire.Media():
                audio_of(message)  # before it is waited with
                for media in self._order.take(message.media.chunk, message):
                    body = media.media
                    call.media(body.payload, audio_of(media), body.timestamp)
            case wire.Mark():
                for name in self._back(message.mark.name):
                    call.mark(name)
            case wire.Dtmf():
                call.key(message.dtmf.digit)
            case wire.Stop():
                call.carrier_closed("hangup")
                return False
            case _:
                pass
        return True

    def closed(self, code: int, call: Hears) -> None:
        call.carrier_closed("lost", "the media socket closed without a stop")

    def audio(self, ulaw: bytes) -> tuple[str]:
        return (wire.encode_media(ulaw),)

    def mark(self, name: str) -> tuple[str]:
        self._marks.append(name)
        return (wire.encode_mark(name),)

    def clear(self) -> tuple[str, str]:
        self._pending += 1
        fence = f"{_FENCE}{self._pending}"
        self._waits.append((fence, self._marks))
        self._marks = []
        return wire.CLEAR, wire.encode_mark(fence)

    def idle(self, now_ms: int) -> tuple[()]:
        """Nothing: Telnyx fills silence itself."""
        return ()

    def farewell(self, end: EndCall) -> Sequence[str]:
        """Nothing: the call is hung up by REST."""
        return ()

    def _back(self, name: str) -> list[str]:
        for marks in (self._marks, *(marks for _, marks in self._waits)):
            if name in marks:
                marks.remove(name)
                return [name]
        told: list[str] = []
        while self._waits and any(fence == name for fence, _ in self._waits):
            fence, marks = self._waits.popleft()
            told += marks
            if fence == name:
                break
        return told


@dataclass(frozen=True, slots=True)
class TelnyxDoor:
    """`token`: what the path must hold. `lost`: told of a call that was let in, by our id, if no
    stream comes of it."""

    token: str = field(repr=False)
    admit: Admit
    lost: Callable[[str], None] = lambda call_id: None

    def knock(self, scope: MutableMapping[str, Any]) -> "_Knock":
        given = str(scope.get("path_params", {}).get("token", ""))
        if not self.token or not hmac.compare_digest(given.encode(), self.token.encode()):
            raise RefusedLineError("wrong_token")
        return _Knock(self)


class _Knock:
    """An upgrade with the right secret."""

    subprotocol = ""

    def __init__(self, door: TelnyxDoor) -> None:
        self._door = door
        self._protocol = TelnyxProtocol()
        self._start: wire.Start | None = None

    def receive(self, frame: Frame) -> bool:
        message = self._protocol.receive(frame)
        if isinstance(message, wire.Start):
            self._start = message
        return self._start is not None

    async def admit(self) -> Admitted:
        assert self._start is not None, "asked once the call is named"
        body = self._start.start
        call_id, facts = call_id_of(body.call_control_id), _facts(body)
        agent = await self._door.admit(call_id, facts, body.call_control_id)
        arrival = Arrival(
            call_id=call_id,
            stream_id=f"TM{sha256(self._start.stream_id.encode()).hexdigest()[:32]}",
            agent=agent,
            facts=facts,
            lacks=LACKS,
        )
        lost = partial(self._door.lost, call_id)
        return Admitted(arrival, TelnyxLine(self._protocol), lost=lost)


def call_id_of(call_control_id: str) -> str:
    """Ours: fit for file names and keys, the same for the same call."""
    return f"TX{sha256(call_control_id.encode()).hexdigest()[:32]}"


def _facts(body: wire.StartBody) -> CallFacts:
    by_sip = body.from_.lower().startswith(("sip:", "sips:"))
    return CallFacts(
        origin="sip" if by_sip else "pstn",
        from_number=body.from_ or "anonymous",
        to_number=body.to,
    )
