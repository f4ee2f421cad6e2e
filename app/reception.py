"""Who is let in of those who come by a socket alone: the same questions, in the same order, as
Twilio's webhook asks before it opens one."""

from dataclasses import dataclass

from app.answering import Answering
from app.care.desk import CareDesk
from app.carriers.line import RefusedLineError
from app.carriers.twilio.door import OfferedCall
from app.front_door import FrontDoor


@dataclass(frozen=True, slots=True)
class Reception:
    front: FrontDoor
    calls: Answering
    care: CareDesk

    async def admit(self, call: OfferedCall, *, again: bool = False) -> str:
        """The agent that answers, for which a place is kept. `again`: the call was let in before.
        Raises `RefusedLineError`."""
        if not self.front.files.personas.knows(call.agent):
            raise RefusedLineError("unknown_agent")
        refusal = "" if again else await self._refusal(call)
        if refusal:
            raise RefusedLineError(refusal)
        if await self.front.admit(call) != "open":
            raise RefusedLineError("full")
        self.calls.expect(call.call_sid, call.agent, call.facts)
        return call.agent

    async def _refusal(self, call: OfferedCall) -> str:
        """Why a caller is not let in; "": they are."""
        screening = await self.care.screen(call)
        if screening.answer != "in":
            return f"screened_{screening.rule}"
        return "" if await self.front.closed(call) is None else "closed"
