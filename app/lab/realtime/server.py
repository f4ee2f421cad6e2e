"""The lab's realtime model as a server: the GA Realtime endpoint on a local port."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.lab.realtime.behaviour import Behaviour
from app.lab.realtime.conversation import Conversation
from app.lab.realtime.handshake import REFUSED_CLOSE, http_refusal, model_asked_for
from app.lab.realtime.ids import Ids
from app.lab.realtime.log import SessionLog
from app.lab.realtime.nonsense import Garbler
from app.lab.realtime.outbox import Outbox
from app.lab.realtime.ports import Brain, Ear, Mouth
from app.lab.realtime.refusals import RequestRefused
from app.lab.realtime.session import Session
from app.lab.realtime.stage import Stage, Tasks

MAX_MESSAGE_BYTES: Final = 21 * 1024 * 1024
"""15 MiB of audio as base64, and its envelope."""


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
        self._server: Server | None = None

    @property
    def base_url(self) -> str:
        """For `OPENAI_BASE_URL`. Raises RuntimeError before the server was started."""
        if self._server is None:
            raise RuntimeError("the lab model has no address yet: enter its context first")
        port = next(iter(self._server.sockets)).getsockname()[1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}/v1"

    async def __aenter__(self) -> "LabRealtime":
        self._server = await serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        await asyncio.sleep(self.behaviour.connect_delay_ms / 1000)
        return http_refusal(request, None if self.behaviour.refuse_key else self._api_key)

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
            tasks = Tasks(group)
            stage = Stage(
                behaviour=behaviour,
                dice=dice,
                ids=ids,
                log=log,
                outbox=outbox,
                conversation=Conversation(),
                conversation_id=ids.new("conv"),
                brain=self._brain_factory(),
                ear=self._ear,
                mouth=self._mouth,
                tasks=tasks,
            )
            await _converse(stage, socket)


async def _converse(stage: Stage, socket: ServerConnection) -> None:
    session = Session(stage, int(time.time() + stage.behaviour.session_cap_s))
    stage.tasks.spawn(_write(stage.outbox, socket))
    session.open()
    try:
        with _deadlines(session, stage.behaviour, socket):
            while True:
                session.handle(await socket.recv(decode=False))
    except ConnectionClosed:
        stage.log.closed_s = time.monotonic()
    finally:
        session.close()
        stage.tasks.cancel()


@contextlib.contextmanager
def _deadlines(session: Session, behaviour: Behaviour, socket: ServerConnection) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    timers = [loop.call_later(behaviour.session_cap_s, session.expire)]
    if behaviour.drop_after_s is not None:
        timers.append(loop.call_later(behaviour.drop_after_s, socket.transport.abort))
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


async def _write(outbox: Outbox, socket: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        await outbox.write(lambda payload, text: socket.send(payload, text=text), socket.close)
