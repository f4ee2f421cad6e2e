"""The operator's own PBX: who of its callers is let in, and what becomes of them without a model.

At the media socket a call is screened, given its agent and a place, or refused: then the dialplan
still has the caller, and asks here what to do. It asks again whenever a `Dial` of its is over.
Any worker can answer, as it is told enough each time; how a stream ended it knows as for others.
"""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.routing import BaseRoute, WebSocketRoute

from app.bridge.media_socket import MediaSocket, OnEnded
from app.carriers.asterisk.dialled_page import dialled_route
from app.carriers.asterisk.door import MEDIA_PATH, PbxDoor
from app.carriers.asterisk.identity import (
    AGENT,
    CALL_ID,
    DIRECTION,
    FROM,
    OUTBOUND,
    TO,
    Identity,
    read_identity,
)
from app.carriers.asterisk.locks import PbxLocks
from app.carriers.asterisk.next_page import ANSWERED, Asked, Told, next_route
from app.carriers.twilio.door import OfferedCall
from app.carriers.twilio.onward import Caller, Ready, begun
from app.carriers.twilio.stream_ended import after_stream
from app.desk import Desk
from app.dial_book import DialBook
from app.front_door import FrontDoor
from app.onward.happenings import (
    BackToAgent,
    DialEnd,
    Dialled,
    Fell,
    HangUp,
    Happening,
    PutThrough,
    TakeMessage,
    Text,
)
from app.onward.journey import Journey, JourneyError, read_journey
from app.onward.news import News
from app.onward.ways import Ways
from app.pbx_placed import PlacedCalls
from app.policy.destinations import Kind
from app.reception import Reception
from app.settings import Settings

MOST_ROUNDS: Final = 6
"""The bot is dialled so often for one call at most: one that never comes up must not go round."""
HANG_UP: Final = Told("hangup")
FALLBACK: Final = Told("fallback")
_DIALLED: Final = (Kind.NUMBER, Kind.SIP)
"""What a PBX can dial."""
_DIAL_ENDS: Final[dict[str, DialEnd]] = {
    "ANSWER": "talked",
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CANCEL": "no_answer",
}


def pbx_locks(settings: Settings) -> PbxLocks:
    name, _, value = settings.pbx_proxy_header.get_secret_value().partition("=")
    return PbxLocks(settings.pbx_user, settings.pbx_password.get_secret_value(), name, value)


def pbx_routes(
    reception: Reception, desk: Desk, told: OnEnded, dials: DialBook | None = None
) -> list[BaseRoute]:
    """None where no PBX may come. `dials`: the ledger of campaigns' calls."""
    front, calls = reception.front, reception.calls
    locks = pbx_locks(front.settings)
    if not locks.set:
        return []
    placed = PlacedCalls(front, dials)
    room = PbxRoom(reception, desk.with_ways(_for_a_pbx), placed)
    door = PbxDoor(locks, room.admit, placed.prove)
    socket = MediaSocket(door, front.switchboard, calls.make, told)
    return [
        WebSocketRoute(MEDIA_PATH, socket),
        next_route(locks, room.next),
        dialled_route(locks, placed.ended),
    ]


