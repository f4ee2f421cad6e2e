"""A phone call that OpenAI's SIP connector carries, as a `ModelSession`: the sideband socket.

The sound never comes here: the server hears the caller, plays what the model says and cuts it when
the caller speaks. What comes is everything else, and what goes out are commands.

The call does not end with the socket. When that breaks it is joined again, by the same call's id,
with growing waits; only when this fails for `SidebandLimits.rejoin_s` the session is over. A socket
that breaks as soon as it is joined has failed, too. A server that knows no such call any more says
that the caller has hung up; but one that was just accepted may not be known everywhere yet.
What was missed meanwhile is asked for as far as the protocol allows: the items of the answer that
was being made (`conversation.item.retrieve`). What nobody asks again for is lost to the record, but
not to the model. Commands wait until the socket is there again.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
from openai import OpenAIError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from app.call.commands import (
    ClearInput,
    CommitInput,
    CreateResponse,
    SendToolOutput,
    TruncateItem,
)
from app.call.events import (
    CarrierClosed,
    Entry,
    Event,
    FaultKind,
    ModelClosed,
    ModelFault,
    ModelReady,
    SpeechStarted,
    SpeechStopped,
)
from app.models import openai_shapes as wire
from app.models.openai_client_events import encode_command, encode_tools
from app.models.openai_connect import Credentials, Limits, connect
from app.models.openai_errors import closed_by_handshake, closed_by_socket
from app.models.openai_missed import Missed
from app.models.openai_server_events import Decoder
from app.models.ports import (
    Capabilities,
    Incoming,
    ModelCommand,
    SessionOver,
    SessionStats,
)
from app.models.socket_writer import SocketWriter

CLEAR_OUTPUT = b'{"type":"output_audio_buffer.clear"}'
SIDEBAND = Capabilities(turns="model", truncate=False)
"""The server ends turns, answers, plays, and truncates what was cut."""
GONE = frozenset({400, 404, 409, 410})
"""HTTP statuses of the upgrade that say: there is no such call. Which one OpenAI sends for a call
that is over is not documented; none of these is cured by asking again."""
_ADDED = b'"conversation.item.added"'
_HEAD_BYTES = 200
_ITEM = msgspec.json.Decoder(wire.Retrieved)
_SERVERS_OWN = (ClearInput, CommitInput, TruncateItem)
"""What the server does here by itself."""


@dataclass(frozen=True, slots=True)
class SidebandLimits:
    """In seconds and messages."""

    rejoin_s: float = 20.0
    """So long a call may be without its sideband."""
    first_wait_s: float = 0.2
    most_wait_s: float = 3.0
    steady_s: float = 2.0
    """A socket that holds for so long is one; before, the waits go on growing."""
    known_s: float = 4.0
    """After so long a call that was accepted is known to whoever takes sidebands."""
    held_messages: int = 200
    """Most commands that wait for the socket to be there again."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a sideband needs to know of the call that it belongs to."""

    call_id: str
    model: str
    instructions: str = ""
    """The session's own."""
    silence_ms: int = 0
    """After which the server calls a turn ended; 0: it goes by meaning."""
    without: Collection[str] = frozenset()
    """Tools that cannot be had on this line."""
    told: set[str] = field(default_factory=set)
    """Tool calls whose output the server has been told."""
    fresh: bool = False
    """It was accepted a moment ago."""


async def open_sideband(
    joined: Joined,
    credentials: Credentials,
    *,
    limits: Limits | None = None,
    sideband: SidebandLimits | None = None,
) -> "Sideband | ModelClosed | CarrierClosed":
    """Join a call that was accepted. `CarrierClosed`: it is over already. Raises nothing but
    cancellation."""
    limits, sideband = limits or Limits(), sideband or SidebandLimits()

    async def dial() -> ClientConnection:
        return await connect(credentials, limits, call_id=joined.call_id)

    session = Sideband(joined, dial, limits, sideband)
    over = await session.join()
    return session if over is None else over


