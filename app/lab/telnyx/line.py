"""A number at Telnyx whose calls are streamed to the bot, and the API with which it hangs up.

async with TelnyxLab() as lab:
    report = await lab.call(media_url, script, from_="+15550100001", to="+15550100002")
"""

import asyncio
import contextlib
from secrets import token_hex
from types import TracebackType

from aiohttp import web

from app.lab.phone.agenda import Agenda
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp
from app.lab.phone.identity import CallIdentity
from app.lab.phone.impairments import Impairments
from app.lab.phone.path import Delays, Path
from app.lab.phone.report import CallReport, StreamReport
from app.lab.phone.script import Script
from app.lab.phone.websocket import BotSocket, ConnectFailed, open_bot_socket
from app.lab.phone.wire import StreamIdentity
from app.lab.telnyx.stream import TelnyxStream

FLUSH_LIMIT_S = 5.0
ALREADY_ENDED = {"errors": [{"code": "90018", "title": "Call has already ended"}]}


class TelnyxLab:
    """`base_url`: of the API, while it is entered. `hang_ups`: ids of calls that it was to end;
    `asked`: of those that it does not know, too."""

    def __init__(self, api_key: str, impairments: Impairments | None = None) -> None:
        self._api_key = api_key
        self._impairments = impairments or Impairments()
        self._calls: dict[str, LiveCall] = {}
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        self.hang_ups: list[str] = []
        self.asked: list[str] = []

    async def __aenter__(self) -> "TelnyxLab":
        app = web.Application()
        app.router.add_post("/v2/calls/{id}/actions/hangup", self._hang_up)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def call(self, media_url: str, script: Script, *, from_: str, to: str) -> CallReport:
        """One whole call; `report.identity.call_sid` is its call_control_id."""
        identity = CallIdentity(f"v3:{token_hex(12)}", "", from_, to, "inbound")
        live = LiveCall(identity, script, Agenda(), self._impairments, lambda event: None)
        self._calls[identity.call_sid] = live
        live.answer()
        try:
            await self._stream(live, media_url)
        except ConnectFailed as error:
            live.error(error.code, error.detail)
            live.hang_up("error", "failed")
        await live.interrupted()
        end = live.interruption
        assert isinstance(end, HungUp), "nothing redirects a call here"
        live.finish(end.by, end.status)
        return live.report

    async def _stream(self, live: LiveCall, media_url: str) -> None:
        """Until the call is over, or the bot has closed the socket."""
        socket = await open_bot_socket(media_url, {"User-Agent": "Telnyx"})
        origin_s, began_ms = live.next_tick_s, live.next_tick_ms
        flushed = asyncio.Event()
        closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        to_bot: Path[str | None] = Path(
            live.clock,
            Delays(live.impairments, "to_bot", origin_s, "telnyx"),
            lambda text: flushed.set() if text is None else socket.send(text),
        )
        who = live.identity
        stream = TelnyxStream(
            StreamIdentity(token_hex(16), who.call_sid, ""),
            numbers=(who.from_, who.to),
            impairments=live.impairments,
            origin_s=origin_s,
            send=to_bot.send,
        )
        to_phone: Path[tuple[bytes, bool] | str] = Path(
            live.clock,
            Delays(live.impairments, "to_phone", origin_s, "telnyx"),
            lambda inbound: _arrive(live, stream, inbound, closed),
        )
        stream.open()
        live.stream = stream
        socket.listen(lambda data, binary: to_phone.send((data, binary)), to_phone.send)
        over = asyncio.ensure_future(live.interrupted())
        await asyncio.wait(
            (over, asyncio.ensure_future(asyncio.shield(closed))), return_when="FIRST_COMPLETED"
        )
        over.cancel()
        live.stream = None
        live.report.streams.append(
            _described(live, stream, media_url, began_ms, by_bot=closed.done())
        )
        await _close(stream, socket, to_bot, flushed, by_bot=closed.done())

    async def _hang_up(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"errors": [{"code": "10009"}]}, status=401)
        call_control_id = request.match_info["id"]
        self.asked.append(call_control_id)
        live = self._calls.get(call_control_id)
        if live is None:
            return web.json_response({"errors": [{"code": "10005"}]}, status=404)
        if live.over.is_set():
            return web.json_response(ALREADY_ENDED, status=422)
        self.hang_ups.append(call_control_id)
        live.hang_up("rest")
        return web.json_response({"data": {"result": "ok"}})


def _arrive(
    live: LiveCall,
    stream: TelnyxStream,
    inbound: tuple[bytes, bool] | str,
    closed: "asyncio.Future[str]",
) -> None:
    if closed.done():
        return
    if isinstance(inbound, str):
        closed.set_result(inbound)
    else:
        stream.receive(inbound[0], binary=inbound[1], at_s=live.clock.now_s())


async def _close(
    stream: TelnyxStream,
    socket: BotSocket,
    to_bot: Path[str | None],
    flushed: asyncio.Event,
    *,
    by_bot: bool,
) -> None:
    if not by_bot:
        stream.stop()
        to_bot.send(None)  # everything sent so far leaves before the close does
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await flushed.wait()
    await socket.close()


def _described(
    live: LiveCall, stream: TelnyxStream, url: str, began_ms: int, *, by_bot: bool
) -> StreamReport:
    return StreamReport(
        stream_sid=stream.identity.stream_sid,
        url=url.rpartition("/")[0],
        parameters={},
        began_ms=began_ms,
        ended_ms=live.now_ms,
        ended_by="bot" if by_bot else "phone",
        played=stream.played,
        faults=tuple(stream.faults),
        ticks=stream.ticks,
        sent_frames=stream.sent_frames,
        withheld_frames=stream.withheld_frames,
        unplayed_bytes=stream.unplayed_bytes,
    )
