"""<Connect><Stream>: opens the bot's WebSocket, lets it run, closes it, and says how it went."""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias
from urllib.parse import urljoin, urlsplit

from app.lab.phone.call import LiveCall
from app.lab.phone.identity import new_sid
from app.lab.phone.media import MediaStream
from app.lab.phone.path import Delays, Path
from app.lab.phone.report import StreamReport
from app.lab.phone.signing import signature, without_query
from app.lab.phone.twiml import Verb, stream_parameters
from app.lab.phone.websocket import (
    MALFORMED_URL,
    PROTOCOL_ERROR,
    SCHEME_NOT_SUPPORTED,
    BotSocket,
    ConnectFailed,
    open_bot_socket,
)
from app.lab.phone.wire import StreamIdentity
from telecodecs.g711 import FRAME_MS

StreamEvent: TypeAlias = Literal["stream-started", "stream-stopped", "stream-error"]
Notify: TypeAlias = Callable[[Verb, Mapping[str, str]], None]
"""(the <Stream> noun, parameters of its statusCallback request)"""

Inbound: TypeAlias = tuple[bytes, bool] | str
"""A message (data, binary) on its way to the phone, or the close: "" or what was wrong."""

FLUSH_LIMIT_S = 5.0


def stream_url(noun: Verb, document_url: str) -> str:
    """The URL that is requested, without its query string. Raises ConnectFailed.

    Twilio takes wss only. Loopback addresses may be ws here, so that a bot can be tried without
    a certificate.
    """
    written = noun.get("url").strip()
    base = document_url.replace("http", "ws", 1)
    url = without_query(written if "://" in written else urljoin(base, written))
    parts = urlsplit(url)
    if not parts.hostname:
        raise ConnectFailed(MALFORMED_URL, "expected <Stream url> with a host name")
    if parts.scheme != "wss" and not (parts.scheme == "ws" and is_loopback(parts.hostname)):
        raise ConnectFailed(
            SCHEME_NOT_SUPPORTED,
            f"expected <Stream url> to begin with wss://, got {parts.scheme}:// "
            "(ws:// is taken for loopback addresses only)",
        )
    return url


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class StreamRun:
    """One run of one <Stream> noun. `run` returns when the bot closed the socket or it failed;
    cancelled, it sends `stop` and closes the socket itself."""

    def __init__(self, call: LiveCall, noun: Verb, auth_token: str, notify: Notify) -> None:
        self._call = call
        self._noun = noun
        self._auth_token = auth_token
        self._notify = notify
        self._sid = new_sid("MZ")
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._flushed = asyncio.Event()

    async def run(self, document_url: str) -> None:
        parameters = stream_parameters(self._noun)
        try:
            url = stream_url(self._noun, document_url)
            headers = {
                "x-twilio-signature": signature(self._auth_token, url),
                "User-Agent": "Twilio.TmeWs/1.0",
            }
            socket = await open_bot_socket(url, headers)
        except ConnectFailed as error:
            self._call.error(error.code, error.detail)
            self._tell_status("stream-error", f"{error.code}: {error.detail}")
            return
        await self._converse(socket, url, parameters)

    async def _converse(self, socket: BotSocket, url: str, parameters: Mapping[str, str]) -> None:
        call = self._call
        began_ms = call.next_tick_ms
        stream = self._open(socket, parameters)
        self._tell_status("stream-started")
        call.tell("stream_started", self._sid)
        try:
            if fault := await asyncio.shield(self._ended):
                stream.fault(PROTOCOL_ERROR, fault, stream.carrier_ms(call.clock.now_s()))
        finally:
            call.stream = None
            report = self._describe(stream, url, parameters, began_ms)
            await self._close(stream, socket)
            call.report.streams.append(report)
            for trouble in stream.faults:
                self._tell_status("stream-error", f"{trouble.code}: {trouble.detail}")
            self._tell_status("stream-stopped")
            call.tell("stream_stopped", report.ended_by)

    def _open(self, socket: BotSocket, parameters: Mapping[str, str]) -> MediaStream:
        call = self._call
        origin_s, salt = call.next_tick_s, str(len(call.report.streams))
        to_bot: Path[str | None] = Path(
            call.clock,
            Delays(call.impairments, "to_bot", origin_s, salt),
            lambda text: self._flushed.set() if text is None else socket.send(text),
        )
        self._to_bot = to_bot
        stream = MediaStream(
            StreamIdentity(self._sid, call.identity.call_sid, call.identity.account_sid),
            parameters=parameters,
            impairments=call.impairments,
            origin_s=origin_s,
            send=to_bot.send,
            salt=salt,
            backlog_bytes=socket.backlog_bytes,
            on_clear=lambda carrier_ms: call.tell("cleared"),
        )
        to_phone: Path[Inbound] = Path(
            call.clock,
            Delays(call.impairments, "to_phone", origin_s, salt),
            lambda inbound: self._arrive(stream, inbound),
        )
        stream.open()
        call.stream = stream
        socket.listen(lambda data, binary: to_phone.send((data, binary)), to_phone.send)
        return stream

    def _arrive(self, stream: MediaStream, inbound: Inbound) -> None:
        if isinstance(inbound, str):
            if not self._ended.done():
                self._ended.set_result(inbound)
        elif not self._ended.done():
            data, binary = inbound
            stream.receive(data, binary=binary, at_s=self._call.clock.now_s())

    async def _close(self, stream: MediaStream, socket: BotSocket) -> None:
        if not self._ended.done():
            stream.stop()
            self._to_bot.send(None)  # everything sent so far leaves before the close does
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_LIMIT_S):
                    await self._flushed.wait()
        await socket.close()

    def _describe(
        self, stream: MediaStream, url: str, parameters: Mapping[str, str], began_ms: int
    ) -> StreamReport:
        ended_ms = began_ms + stream.ticks * FRAME_MS
        on_stream_ms = stream.played.first_ms - began_ms
        return StreamReport(
            stream_sid=self._sid,
            url=url,
            parameters=parameters,
            began_ms=began_ms,
            ended_ms=self._call.now_ms,
            ended_by=self._ended_by(),
            played=stream.played,
            faults=tuple(stream.faults),
            ticks=stream.ticks,
            sent_frames=stream.sent_frames,
            withheld_frames=stream.withheld_frames,
            unplayed_bytes=stream.unplayed_bytes,
            spoken=tuple(
                one.later(on_stream_ms) for one in self._call.spoken_between(began_ms, ended_ms)
            ),
        )

    def _ended_by(self) -> Literal["bot", "phone", "fault"]:
        if not self._ended.done():
            return "phone"
        return "fault" if self._ended.result() else "bot"

    def _tell_status(self, event: StreamEvent, error: str = "") -> None:
        if not self._noun.get("statusCallback"):
            return
        who = self._call.identity
        parameters = {
            "AccountSid": who.account_sid,
            "CallSid": who.call_sid,
            "StreamSid": self._sid,
            "StreamName": self._noun.get("name") or self._sid,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        self._notify(self._noun, parameters | ({"StreamError": error} if error else {}))