class Sideband:
    """See the module's text; `ModelSession` says what the methods promise. Made by
    `open_sideband`."""

    def __init__(
        self,
        joined: Joined,
        dial: Callable[[], Awaitable[ClientConnection]],
        limits: Limits,
        sideband: SidebandLimits,
    ) -> None:
        self.capabilities = SIDEBAND
        self.axis_bytes = self.axis_ms = 0
        self.stats = SessionStats()
        self._joined = joined
        self._dial = dial
        self._limits = limits
        self._sideband = sideband
        self._decoder = Decoder(self.stats, silence_ms=joined.silence_ms)
        self._missed = Missed()
        self._socket: ClientConnection | None = None
        self._writer: SocketWriter | None = None
        self._held: deque[bytes] = deque(maxlen=sideband.held_messages)
        self._untold: dict[str, bytes] = {}
        """By tool call the output that the server has not confirmed: what was written just before
        the socket broke may be lost."""
        self._coming: deque[Event] = deque()
        """To be told before anything else that comes."""
        self._last_fatal_code = ""
        self._lost = ""
        """Why the socket broke last."""
        self._rejoined_s: float | None = None
        """When it was joined again last."""
        self._until_s = 0.0
        """When to give up a call that was lost ..."""
        self._away = False
        """It could not be joined again at once."""
        self._wait_s = 0.0
        """... and how long to wait before the next attempt."""
        self._offers = 0
        self._verdict: ModelClosed | None = None
        self._over = False

    async def join(self, *, patient: bool = True) -> ModelClosed | CarrierClosed | None:
        """Connect, for the first time or again. None: it is joined. `patient`: not at the first
        attempt only."""
        loop, waits = asyncio.get_running_loop(), self._sideband
        began_s = loop.time()
        first = self._socket is None
        steady = self._rejoined_s is None or began_s - self._rejoined_s >= waits.steady_s
        if steady and not self._away:
            self._until_s, self._wait_s = began_s + waits.rejoin_s, waits.first_wait_s
        elif not await self._pause(self._until_s):
            return await self._last_look()
        known_s = began_s + waits.known_s if self._joined.fresh and first else 0.0
        while True:
            over = await self._try()
            if over is None:
                self._rejoined_s = None if first else loop.time()
                return None
            if isinstance(over, CarrierClosed):
                until_s = known_s
            elif over.cause == "unreachable":
                until_s = self._until_s
            else:
                return over
            if not patient or not await self._pause(until_s):
                return over

    async def _last_look(self) -> ModelClosed | CarrierClosed:
        """Given up; but if the call is over, that is why it broke."""
        over = await self._try()
        if isinstance(over, CarrierClosed):
            return over
        return ModelClosed("unreachable", "it breaks as soon as it is joined")

    async def _pause(self, until_s: float) -> bool:
        """Before the next attempt. False: there is no time for one."""
        wait_s = self._wait_s
        if asyncio.get_running_loop().time() + wait_s >= until_s:
            return False
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))
        self._wait_s = min(2 * wait_s, self._sideband.most_wait_s)
        return True

    async def _try(self) -> ModelClosed | CarrierClosed | None:
        first = self._socket is None
        try:
            socket = await self._dial()
        except (OpenAIError, WebSocketException, OSError, ValueError) as error:
            if isinstance(error, InvalidStatus) and error.response.status_code in GONE:
                return CarrierClosed("hangup")
            return closed_by_handshake(error)
        self._socket = socket
        self._writer = SocketWriter(
            socket,
            stall_s=self._limits.stall_s,
            queue_limit_bytes=self._limits.queue_limit_bytes,
            on_stalled=lambda reason: socket.transport.abort(),
        )
        if first:
            ready = ModelReady(self._joined.call_id, self._joined.model)
            self._coming.append(ready)
        for message in [*self._missed.questions(), *self._untold.values(), *self._held]:
            self._writer.write(message)
        self._held.clear()
        return None

    # Receiving

    async def receive(self) -> Incoming:
        """The next event; cancelling loses nothing. Raises `SessionOver` after the last."""
        if self._over:
            raise SessionOver("receive() was called after ModelClosed: stop at the first one")
        while not self._coming and self._verdict is None:
            await self._read()
        if self._coming:
            return Incoming(self._coming.popleft())
        assert self._verdict is not None
        self._over = True
        return Incoming(self._verdict)

    async def _read(self) -> None:
        """Take one message, or join the call again."""
        assert self._socket is not None, "received from before it was joined"
        if self._writer is None:
            await self._rejoin()
            return
        try:
            raw = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            self._broke(closed_by_socket(error, self._last_fatal_code))
            return
        self._confirmed(raw)
        self._coming.extend(self._missed.answered(raw))
        incoming = self._decoder.decode(raw, 0)
        # No audio comes on a sideband; were some to come, nobody would play it.
        if incoming is not None and incoming.audio is None:
            self._told(incoming.event)

    def _confirmed(self, raw: bytes) -> None:
        if not self._untold or _ADDED not in raw[:_HEAD_BYTES]:
            return
        try:
            self._untold.pop(_ITEM.decode(raw).item.call_id or "", None)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # the decoder counts it

    def _told(self, event: Event) -> None:
        if isinstance(event, ModelClosed):
            # The server's word on formats: those of this call are not ours.
            if event.cause == "nonsense":
                self._end(event)
            return
        if isinstance(event, ModelFault) and event.kind == "fatal":
            self._last_fatal_code = event.code
        passed = self._missed.passed(_placed(event))
        if passed is not None:
            self._coming.append(passed)

    def _broke(self, closed: ModelClosed) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer = None
        if closed.cause in ("expired", "refused"):
            self._end(closed)
            return
        self._lost = closed.detail

    async def _rejoin(self) -> None:
        """At once, and if that fails patiently: then the heart is told to wait for the model."""
        over = await self.join(patient=self._away)
        if isinstance(over, CarrierClosed):
            self._coming.append(over)
            self._end(ModelClosed("lost", "the call is over"))
        elif over is not None and over.cause == "unreachable" and not self._away:
            self._away = True
            self._coming.append(ModelFault("sideband_away", over.detail, "away"))
        elif over is not None:
            self._end(ModelClosed("failed", f"the sideband is lost: {over.detail}"))
        else:
            detail = f"the sideband broke, and was joined again: {self._lost}"
            kind: FaultKind = "back" if self._away else "harmless"
            self._coming.append(ModelFault("sideband_lost", detail, kind))
            self._away = False

    # Sending

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        """Dropped: the server hears the caller itself."""

    def send_silence(self, n_bytes: int) -> None:
        """Dropped: the server hears the caller itself."""

    def send(self, command: ModelCommand) -> None:
        """Carry out a command, unless the server does that by itself here."""
        if isinstance(command, _SERVERS_OWN):
            return
        own = self._joined.instructions
        if isinstance(command, CreateResponse) and command.instructions and own:
            # See `OpenAIRealtime.send`: the agent must stay who it is.
            command = replace(command, instructions=f"{own}\n\n# Now\n{command.instructions}")
        messages = encode_command(command)
        self.stats.commands += 1
        if isinstance(command, SendToolOutput):
            self._joined.told.add(command.call_id)
            self._untold[command.call_id] = messages[0]
            if self._writer is None:
                return  # it is sent when the call is joined again
        for message in messages:
            self._write(message)

    def clear_output(self) -> None:
        """Have the server fall silent at once."""
        self._write(CLEAR_OUTPUT)

    def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
        """The conversation is the server's own and knows all that was said; only a tool's output
        may have been kept back from it."""
        told = entry.call_id in self._joined.told
        if entry.kind == "tool" and entry.output is not None and not told:
            self.send(SendToolOutput(f"told-{entry.call_id}"[:64], entry.call_id, entry.output))

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        """Put these tools in the place of those that it has."""
        self._offers += 1
        there = [tool for tool in tools if tool.get("name") not in self._joined.without]
        self._write(encode_tools(there, f"tools-{self._offers}"))

    def _write(self, message: bytes) -> None:
        if self._writer is None:
            self._held.append(message)
        else:
            self._writer.write(message)

    async def close(self) -> None:
        """Leave the call, which goes on; within a bounded time."""
        self._end(ModelClosed("lost", "closed by us"))
        socket, writer, self._writer = self._socket, self._writer, None
        if socket is None:
            return
        try:
            async with asyncio.timeout(self._limits.close_s):
                await socket.close()
        except TimeoutError:
            socket.transport.abort()
        finally:
            if writer is not None:
                await writer.abort()

    def _end(self, verdict: ModelClosed) -> None:
        """The first reason wins; what came before it is told first."""
        if self._verdict is None:
            self._verdict = verdict


def _placed(event: Event) -> Event:
    """The server tells of speech at once: what it had heard then is the place that it names."""
    match event:
        case SpeechStarted():
            return replace(event, axis_ms=event.audio_start_ms)
        case SpeechStopped():
            return replace(event, axis_ms=event.audio_end_ms)
        case _:
            return event
