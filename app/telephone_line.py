"""What a call's telephone can do for the agent's tools, behind the gate."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from app.call.arrival import Lack
from app.gate import Gate, Who
from app.onward.ways import How
from app.policy.destinations import By, Cleared, Purpose
from app.tools.current_call import Place

NO_NUMBER = "The caller's number is withheld, so no message can be sent to it."
NOT_SENT = "The message could not be sent. Offer another way."
NO_NUMBER_TO_LIST = "Their number is withheld, so it cannot be put on the list. Tell them so."
NO_LIST = "There is no such list on this line. Say that you will pass it on to your people."
NOT_KEPT = "It could not be written down. Offer another way."
NOT_BY_SIP = "That is only possible for callers who came by SIP. Offer another way."
NO_WARM = "This line cannot tell anybody who calls before putting them through. Offer another way."
NO_TRANSFER = "This line cannot put callers through. Offer another way."
NO_PLACE: Mapping[Place, str] = {
    "menu": "This line has no menu of keys. Go on by speaking.",
    "voicemail": "This line has no voicemail. Take the message yourself.",
}
NO_TEXTS = "Text messages are not set up on this line. Offer another way."

SendText = Callable[[Cleared, str, str], Awaitable[bool]]
"""(to, text, key) sends a message."""
BeginText = Callable[[str], Awaitable[str]]
"""(key) begins the conversation by text; a refusal, or ""."""
Keep = Callable[[dict[str, str], str], Awaitable[bool]]
"""(fields, key) hands something to the operator."""


NeverCall = Callable[[str], Awaitable[bool]]
"""(number) puts it on the do-not-call list."""


@dataclass(frozen=True, slots=True)
class Offices:
    """Who carries it out. None: nobody."""

    send_text: SendText | None = None
    begin_text: BeginText | None = None
    keep: Keep | None = None
    never_call: NeverCall | None = None


class TelephoneLine:
    """See `app.tools.current_call.Line`. `who`: whose call it is now. `how`: a transfer of the
    agent that speaks works, by its key; None: there is no such. `by_sip`: the caller has a SIP
    system of their own, which can be asked to make the call. `lacks`: what the line cannot do."""

    def __init__(
        self,
        gate: Gate,
        who: Callable[[], Who],
        offices: Offices,
        *,
        how: Callable[[str], How | None] = lambda key: None,
        by_sip: bool = False,
        lacks: frozenset[Lack] = frozenset(),
    ) -> None:
        self._how = how
        self._by_sip = by_sip and "refer" not in lacks
        self._lacks = lacks
        self._gate = gate
        self._who = who
        self._offices = offices

    async def may_transfer(self, key: str) -> str:
        if "transfer" in self._lacks:
            return NO_TRANSFER
        how = self._how(key)
        refers = how == "refer"
        if refers and not self._by_sip:
            return NOT_BY_SIP
        if how == "warm" and "warm" in self._lacks:
            return NO_WARM
        purpose = Purpose.REFER if refers else Purpose.TRANSFER
        verdict = await self._gate.clear(self._who(), key, purpose, By.MODEL, counts=False)
        return "" if isinstance(verdict, Cleared) else verdict.reason

    async def may_leave_for(self, place: Place) -> str:
        return NO_PLACE[place] if place in self._lacks else ""

    async def send_text(self, text: str, key: str) -> str:
        if self._offices.send_text is None:
            return NO_TEXTS
        who = self._who()
        if not who.caller.startswith("+"):
            return NO_NUMBER
        verdict = await self._gate.clear(who, who.caller, Purpose.SMS, By.CARRIER)
        if not isinstance(verdict, Cleared):
            return verdict.reason
        return "" if await self._offices.send_text(verdict, text, key) else NOT_SENT

    async def go_on_by_text(self, key: str) -> str:
        if self._offices.begin_text is None:
            return NO_TEXTS
        return await self._offices.begin_text(key)

    async def keep_message(self, fields: dict[str, str], key: str) -> str:
        if self._offices.keep is None or not await self._offices.keep(fields, key):
            return NOT_KEPT
        return ""

    async def never_call(self, key: str) -> str:
        if self._offices.never_call is None:
            return NO_LIST
        number = self._who().caller
        if not number.startswith("+"):
            return NO_NUMBER_TO_LIST
        return "" if await self._offices.never_call(number) else NOT_KEPT
