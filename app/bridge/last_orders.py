"""What stands in front of a worker's app while there is no room or it drains."""

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.bridge.switchboard import Switchboard
from app.observe.log import event

logger = logging.getLogger(__name__)


class LastOrders:
    """Around the app: while it drains, every answer ends its connection, so that whoever asks
    again finds another worker; and media sockets are refused that have no place here."""

    def __init__(
        self, app: ASGIApp, switchboard: Switchboard, media_paths: tuple[str, ...]
    ) -> None:
        self._app = app
        self._switchboard = switchboard
        self._media_paths = media_paths
        self._sockets = 0

    @property
    def full(self) -> bool:
        """As many media sockets as calls may be here, or more calls than seats."""
        board = self._switchboard
        return self._sockets >= board.max_calls or not board.takes_streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and self._switchboard.draining:
            await self._app(scope, receive, _closing(send))
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nobody was let in yet, so Twilio sees a failed handshake (31920) and asks the action
        URL what to do; any worker may answer that."""
        if self.full and scope["path"].endswith(self._media_paths):
            why = self._switchboard.no_room or "calls"
            event(logger, logging.WARNING, "media stream refused", reason=f"no_seat_{why}")
            await receive()  # websocket.connect
            await _refuse(send)
            return
        self._sockets += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sockets -= 1


async def _refuse(send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})


def _closing(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(message)

    return sending
