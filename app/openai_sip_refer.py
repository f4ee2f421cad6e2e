"""Sending a call by OpenAI's SIP connector elsewhere: a REFER to the caller's side, through the
gate.

The connector says that the REFER was passed on, not what became of it. A caller whose side follows
it leaves the call; one who is still there after `STAYS_S` was not put through.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from app.call.events import CarrierClosed, Event, ModelClosed
from app.call.facts import number_of
from app.carriers.openai_sip.rest import Calls
from app.carriers.twilio.door import OfferedCall
from app.gate import Gate, Who
from app.models.openai_connect import Credentials
from app.models.openai_sideband import Joined, Sideband, SidebandLimits, open_sideband
from app.onward.news import News
from app.onward.plan import read_plan
from app.persona import Personas
from app.policy.destinations import By, Cleared, Purpose
from app.telling import Telling

STAYS_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Referrals:
    """One for a worker. `stays_s`: how long a caller may take to leave."""

    personas: Personas
    gate: Gate
    telling: Telling
    rest: Calls
    credentials: Credentials
    limits: SidebandLimits
    stays_s: float = STAYS_S

    async def refer(self, call: OfferedCall, detail: str) -> News | None:
        """`detail`: a tool's plan. None: the caller has gone; else why the agent goes on."""
        plan = read_plan(detail)
        if plan is None or plan.what != "transfer":
            return News("failed")
        way = self.personas.get(call.agent).ways.transfers.get(plan.to)
        if way is None:
            return News("failed", plan.to)
        caller, own = number_of(call.facts.party), number_of(call.facts.line)
        who = Who(call.call_sid, call.agent, caller, own, call.direction)
        purpose = Purpose.REFER if way.how == "refer" else Purpose.TRANSFER
        verdict = await self.gate.clear(who, way.key, purpose, By.OPERATOR)
        if not isinstance(verdict, Cleared):
            return News("refused", way.key)
        match await self.rest.refer(call.call_sid, verdict):
            case "gone" if await self._leaves(call.call_sid, 0):
                return None
            case "gone" | "failed":
                self.telling.put_through(who, way, "failed", 1)
                return News("failed", way.key)
        left = await self._leaves(call.call_sid, self.stays_s)
        self.telling.put_through(who, way, "referred" if left else "failed", 1)
        return None if left else News("no_answer", way.key)

    async def _leaves(self, call_id: str, stays_s: float) -> bool:
        """Whether the caller has gone in time. A call that cannot be watched counts as here: what
        comes next finds out."""
        joined = await open_sideband(Joined(call_id, ""), self.credentials, sideband=self.limits)
        if not isinstance(joined, Sideband):
            return isinstance(joined, CarrierClosed)
        try:
            async with asyncio.timeout(stays_s):
                event: Event | None = None
                while not isinstance(event, CarrierClosed | ModelClosed):
                    event = (await joined.receive()).event
        except TimeoutError:
            return False
        finally:
            await joined.close()
        return isinstance(event, CarrierClosed)
