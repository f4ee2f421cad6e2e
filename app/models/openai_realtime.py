"""OpenAI Realtime as a `ModelSession`: the shell that owns the socket of one session.

Receiving is one loop around the decoder; sending is synchronous and never waits. Whatever ends the
session (the server, a stall, nonsense, ourselves) becomes one verdict, and `receive` hands it out
as the last event.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from websockets.exceptions import ConnectionClosed

from app.call.commands import CreateResponse
from app.call.events import Entry, ModelClosed, ModelFault
from app.models.never_opened import NeverOpened
from app.models.openai_client_events import (
    append_audio,
    append_silence,
    encode_command,
    encode_entry,
    encode_tools,
)
from app.models.openai_connect import Configured, Credentials, Limits, connect_and_configure
from app.models.openai_errors import closed_by_socket
from app.models.openai_server_events import Decoder
from app.models.ports import (
    Capabilities,
    Incoming,
    ModelCommand,
    ModelSession,
    SessionConfig,
    SessionOver,
    SessionStats,
)
from app.models.socket_writer import SocketWriter

_BYTES_PER_MS = 8


async def open_session(
    config: SessionConfig, credentials: Credentials, *, limits: Limits | None = None
) -> ModelSession:
    """Open a session, configured and checked.

    Vendors' faults do not raise: a session that could not be opened hands out its `ModelClosed`
    as the first and last event. Raises only when it is cancelled; the socket is gone then.
    """
    limits = limits or Limits()
    capabilities = capabilities_of(config)
    opened = await connect_and_configure(config, credentials, limits)
    if isinstance(opened, ModelClosed):
        return NeverOpened(opened, capabilities)
    return OpenAIRealtime(opened, capabilities, limits, instructions=config.instructions)


def capabilities_of(config: SessionConfig) -> Capabilities:
    """Without turn detection the server reports no speech. Where it does not answer by itself,
    with or without, when the caller's turn is over is ours to say."""
    detection = config.turn_detection
    answers = detection is not None and detection.create_response
    return Capabilities(turns="model" if answers else "us", speech_events=detection is not None)


class OpenAIRealtime:
    """One open session. Made by `open_session`; `ModelSession` says what the methods promise."""

    def __init__(
        self,
        opened: Configured,
        capabilities: Capabilities,
        limits: Limits,
        *,
        instructions: str = "",
    ) -> None:
        """`instructions`: the session's own."""
        self.capabilities = capabilities
        self._instructions = instructions
        self.axis_bytes = 0
        self._stats = SessionStats()
        self._decoder = Decoder(self._stats, silence_ms=opened.silence_ms)
        self._close_s = limits.close_s
        self._socket = opened.socket
        self._writer = SocketWriter(
            opened.socket,
            stall_s=limits.stall_s,
            queue_limit_bytes=limits.queue_limit_bytes,
            on_stalled=self._stalled,
        )
        self._first: Incoming | None = Incoming(opened.ready)
        self._verdict: ModelClosed | None = None
        self._last_fatal_code = ""
        self._offers = 0
        self._over = False

    @property
    def axis_ms(self) -> int:
        """Milliseconds of caller audio handed over so far."""
        return self.axis_bytes // _BYTES_PER_MS

    @property
    def stats(self) -> SessionStats:
        """Counters of this session, live."""
        self._stats.queued_max_bytes = self._writer.queued_max_bytes
        return self._stats

    async def receive(self) -> Incoming:
        """The next event; cancelling loses nothing. Raises `SessionOver` after the last."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._over:
            raise SessionOver("receive() was called after ModelClosed: stop at the first one")
        while self._verdict is None:
            incoming = await self._next()
            if incoming is not None:
                return incoming
        self._over = True
        self._writer.stop()
        return Incoming(self._verdict)

    async def _next(self) -> Incoming | None:
        """What one message holds; None for nothing, or when it set the verdict."""
        try:
            raw = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            self._end(closed_by_socket(error, self._last_fatal_code))
            return None
        incoming = self._decoder.decode(raw, self.axis_ms)
        if incoming is None:
            return None
        event = incoming.event
        if isinstance(event, ModelClosed):
            self._end(event)
            return None
        if isinstance(event, ModelFault) and event.kind == "fatal":
            self._last_fatal_code = event.code
        return incoming

    def send_audio(self, payload_b64: str, n_bytes: int) -> None:
        """Hand over caller audio: base64 text as it came, and the bytes it decodes to."""
        if n_bytes:
            self._writer.write(append_audio(payload_b64, n_bytes))
            self.axis_bytes += n_bytes

    def send_silence(self, n_bytes: int) -> None:
        """Hand over that much μ-law silence."""
        for message in append_silence(n_bytes):
            self._writer.write(message)
        self.axis_bytes += n_bytes

    def send(self, command: ModelCommand) -> None:
        """Carry out a command, behind all audio handed over before it."""
        if isinstance(command, CreateResponse) and command.instructions and self._instructions:
            # A response's instructions stand in the place of the session's (OpenAI types:
            # response.create), and the agent must stay who it is.
            whole = f"{self._instructions}\n\n# Now\n{command.instructions}"
            command = replace(command, instructions=whole)
        for message in encode_command(command):
            self._writer.write(message)
        self._stats.commands += 1

    def tell(self, entry: Entry, ulaw: bytes = b"") -> None:
        """Put something said or done before this session into its conversation."""
        for message in encode_entry(entry, ulaw):
            self._writer.write(message)

    def offer(self, tools: Sequence[Mapping[str, object]]) -> None:
        """Put these tools in the place of those that it has."""
        self._offers += 1
        self._writer.write(encode_tools(tools, f"tools-{self._offers}"))

    async def close(self) -> None:
        """Close politely, and break the connection when that takes longer than `Limits.close_s`."""
        self._end(ModelClosed("lost", "closed by us"))
        try:
            async with asyncio.timeout(self._close_s):
                await self._socket.close()
        except TimeoutError:
            return  # a peer that does not read answers no close either
        finally:
            await self._writer.abort()

    def _stalled(self, reason: str) -> None:
        self._end(ModelClosed("lost", reason))
        self._socket.transport.abort()

    def _end(self, verdict: ModelClosed) -> None:
        """The first reason wins; nothing is sent after it."""
        if self._verdict is None:
            self._verdict = verdict
        self._writer.stop()
