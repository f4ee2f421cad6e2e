"""Calls that Telnyx streams: let in like any other, and hung up by REST when they are over."""

import asyncio

from starlette.routing import BaseRoute, WebSocketRoute

from app.bridge.call_bridge import CallBridge
from app.bridge.media_socket import MediaSocket, OnEnded
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.facts import CallFacts
from app.carriers.line import RefusedLineError
from app.carriers.telnyx.door import MEDIA_PATH, TelnyxDoor
from app.carriers.telnyx.rest import TelnyxRest
from app.carriers.twilio.door import OfferedCall
from app.reception import Reception
from app.settings import Settings


def telnyx_routes(reception: Reception, told: OnEnded) -> list[BaseRoute]:
    """None where no such call may come."""
    settings = reception.front.settings
    token = settings.telnyx_token.get_secret_value()
    if not settings.takes_telnyx_calls:
        return []
    room = TelnyxRoom(reception, told, settings)
    door = TelnyxDoor(token, room.admit, room.lost)
    socket = MediaSocket(door, reception.front.switchboard, reception.calls.make, room.ended)
    return [WebSocketRoute(MEDIA_PATH, socket)]


class TelnyxRoom:
    """One for a worker. `told`: of every call that is over."""

    def __init__(self, reception: Reception, told: OnEnded, settings: Settings) -> None:
        self._reception = reception
        self._told = told
        key = settings.telnyx_api_key.get_secret_value()
        self._rest = TelnyxRest(key, settings.telnyx_api_url)
        self._theirs: dict[str, str] = {}
        """By our id of a call Telnyx' own."""

    async def admit(self, call_id: str, facts: CallFacts, call_control_id: str) -> str:
        """See `app.carriers.telnyx.door.Admit`. Whose call cannot begin was answered before."""
        front = self._reception.front
        agent = front.files.route(facts) or front.settings.agent
        offered = OfferedCall(
            call_id, agent, "inbound", facts.from_number, facts.to_number, facts=facts
        )
        self._theirs[call_id] = call_control_id
        try:
            return await self._let_in(offered)
        except BaseException:
            self.lost(call_id)
            raise

    async def _let_in(self, call: OfferedCall) -> str:
        """The stream is here, so another worker's place is of no use to it."""
        board = self._reception.front.switchboard
        if board.is_connected(call.call_sid):
            board.keep_seat(call.call_sid)
            return await self._reception.admit(call, again=True)
        agent = await self._reception.admit(call)
        if not board.takes_streams:
            board.withdraw(call.call_sid)
            raise RefusedLineError("full")
        return agent

    def lost(self, call_id: str) -> None:
        """No stream comes of it here."""
        if not self._reception.front.switchboard.is_connected(call_id):
            self._hang_up(call_id)

    def ended(self, call: CallBridge, end: EndCall, malformed_frames: int) -> None:
        """Nothing comes after a stream here, so the call is over with it, whatever ended it."""
        self._told(call, end, malformed_frames)
        if self._reception.front.switchboard.is_connected(call.call_id):
            return  # another stream of the call has replaced this one
        if end.reason is EndReason.CALLER_HUNG_UP:
            self._theirs.pop(call.call_id, None)
        else:
            self._hang_up(call.call_id)
        self._reception.front.after.call_over(call.call_id, state="completed", duration_s=None)

    def _hang_up(self, call_id: str) -> None:
        call_control_id = self._theirs.pop(call_id, "")
        if not call_control_id:
            return
        task = asyncio.ensure_future(self._rest.hang_up(call_control_id, call_id))
        self._reception.front.switchboard.owes(task)
