"""Calls by OpenAI's SIP connector: who is let in, who answers, and what comes after the last word.

    offered --not let in--> rejected
    offered --a place--> carried --ended--> hung up
                         carried --we are being stopped--> carried by another worker
                         carried --sent elsewhere--> referred --the caller has gone--> over
                                                     referred --refused, or still here--> carried

The model's side holds the telephone: here its session is opened and read (`SipModel`), and the call
is the same as on a media socket otherwise. `Orphans` says when a call changes its worker.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from app.answering import Answering
from app.bridge.call_bridge import CallBridge
from app.bridge.carrier_writer import CarrierWriter
from app.bridge.media_socket import OnEnded, report_connected, report_end
from app.call.arrival import Arrival
from app.call.commands import EndCall
from app.call.endings import EndReason
from app.call.events import Snapshot
from app.carriers.line import Frame
from app.carriers.openai_sip.answers import Why
from app.carriers.openai_sip.events import Offer
from app.carriers.openai_sip.line import SilentLine
from app.carriers.openai_sip.rest import Calls
from app.carriers.openai_sip.sip_headers import read_facts
from app.carriers.twilio.door import OfferedCall, Screening
from app.front_door import FrontDoor
from app.models.openai_connect import Credentials
from app.models.openai_sideband import SidebandLimits
from app.observe.log import event
from app.onward.news import News
from app.openai_sip_model import SipCall, SipModel
from app.openai_sip_orphans import Orphans
from app.openai_sip_refer import Referrals

logger = logging.getLogger(__name__)

LAST_SOUND_S: Final = 0.4
"""What the server has played is still on its way to the caller for so long."""

CUT_OFF_S: Final = 2.0
"""For hanging up as the process ends."""

Screen = Callable[[OfferedCall], Awaitable[Screening]]


@dataclass(frozen=True, slots=True)
class _Stream:
    """How a stream of the call begins."""

    news: str = ""
    left: Snapshot | None = None
    again: bool = False


@dataclass(slots=True)
class OpenAISipRoom:
    """One for a worker."""

    front: FrontDoor
    calls: Answering
    screen: Screen
    rest: Calls
    referrals: Referrals
    orphans: Orphans
    credentials: Credentials
    on_ended: OnEnded
    limits: SidebandLimits = field(default_factory=SidebandLimits)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """By call."""

    def take(self, offer: Offer) -> None:
        """Never waits. A call that is here already is left as it is."""
        if offer.call_id in self._tasks or self.front.switchboard.is_connected(offer.call_id):
            return
        task = asyncio.create_task(self._take(offer), name=offer.call_id)
        self._tasks[offer.call_id] = task
        self.front.switchboard.owes(task)
        task.add_done_callback(lambda _: self._tasks.pop(offer.call_id))

    async def _take(self, offer: Offer) -> None:
        call = self._offered(offer)
        event(
            logger,
            logging.INFO,
            "call offered by OpenAI",
            call=call.call_sid,
            agent=call.agent,
            media=offer.media if offer.media in ("rtp", "srtp") else "unknown",
        )
        sip = SipCall(offer.call_id)
        sip.on_asked = lambda: self.orphans.listed(call, sip.began_s)
        await self._to_its_end(call, sip, self._let_in(call, sip))

    async def take_over(self, call: OfferedCall, began_s: float, left: Snapshot | None) -> None:
        """Go on with a call that another worker has carried; it was left in a REFER, maybe.
        `left` None: nothing was said yet."""
        sip = SipCall(call.call_sid, began_s=began_s, asked=True, accepted=True)
        news = ""
        if left is not None:
            sip.told |= {entry.call_id for entry in left.entries if entry.output is not None}
            sip.told.discard(left.left_by)
            news = News("failed").packed() if left.left_by else ""
        stream = _Stream(news, left, again=True)
        await self._to_its_end(call, sip, self._carry(call, sip, stream))

    async def _to_its_end(self, call: OfferedCall, sip: SipCall, life: Awaitable[None]) -> None:
        """Whatever happens, the call does not stay as it is: it ends, or another worker has it."""
        try:
            await life
        except Exception:
            fields = {"call": call.call_sid}
            logger.exception("the call failed inside the bot", extra={"fields": fields})
            await self._let_go(sip)
        except asyncio.CancelledError:
            if not (sip.elsewhere or self.orphans.elsewhere(call.call_sid)):
                await self._cut_off(sip)
            raise
        finally:
            self.front.switchboard.withdraw(call.call_sid)
        if sip.elsewhere:
            return
        await self.orphans.over(call.call_sid)
        lasted_s = max(0, round(time.time() - sip.began_s))
        state = "completed" if sip.accepted else "no-answer"
        self.front.after.call_over(call.call_sid, state=state, duration_s=lasted_s)

    # Who is let in

    async def _let_in(self, call: OfferedCall, sip: SipCall) -> None:
        why = await self._refusal(call)
        if why is None:
            self.calls.expect(call.call_sid, call.agent, call.facts)
            await self._carry(call, sip, _Stream())
        else:
            event(logger, logging.WARNING, "call not taken", call=call.call_sid, reason=why)
            await self.rest.reject(call.call_sid, why)

    def _offered(self, offer: Offer) -> OfferedCall:
        facts = read_facts(offer.headers)
        agent = self.front.files.route(facts) or self.front.settings.agent
        return OfferedCall(
            call_sid=offer.call_id,
            agent=agent,
            direction="inbound",
            from_number=facts.from_number,
            to_number=facts.to_number,
            facts=facts,
        )

    async def _refusal(self, call: OfferedCall) -> Why | None:
        """In the same order as for other carriers. None: a place is kept."""
        if not self.front.files.personas.knows(call.agent):
            return "unknown"
        screening = await self.screen(call)
        if screening.answer != "in":
            return "busy" if screening.answer == "busy" else "blocked"
        if not await self._has_place(call):
            return "busy" if self.front.settings.when_full == "busy" else "full"
        return None if await self.front.closed(call) is None else "closed"

    async def _has_place(self, call: OfferedCall) -> bool:
        """The call stays on this worker, so another one's place is of no use to it."""
        board = self.front.switchboard
        return not board.draining and await self.front.admit(call) == "open" and board.takes_streams

    # The call

    async def _carry(self, call: OfferedCall, sip: SipCall, stream: _Stream | None) -> None:
        while stream is not None:
            bridge, end = await self._stream(call, sip, stream)
            sip.elsewhere = sip.accepted and await self._goes_elsewhere(call, end)
            stream = None if sip.elsewhere else await self._after(call, sip, bridge, end)

    async def _goes_elsewhere(self, call: OfferedCall, end: EndCall) -> bool:
        """Another worker goes on with the call, or has it already."""
        if self.orphans.elsewhere(call.call_sid):
            return True
        if end.reason is EndReason.CARRIER_LOST:
            return await self.orphans.lost(call.call_sid)
        return end.reason is EndReason.DRAINED and await self.orphans.leave(call.call_sid)

    async def _stream(
        self, call: OfferedCall, sip: SipCall, stream: _Stream
    ) -> tuple[CallBridge, EndCall]:
        """Carry it until the model's side is not to talk any more, or the caller has gone."""
        arrival = Arrival(
            call_id=call.call_sid,
            stream_id=f"sip{token_hex(12)}",
            agent=call.agent,
            facts=call.facts,
            again=stream.again,
            news=stream.news,
        )
        model = SipModel(
            sip, self.rest, self.calls.sessions, self.credentials, self.limits, stream.left
        )

        async def send(frame: Frame) -> None:
            model.clear_output()  # nothing else is ever written on such a line

        def writer(on_broken: Callable[[str, str], None]) -> CarrierWriter:
            return CarrierWriter(send, on_broken)

        bridge = await self.calls.make(arrival, SilentLine(), writer, model)
        model.hears = bridge
        self.front.switchboard.connected(bridge)
        report_connected(bridge, call.agent)
        end = EndCall(EndReason.INTERNAL_ERROR, "cancelled")
        try:
            end = await bridge.run()
        finally:
            self.front.switchboard.ended(bridge, end)
            await bridge.finish()
            report_end(bridge, end, 0)
            self.on_ended(bridge, end, 0)
        return bridge, end

    async def _after(
        self, call: OfferedCall, sip: SipCall, bridge: CallBridge, end: EndCall
    ) -> _Stream | None:
        """None: the call is over."""
        if end.reason is EndReason.CALLER_HUNG_UP:
            await self._make_sure(sip)
            return None
        if end.reason is EndReason.HANDED_ON:
            news = await self.referrals.refer(call, end.detail)
            return None if news is None else self._back(call, bridge, news)
        if end.reason.deliberate:
            await asyncio.sleep(LAST_SOUND_S)
        await self._let_go(sip)
        return None

    def _back(self, call: OfferedCall, bridge: CallBridge, news: News) -> _Stream:
        """The caller is still here: the agent goes on."""
        self.front.switchboard.keep_seat(call.call_sid)
        return _Stream(news.packed(), bridge.call.snapshot(moved=True), again=True)

    async def _cut_off(self, sip: SipCall) -> None:
        """The worker leaves: once and quickly, as nobody waits for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CUT_OFF_S):
                await self._let_go(sip)

    async def _make_sure(self, sip: SipCall) -> None:
        """That the caller has gone is known from a status that is not documented. Were it wrong,
        they would talk to a model that nobody watches until the session ends."""
        if sip.accepted:
            await self.rest.hang_up(sip.call_id)

    async def _let_go(self, sip: SipCall) -> None:
        """One that was asked for may be ours, whatever was answered; else it still rings."""
        done = await self.rest.hang_up(sip.call_id) if sip.asked else "failed"
        if done != "done" and not sip.accepted:
            await self.rest.reject(sip.call_id, "broken")
