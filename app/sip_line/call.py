"""One call: its SIP dialog, its RTP and its worker, joined from the INVITE to the end of all."""

import asyncio
import logging
import secrets
import time
from typing import Any, Final

from app.sip_line.admission import Reply, busy
from app.sip_line.config import LineConfig
from app.sip_line.control import TEXT_MOST_BYTES, Channel, Command, CommandError, parse_command
from app.sip_line.dialog import Dialog, Listener
from app.sip_line.identity import Identity, identity_of
from app.sip_line.log import event
from app.sip_line.media import NoPortError, RtpMedia, rtp_socket
from app.sip_line.out_queue import OutQueue, Told
from app.sip_line.sdp import (
    Agreed,
    NoSdpError,
    NotAcceptableError,
    Offer,
    Ours,
    answer,
    own_offer,
    read_offer,
)
from app.sip_line.stack import Answer, SipStack
from app.sip_line.ticker import Ticker
from app.sip_line.worker import WorkerAwayError, WorkerSocket

_log = logging.getLogger(__name__)

BAD_REQUEST: Final = Reply(400, "Bad Session Description")
NOT_ACCEPTABLE: Final = Reply(488, "Not Acceptable Here")
DECLINED: Final = Reply(603, "Decline")


class Call:
    """`take` its INVITE, then `run` it."""

    def __init__(self, config: LineConfig, stack: SipStack, ticker: Ticker, number: int) -> None:
        self._config, self._ticker = config, ticker
        self._host = stack.address.host
        self._dialog = Dialog(
            stack, Listener(self._they_ended, self._described, self._answered, self._asked)
        )
        self._queue = OutQueue()
        self._channel = Channel(f"{int(time.time())}.{number}", config.connection_id)
        self._media = RtpMedia(self._next_frame, config.delay)
        self._worker: WorkerSocket | None = None
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._dialog_open = True
        self._taken_up = False
        self._direction = "both"
        self._session = secrets.randbits(31)
        self._version = 0
        self._port = 0
        self._source_host = ""
        self._offer: Offer | None = None
        self._identity: Identity | None = None
        self.invite: tuple[Any, ...] = ()
        """Call-ID, From tag and CSeq of the INVITE."""

    def take(self, request: Any, transaction: Any) -> Answer:
        """Begin with an INVITE that was let in."""
        self._identity, self.invite = identity_of(request), request.getTId()
        self._source_host = self._identity.source_host
        body = request.getBody()
        reply = self._dialog.take(request, transaction)
        if body is not None:
            try:
                self._offer = read_offer(str(body), self._config.codecs)
            except (NoSdpError, NotAcceptableError) as error:
                self._refuse(BAD_REQUEST if isinstance(error, NoSdpError) else NOT_ACCEPTABLE)
        return reply

    async def run(self) -> None:
        """Until dialog, media and worker have ended."""
        began_s = time.monotonic()
        try:
            await self._live()
        finally:
            self._ticker.remove(self._tick)
            try:
                self._end("the line ended it")
            finally:
                self._media.close()
                if self._worker is not None:
                    await self._worker.close()
        counts = self._media.jitter.counts
        event(
            _log,
            logging.INFO,
            "a SIP call ended",
            channel=self._channel.channel_id,
            why=self._over.result(),
            duration_s=round(time.monotonic() - began_s, 1),
            packets=counts.packets,
            late_packets=counts.late,
            concealed_frames=counts.concealed,
        )

    def end(self) -> None:
        """Hang up: the line is being stopped."""
        self._end("the line was stopped")

    async def _live(self) -> None:
        if self._over.done() or not await self._prepare():
            return
        assert self._worker is not None and self._identity is not None
        self._worker.tell(self._channel.start(self._identity.variables()))
        if not self._config.worker_answers:
            self._take_up()
        reading = asyncio.create_task(self._worker.run(self._from_worker))
        try:
            await self._first(reading)
            self._end("the worker closed its socket")
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _prepare(self) -> bool:
        """Bind a port and reach the worker while it rings; False when the call is over."""
        self._dialog.ring()
        try:
            bound = rtp_socket(self._config.listen.host, self._config.rtp_ports)
        except NoPortError:
            event(_log, logging.WARNING, "no RTP port is free")
            self._refuse(busy(self._config.retry_after_s))
            return False
        self._port = bound.getsockname()[1]
        await self._media.open(bound)
        reaching = asyncio.create_task(self._reach_worker())
        await self._first(reaching)
        if not reaching.done():
            reaching.cancel()
        await asyncio.wait([reaching])
        if not reaching.cancelled():
            self._worker = reaching.result()
        return self._worker is not None and not self._over.done()

    async def _first(self, task: asyncio.Task[Any]) -> None:
        """Wait for a task or the end of the call."""
        either: list[asyncio.Future[Any]] = [task, self._over]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)

    async def _reach_worker(self) -> WorkerSocket | None:
        config = self._config
        try:
            return await WorkerSocket.open(
                config.worker_url,
                config.worker_user,
                config.worker_password,
                config.worker_timeout_s,
                config.connection_id,
            )
        except WorkerAwayError as error:
            event(_log, logging.WARNING, "no worker took a SIP call", reason=str(error))
            self._refuse(busy(config.retry_after_s))
            return None

    def _take_up(self) -> None:
        """Answer the call, once."""
        if self._taken_up or self._over.done():
            return
        self._taken_up = True
        if self._offer is None:
            self._dialog.offer(own_offer(self._ours(), self._config.codecs))
        else:
            self._agree(self._offer.agreed)
            self._dialog.accept(answer(self._offer, self._ours()))
        self._ticker.add(self._tick, self._broke)

    def _ours(self) -> Ours:
        self._version += 1
        return Ours(self._host, self._port, self._session, self._version)

    def _agree(self, agreed: Agreed) -> None:
        self._media.agree(agreed, self._source_host)

    # What the peer does.

    def _they_ended(self) -> None:
        self._dialog_open = False
        self._end("the caller ended it")

    def _described(self, body: str) -> None:
        """A re-INVITE: hold, resume, another address or codec."""
        try:
            offer = read_offer(body, self._config.codecs)
        except (NoSdpError, NotAcceptableError):
            self._dialog.refuse(NOT_ACCEPTABLE)
            return
        self._agree(offer.agreed)
        self._dialog.accept(answer(offer, self._ours()))

    def _asked(self) -> None:
        """A re-INVITE that asks what we can: to refresh the session, or to move it."""
        self._dialog.accept(own_offer(self._ours(), self._config.codecs))

    def _answered(self, body: str) -> None:
        if not body and self._media.agreed:
            return  # it was only refreshed
        try:
            self._agree(read_offer(body, self._config.codecs).agreed)
        except (NoSdpError, NotAcceptableError):
            self._end("the caller's answer cannot be used")

    # What the worker does.

    def _from_worker(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            if self._direction != "in":
                self._tell(self._queue.put(message))
        elif len(message.encode()) > TEXT_MOST_BYTES:
            event(
                _log, logging.WARNING, "a worker's command was too long", most_bytes=TEXT_MOST_BYTES
            )
        else:
            self._obey(message)

    def _obey(self, message: str) -> None:
        assert self._worker is not None
        try:
            command = parse_command(message)
        except CommandError as error:
            self._worker.tell(self._channel.error(str(error)))
            return
        match command.name:
            case "ANSWER":
                self._take_up()
            case "HANGUP":
                self._end("the worker hung up")
            case "GET_STATUS":
                self._worker.tell(self._channel.status(self._queue.status))
            case "SET_MEDIA_DIRECTION":
                if command.direction in ("both", "in", "out"):
                    self._direction = command.direction
            case _:
                self._queued(command)

    def _queued(self, command: Command) -> None:
        match command.name:
            case "MARK_MEDIA":
                self._queue.mark(command.correlation_id)
            case "FLUSH_MEDIA":
                self._tell(self._queue.flush())
            case "START_MEDIA_BUFFERING":
                self._queue.start_buffering()
            case "STOP_MEDIA_BUFFERING":
                self._queue.stop_buffering(command.correlation_id)
            case "PAUSE_MEDIA":
                self._queue.pause()
            case "CONTINUE_MEDIA":
                self._queue.go_on()
            case "REPORT_QUEUE_DRAINED":
                self._queue.ask_drained()

    # What the clock does.

    def _tick(self, number: int) -> None:
        heard, pressed = self._media.tick(number)
        if self._worker is None or self._over.done():
            return
        if heard is not None and self._direction != "out":
            self._worker.hear(heard)
        for key in pressed:
            self._worker.tell(self._channel.key(key))
        limit_s = self._config.silence_end_s
        if limit_s and not self._media.held and self._media.silent_ms >= limit_s * 1000:
            self._end("the caller's RTP stopped")

    def _broke(self, error: Exception) -> None:
        event(_log, logging.ERROR, "a SIP call broke", error_kind=type(error).__name__)
        self._end("it broke")

    def _next_frame(self) -> bytes | None:
        frame, told = self._queue.tick()
        self._tell(told)
        return frame

    def _tell(self, told: list[Told]) -> None:
        if self._worker is not None:
            for each in told:
                self._worker.tell(self._channel.event(each.kind, each.correlation_id))

    def _refuse(self, refusal: Reply) -> None:
        if not self._over.done():
            self._dialog_open = False
            self._dialog.refuse(refusal)
            self._over.set_result(f"refused with {refusal.code}")

    def _end(self, why: str) -> None:
        """Once; whatever comes later changes nothing."""
        if self._over.done():
            return
        self._over.set_result(why)
        if self._dialog_open:
            self._dialog_open = False
            if self._taken_up:
                self._dialog.hang_up()
            else:
                hung_up = why == "the worker hung up"
                self._dialog.refuse(DECLINED if hung_up else busy(self._config.retry_after_s))
