"""The lab's realtime model as a server: the GA Realtime endpoint on a local port."""

import asyncio
import contextlib
import socket as sockets
import struct
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.handshake import REFUSED_CLOSE, http_refusal, model_asked_for, refused_with
from app.lab.realtime.ids import Ids
from app.lab.realtime.living import End, LivingSession
from app.lab.realtime.log import SessionLog
from app.lab.realtime.nonsense import Garbler
from app.lab.realtime.outbox import Outbox
from app.lab.realtime.ports import Brain, Ear, Mouth
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.session import Session
from app.lab.realtime.stage import Stage, Tasks

MAX_MESSAGE_BYTES: Final = 21 * 1024 * 1024
"""15 MiB of audio as base64, and its envelope."""
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class LabRealtime:
    """An async context manager that serves `base_url`; `port` 0 takes any free one.

    `behaviour` may be replaced at any time and holds for the sessions opened afterwards.
    `sessions` grows by one log per accepted session, in order of their opening.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        api_key: str,
        brain_factory: Callable[[], Brain],
        ear: Ear,
        mouth: Mouth,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.sessions: list[SessionLog] = []
        self._host = host
        self._port = port
        self._api_key = api_key
        self._brain_factory = brain_factory
        self._ear = ear
        self._mouth = mouth
        self._servers: list[Server] = []
        """The last one listens, unless nobody may connect now."""
        self._living: list[LivingSession] = []
        self._closing = asyncio.Event()

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL`. Raises RuntimeError before the server was started."""
        if not self._servers:
            raise RuntimeError("the lab model has no address yet: enter its context first")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def living(self) -> list[SessionLog]:
        """The sessions that are open now, in order of their opening."""
        return [living.stage.log for living in self._living]

    def drop(
        self,
        log: SessionLog | None = None,
        how: End = "abort",
        *,
        code: int = 1000,
        reason: str = "",
    ) -> int:
        """End this session, or all, now; returns how many that were. A pause ends with it.

        `code` and `reason` go with "close", after the events that are on their way already.
        """
        hit = self._hit(log)
        for living in hit:
            living.end(how, code, reason)
        return len(hit)

    def pause(self, log: SessionLog | None = None, *, answers_pings: bool = False) -> int:
        """Let this session, or all, fall silent without closing; returns how many that were.

        `answers_pings`: the machine lives, only the model says nothing more and still listens.
        """
        hit = self._hit(log)
        for living in hit:
            living.pause(answers_pings=answers_pings)
        return len(hit)

    def resume(self, log: SessionLog | None = None) -> int:
        """Send on, beginning with all that was held back; returns how many sessions go on."""
        hit = self._hit(log)
        for living in hit:
            living.resume()
        return len(hit)

    def _hit(self, log: SessionLog | None) -> list[LivingSession]:
        return [living for living in self._living if log is None or living.stage.log is log]

    def stop_listening(self) -> None:
        """From now on connections are refused by the system; open sessions stay."""
        self._servers[-1].server.close()

    async def listen(self) -> None:
        """Take connections, again on the same port after `stop_listening`."""
        server = await serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=None,
        )
        self._port = next(iter(server.sockets)).getsockname()[1]
        self._servers.append(server)

    async def __aenter__(self) -> "LabRealtime":
        await self.listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._closing.set()
        self.resume()
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.connect_delay_ms / 1000)
        if behaviour.hang_connect or behaviour.reset_connect:
            await (self._hang(socket) if behaviour.hang_connect else _reset(socket))
            return refused_with(HTTPStatus.SERVICE_UNAVAILABLE)
        if behaviour.refuse_status is not None:
            return refused_with(HTTPStatus(behaviour.refuse_status))
        return http_refusal(request, None if behaviour.refuse_key else self._api_key)

    async def _hang(self, socket: ServerConnection) -> None:
        """Until the client or the lab is gone."""
        closing = asyncio.ensure_future(self._closing.wait())
        either: set[asyncio.Future[Any]] = {closing, socket.connection_lost_waiter}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        behaviour = self.behaviour
        dice = behaviour.dice(len(self.sessions))
        ids = Ids(dice)
        log = SessionLog(ids.new("sess"), "")
        outbox = Outbox(log, ids, Garbler(behaviour))
        try:
            log.model = model_asked_for(socket.request)
        except RequestRefused as refusal:
            outbox.refuse(refusal, None)
            outbox.close(REFUSED_CLOSE, f"{refusal.kind}.{refusal.code}")
            await _write(outbox, socket)
            return
        self.sessions.append(log)
        async with asyncio.TaskGroup() as group:
            stage = Stage(
                behaviour=behaviour,
                dice=dice,
                ids=ids,
                log=log,
                outbox=outbox,
                conversation=log.conversation,
                conversation_id=ids.new("conv"),
                brain=self._brain_factory(),
                ear=self._ear,
                mouth=self._mouth,
                tasks=Tasks(group),
            )
            await self._converse(stage, socket)

    async def _converse(self, stage: Stage, socket: ServerConnection) -> None:
        session = Session(stage, int(time.time() + stage.behaviour.session_cap_s))
        living = LivingSession(session, stage, socket)
        self._living.append(living)
        stage.tasks.spawn(_write(stage.outbox, socket))
        session.open()
        try:
            with living.deadlines():
                while True:
                    session.handle(await socket.recv(decode=False))
        except ConnectionClosed:
            stage.log.closed_s = time.monotonic()
        finally:
            self._living.remove(living)
            session.close()
            stage.tasks.cancel()


async def _reset(socket: ServerConnection) -> None:
    handle = socket.transport.get_extra_info("socket")
    handle.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET_ON_CLOSE)
    socket.transport.abort()
    await asyncio.wait({socket.connection_lost_waiter})


async def _write(outbox: Outbox, socket: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        await outbox.write(lambda payload, text: socket.send(payload, text=text), socket.close)
