"""The door at `/asterisk/media`: who knocks is known by a lock, and which call it is by variables.

The PBX may wait with answering the caller until it is told (`n` in its dial string): then nobody
who is refused here has been answered, and the dialplan goes on with a caller who still rings.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final

from app.call.arrival import Arrival, Lack
from app.carriers.asterisk import wire
from app.carriers.asterisk.identity import Identity, read_identity
from app.carriers.asterisk.line import PbxLine, goodbye
from app.carriers.asterisk.locks import PbxLocks
from app.carriers.asterisk.protocol import PbxProtocol
from app.carriers.line import Admitted, Frame, RefusedLineError

MEDIA_PATH: Final = "/asterisk/media"
SUBPROTOCOL: Final = "media"
LACKS: Final[frozenset[Lack]] = frozenset(("warm", "refer", "menu"))

Admit = Callable[[Identity], Awaitable[str]]
"""The agent that answers a call, for which a place is kept. Raises `RefusedLineError`."""


Prove = Callable[[Identity], Identity]
"""The same with all that is known of a call which says that we have placed it. Raises
`RefusedLineError` where we have not."""


def none_placed(who: Identity) -> Identity:
    """Of a worker that knows of no such calls."""
    if who.placed:
        raise RefusedLineError("not_placed_by_us")
    return who


@dataclass(frozen=True, slots=True)
class PbxDoor:
    locks: PbxLocks
    admit: Admit
    prove: Prove = none_placed

    def knock(self, scope: MutableMapping[str, Any]) -> "_Knock":
        if not self.locks.open_for(scope["headers"]):
            raise RefusedLineError("wrong_credentials")
        offered = scope.get("subprotocols") or ()
        return _Knock(self, SUBPROTOCOL if SUBPROTOCOL in offered else "")


class _Knock:
    """An upgrade that a PBX of ours asked for."""

    def __init__(self, door: PbxDoor, subprotocol: str) -> None:
        self.subprotocol = subprotocol
        self._door = door
        self._protocol = PbxProtocol()
        self._start: wire.MediaStart | None = None

    def receive(self, frame: Frame) -> bool:
        message = self._protocol.receive(frame)
        if isinstance(message, wire.MediaStart):
            self._start = message
        return self._start is not None

    async def admit(self) -> Admitted:
        assert self._start is not None, "asked once the call is named"
        start, format_ = self._start, self._protocol.format
        try:
            identity = self._door.prove(read_identity(start.channel_variables, start.channel_id))
            agent = await self._door.admit(identity)
        except RefusedLineError as refused:
            raise RefusedLineError(refused.reason, (goodbye(format_),)) from refused
        arrival = Arrival(
            call_id=identity.call_id,
            stream_id=f"AM{token_hex(16)}",
            agent=agent,
            direction=identity.facts.direction,
            facts=identity.facts,
            again=identity.again,
            news=identity.news,
            lacks=LACKS,
        )
        line = PbxLine(identity.call_id, self._protocol)
        return Admitted(arrival, line, (wire.command("ANSWER", format_),))
