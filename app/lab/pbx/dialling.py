"""`Dial(WebSocket/...)`: opens the bot's socket, lets the two talk, and says how it ended."""

import asyncio
import contextlib
from collections.abc import Mapping
from secrets import token_hex
from typing import Literal, Protocol, TypeAlias

from app.lab.pbx.channel import Outcome, WebSocketChannel
from app.lab.pbx.dialplan import DialStatus
from app.lab.pbx.wire import Format, Teller
from app.lab.phone.call import LiveCall
from app.lab.phone.path import Delays, Path
from app.lab.phone.report import StreamReport
from app.lab.phone.websocket import BotSocket, ConnectFailed, open_bot_socket
from telecodecs.g711 import FRAME_MS

SUBPROTOCOL = "media"
CONNECTION = "earshot"
FLUSH_LIMIT_S = 5.0
TOO_BIG = 1009
NORMAL = 1000
GOING_AWAY = 1001

Message: TypeAlias = str | bytes
Inbound: TypeAlias = tuple[bytes, bool] | str
"""A message (data, binary) on its way to the PBX, or the close: "" or what was wrong."""
End: TypeAlias = Literal["caller", "bot", "bot_closed", "too_big", "fault"]


class Dialling(Protocol):
    """What a leg needs of the PBX."""

    media_url: str
    headers: dict[str, str]
    format: Format
    answers_late: bool


class BotLeg:
    """One try; `run` returns when the leg is over, whoever ended it."""

    def __init__(self, pbx: Dialling, live: LiveCall, variables: Mapping[str, str]) -> None:
        self._pbx = pbx
        self._live = live
        self._variables = variables
        self._ended: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._flushed = asyncio.Event()
        self._answered = False

    async def run(self) -> DialStatus:
        """As `DIALSTATUS` says it."""
        try:
            socket = await open_bot_socket(self._pbx.media_url, self._pbx.headers, (SUBPROTOCOL,))
        except ConnectFailed as error:
            self._live.tell("error", f"the bot's socket: {error.detail}")
            return "CHANUNAVAIL"
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close(GOING_AWAY)
            self._live.error(None, "the bot did not choose the subprotocol media")
            return "CHANUNAVAIL"
        await self._converse(socket)
        return "ANSWER" if self._answered else "NOANSWER"

    async def _converse(self, socket: BotSocket) -> None:
        live = self._live
        channel = self._open(socket)
        began_ms = live.next_tick_ms
        gone = asyncio.ensure_future(live.interrupted())
        try:
            over = asyncio.ensure_future(asyncio.shield(self._ended))
            await asyncio.wait((gone, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            end: End = self._ended.result() if self._ended.done() else "caller"
            live.stream = None
            live.report.streams.append(self._describe(channel, end, began_ms))
            await self._close(channel, socket, end)
            live.tell("stream_stopped", end)

    def _open(self, socket: BotSocket) -> WebSocketChannel:
        live = self._live
        now_s = live.clock.now_s()
        origin_s, salt = live.next_tick_s if live.answered else now_s, str(len(live.report.streams))
        to_bot: Path[Message | None] = Path(
            live.clock,
            Delays(live.impairments, "to_bot", origin_s, salt),
            lambda message: self._flushed.set() if message is None else socket.send(message),
        )
        self._to_bot = to_bot
        channel = WebSocketChannel(
            Teller(f"{token_hex(5)}.1", CONNECTION, self._pbx.format),
            format_=self._pbx.format,
            impairments=live.impairments,
            origin_s=origin_s,
            send=to_bot.send,
            on_outcome=lambda outcome: self._happened(channel, outcome),
            on_clear=lambda carrier_ms: live.tell("cleared"),
        )
        to_pbx: Path[Inbound] = Path(
            live.clock,
            Delays(live.impairments, "to_phone", origin_s, salt),
            lambda inbound: self._arrive(channel, inbound),
        )
        channel.open(self._variables if self._pbx.format == "json" else {})
        if not self._pbx.answers_late:
            self._happened(channel, "answered")
        socket.listen(lambda data, binary: to_pbx.send((data, binary)), to_pbx.send)
        return channel

    def _happened(self, channel: WebSocketChannel, outcome: Outcome) -> None:
        if outcome == "answered":
            self._answer(channel)
        elif not self._ended.done():
            self._ended.set_result("bot" if outcome == "hung_up" else "too_big")

    def _answer(self, channel: WebSocketChannel) -> None:
        """The caller is through: the line's clock drives the channel from now on."""
        if self._answered:
            return
        self._answered = True
        if not self._live.answered:
            self._live.answer()
        channel.origin_s = self._live.next_tick_s
        self._live.stream = channel
        self._live.tell("stream_started")

    def _arrive(self, channel: WebSocketChannel, inbound: Inbound) -> None:
        if self._ended.done():
            return
        if isinstance(inbound, str):
            self._ended.set_result("fault" if inbound else "bot_closed")
            return
        data, binary = inbound
        channel.receive(data, binary=binary, at_s=self._live.clock.now_s())

    async def _close(self, channel: WebSocketChannel, socket: BotSocket, end: End) -> None:
        channel.close()
        if end in ("caller", "bot"):
            self._to_bot.send(None)  # everything sent so far leaves before the close does
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_LIMIT_S):
                    await self._flushed.wait()
        await socket.close(TOO_BIG if end == "too_big" else NORMAL)

    def _describe(self, channel: WebSocketChannel, end: End, began_ms: int) -> StreamReport:
        live = self._live
        ended_ms = began_ms + channel.ticks * FRAME_MS
        on_stream_ms = channel.played.first_ms - began_ms
        ended_by: dict[End, Literal["bot", "phone", "fault"]] = {
            "caller": "phone",
            "bot": "bot",
            "bot_closed": "bot",
        }
        return StreamReport(
            stream_sid=self._variables.get("__EARSHOT_CALL_ID", ""),
            url=self._pbx.media_url,
            parameters=dict(self._variables),
            began_ms=began_ms,
            ended_ms=live.now_ms,
            ended_by=ended_by.get(end, "fault"),
            played=channel.played,
            faults=tuple(channel.faults),
            ticks=channel.ticks,
            sent_frames=channel.sent_frames,
            withheld_frames=channel.withheld_frames,
            unplayed_bytes=channel.unplayed_bytes,
            spoken=tuple(
                one.later(on_stream_ms) for one in live.spoken_between(began_ms, ended_ms)
            ),
        )