@dataclass(frozen=True, slots=True)
class PbxRoom:
    reception: Reception
    desk: Desk
    placed: PlacedCalls

    @property
    def front(self) -> FrontDoor:
        return self.reception.front

    async def admit(self, who: Identity) -> str:
        """See `app.carriers.asterisk.door.Admit`."""
        agent = await self.reception.admit(self._offered(who), again=who.again)
        if who.placed:
            self.placed.began(who)
        return agent

    async def next(self, asked: Asked) -> Told:
        """See `app.carriers.asterisk.next_page`."""
        call = self._asked_about(asked)
        if not self.front.files.personas.knows(call.agent):
            await self.placed.turned_away(asked.attempt)
            return FALLBACK
        journey = _journey_of(asked.journey)
        if journey is not None:
            end = _DIAL_ENDS.get(asked.status, "failed")
            return await self._onward(call, journey, Dialled(end))
        if asked.status == ANSWERED:
            return await self._left(call, asked)
        if asked.rounds <= 1:
            return await self._never_answered(call, asked.attempt)
        return await self._onward(call, Journey(call.agent, call.direction), Fell())

    async def _never_answered(self, call: OfferedCall, attempt_id: str) -> Told:
        """The bot refused the call, or is not there."""
        if call.direction == "outbound":
            await self.placed.turned_away(attempt_id)
            return FALLBACK
        if (await self.reception.care.screen(call)).answer != "in":
            return Told("busy")
        elsewhere = await self.front.closed(call)
        if elsewhere is None:
            return FALLBACK
        journey = Journey(call.agent, call.direction)
        return await self._onward(call, journey, elsewhere)

    async def _left(self, call: OfferedCall, asked: Asked) -> Told:
        """The bot has had the call, and its stream is over."""
        ending = await self.front.ending_of(call.call_sid)
        reason = None if ending is None else ending.reason
        step = after_stream(reason)
        if step == "hang_up":
            return HANG_UP
        if step == "resume" and asked.rounds < MOST_ROUNDS:
            return Told("agent", {"agent": call.agent})
        detail = "" if ending is None else ending.detail
        journey, happening = begun(call.agent, call.direction, reason, detail)
        return await self._onward(call, journey, happening)

    async def _onward(self, call: OfferedCall, journey: Journey, happening: Happening) -> Told:
        caller = Caller(call.call_sid, call.from_number, call.to_number)
        ready = await self.desk.after(caller, journey, happening)
        while ready.destination is not None and ready.destination.kind not in _DIALLED:
            ready = await self.desk.after(caller, ready.step.journey, Dialled("failed"))
        told = _told(ready, call)
        if told.do in ("hangup", "voicemail"):
            self._over(call)
        return told

    def _over(self, call: OfferedCall) -> None:
        """Nobody will ask about it again."""
        self.front.switchboard.withdraw(call.call_sid)
        self.front.after.call_over(call.call_sid, state="completed", duration_s=None)

    def _offered(self, who: Identity) -> OfferedCall:
        facts = who.facts
        return OfferedCall(
            who.call_id,
            who.agent or self._routed(who) or self.front.settings.agent,
            facts.direction,
            facts.from_number,
            facts.to_number,
            facts=facts,
        )

    def _routed(self, who: Identity) -> str:
        """ "": nobody. Who is called is not asked for by routes."""
        return "" if who.placed else self.front.files.route(who.facts)

    def _asked_about(self, asked: Asked) -> OfferedCall:
        given = {FROM: asked.from_number, TO: asked.to_number}
        given |= {CALL_ID: asked.call, AGENT: asked.agent}
        if not asked.placed:
            return self._offered(read_identity(given))
        who = read_identity(given | {DIRECTION: OUTBOUND})
        return self._offered(replace(who, facts=replace(who.facts, direction="outbound")))


def _for_a_pbx(ways: Ways) -> Ways:
    """Persons are put through without being told first, and nobody is asked to press keys: the
    dialplan has no words of ours."""
    transfers = {key: replace(way, how="cold") for key, way in ways.transfers.items()}
    rungs = tuple(rung for rung in ways.rungs if rung != "menu")
    return replace(ways, transfers=transfers, rungs=rungs)


def _journey_of(text: str) -> Journey | None:
    """None for what is none of ours."""
    if not text:
        return None
    try:
        return read_journey(dict(parse_qsl(text)))
    except JourneyError:
        return None


def _told(ready: Ready, call: OfferedCall) -> Told:
    """A step in words of the dialplan. What is to be said first, nobody says there."""
    step = ready.step
    match step:
        case PutThrough() if ready.destination is not None:
            more = {
                "to": ready.destination.address,
                "ring_s": str(step.way.ring_s),
                "caller_id": ready.caller_id,
                "journey": urlencode(step.journey.as_query()),
            }
            return Told("transfer", more)
        case TakeMessage():
            return Told("voicemail")
        case BackToAgent(journey, status):
            news = News(status, journey.to).packed()
            return Told("agent", {"agent": call.agent, "news": news})
        case HangUp() | Text():
            return HANG_UP
        case _:
            return FALLBACK
