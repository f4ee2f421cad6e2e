"""Who decides where calls go that no model carries: by the agents' ways, and through the gate."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from app.agents.variables import answered
from app.call.facts import CallFacts
from app.carriers.twilio.onward import Caller, Ready
from app.gate import Gate, Who
from app.observe.log import event
from app.onward import machine
from app.onward.happenings import (
    Dialled,
    Fell,
    Happening,
    NotAllowed,
    NotPlaced,
    PutThrough,
    Referred,
    Step,
    Text,
)
from app.onward.journey import MOST_STEPS, Journey, Stop
from app.onward.ways import Way, Ways
from app.policy.destinations import By, Cleared, Purpose
from app.policy.verdicts import Refused, Rule
from app.telling import Telling
from app.waiting_room import WaitingRoom

logger = logging.getLogger(__name__)

NOT_BY_SIP: Final = Refused(Rule.WRONG_KIND, "Only callers who came by SIP can be referred.")

HeadersOut = Callable[[str, str, CallFacts], Mapping[str, str]]
"""(agent, key of the transfer, what is known of the call)"""


def no_headers(agent: str, key: str, facts: CallFacts) -> Mapping[str, str]:
    """Nobody is told anything."""
    return {}


SendText = Callable[[Who, Cleared, str], Awaitable[bool]]
"""Sends a message; False: it could not."""


class Desk:
    """See `app.carriers.twilio.onward.OnwardDesk`."""

    def __init__(
        self,
        *,
        ways: Callable[[str], Ways],
        gate: Gate,
        waiting: WaitingRoom,
        send_text: SendText,
        telling: Telling,
        from_number: str = "",
        headers: HeadersOut = no_headers,
    ) -> None:
        """`ways`: of an agent. `from_number`: shown to people where the line has no number.
        `headers`: what a SIP system is told of a call."""
        self._ways = ways
        self._gate = gate
        self.waiting = waiting
        self._send_text = send_text
        self._telling = telling
        self._from_number = from_number
        self._headers = headers

    def with_ways(self, change: Callable[[Ways], Ways]) -> "Desk":
        """The same for a carrier that cannot do all of them."""
        return Desk(
            ways=lambda agent: change(self._ways(agent)),
            gate=self._gate,
            waiting=self.waiting,
            send_text=self._send_text,
            telling=self._telling,
            from_number=self._from_number,
        )

    async def after(self, caller: Caller, journey: Journey, happening: Happening) -> Ready:
        ways = self._ways(journey.agent)
        way = ways.transfers.get(journey.to)
        if way is not None and isinstance(happening, Dialled | Referred):
            outcome = happening.end if isinstance(happening, Dialled) else "referred"
            self._telling.put_through(_who(caller, journey), way, outcome, journey.steps)
        while True:
            step = machine.after(ways, journey, happening)
            ready = await self._ready(caller, step)
            if isinstance(ready, Ready):
                _log(caller, journey, step)
                return ready
            journey, happening = step.journey, ready

    async def sent_on(self, caller: Caller, journey: Journey, target: str) -> Ready:
        """Only where the agent's own transfers lead, or where its policy lets data lead."""
        ways, who = self._ways(journey.agent), _who(caller, journey)
        talked_with = ways.transfers.get(journey.to)
        if talked_with is not None:
            self._telling.put_through(who, talked_with, "talked", journey.steps)
        if journey.steps >= MOST_STEPS:
            return await self.after(caller, journey, NotPlaced())
        verdict, key = await self._gate.clear_referred(who, target)
        if not isinstance(verdict, Cleared):
            return await self.after(caller, journey, _refused(verdict, ""))
        way = replace(ways.transfers.get(key, Way("")), how="cold")
        step = PutThrough(journey.at(Stop.TRANSFER, to=key), way)
        _log(caller, journey, step)
        shown = self._shown(who.own) if way.caller_id == "called" else ""
        headers = self._headers(journey.agent, key, caller.facts)
        return Ready(step, verdict, shown, headers=headers)

    def answered(self, journey: Journey, facts: CallFacts, said: Mapping[str, str]) -> CallFacts:
        way = self._ways(journey.agent).transfers.get(journey.to)
        return facts if way is None else answered(facts, said, way.answer_headers)

    async def message_left(
        self, caller: Caller, journey: Journey, fields: Mapping[str, str]
    ) -> None:
        self._telling.message_left(_who(caller, journey), fields)

    async def close(self) -> None:
        """Wait for what was begun."""
        await self.waiting.close()

    async def _ready(self, caller: Caller, step: Step) -> Ready | Happening:
        """The step, if it may and can be taken; else what happens instead."""
        if isinstance(step, PutThrough):
            return await self._put_through(caller, step)
        if isinstance(step, Text):
            return await self._text(caller, step)
        return Ready(step)

    async def _put_through(self, caller: Caller, step: PutThrough) -> Ready | Happening:
        who, refer = _who(caller, step.journey), step.way.how == "refer"
        purpose = Purpose.REFER if refer else Purpose.TRANSFER
        if refer and not _came_by_sip(caller):
            self._gate.decided(who.call_sid, "refer", step.way.key, NOT_BY_SIP, By.OPERATOR.value)
            return _not_allowed(NOT_BY_SIP, step)
        verdict = await self._gate.clear(who, step.way.key, purpose, By.OPERATOR)
        if not isinstance(verdict, Cleared):
            return _not_allowed(verdict, step)
        shown = self._shown(who.own)
        headers = self._headers(step.journey.agent, step.way.key, caller.facts)
        if step.way.how == "warm":
            return await self.waiting.ring(
                caller.call_sid, step, verdict, from_number=shown, headers=headers
            )
        shown = shown if step.way.caller_id == "called" else ""
        return Ready(step, verdict, shown, headers=headers)

    async def _text(self, caller: Caller, step: Text) -> Ready | Happening:
        who = _who(caller, step.journey)
        verdict = await self._gate.clear(who, who.caller, Purpose.SMS, By.CARRIER)
        if isinstance(verdict, Cleared) and await self._send_text(who, verdict, step.text):
            return Ready(step)
        return Fell() if step.journey.fell else NotPlaced()

    def _shown(self, own: str) -> str:
        """The number of ours that shows: of a call that came by SIP there is none, then the
        operator's own."""
        return own if own.startswith("+") else self._from_number or own


def _who(caller: Caller, journey: Journey) -> Who:
    """Whose number is ours: the one that was called, or the one that we called from."""
    inbound = journey.direction == "inbound"
    theirs = caller.from_number if inbound else caller.to_number
    ours = caller.to_number if inbound else caller.from_number
    return Who(caller.call_sid, journey.agent, theirs, ours, journey.direction)


def _not_allowed(refused: Refused, step: PutThrough) -> NotAllowed:
    return _refused(refused, step.words)


def _refused(refused: Refused, words: str) -> NotAllowed:
    return NotAllowed(refused.rule.value, refused.reason, words)


def _came_by_sip(caller: Caller) -> bool:
    return caller.from_number.startswith(("sip:", "sips:"))


def _log(caller: Caller, journey: Journey, step: Step) -> None:
    event(
        logger,
        logging.INFO,
        "the call goes on",
        call=caller.call_sid,
        stop=step.journey.stop.value,
        step=type(step).__name__,
        to=step.journey.to if step.journey.stop is not Stop.OVER else "",
        fell=journey.fell or step.journey.fell,
    )
