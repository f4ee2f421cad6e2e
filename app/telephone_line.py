"""What a call's telephone can do for the agent's tools, behind the gate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.gate import Gate, Who
from app.policy.destinations import By, Cleared, Purpose

NO_NUMBER = "The caller's number is withheld, so no message can be sent to it."
NOT_SENT = "The message could not be sent. Offer another way."
NOT_KEPT = "It could not be written down. Offer another way."
NOT_BY_SIP = "That is only possible for callers who came by SIP. Offer another way."
NO_TEXTS = "Text messages are not set up on this line. Offer another way."

SendText = Callable[[Cleared, str, str], Awaitable[bool]]
"""(to, text, key) sends a message."""
BeginText = Callable[[str], Awaitable[str]]
"""(key) begins the conversation by text; a refusal, or ""."""
Keep = Callable[[dict[str, str], str], Awaitable[bool]]
"""(fields, key) hands something to the operator."""


@dataclass(frozen=True, slots=True)
class Offices:
    """Who carries it out. None: nobody."""

    send_text: SendText | None = None
    begin_text: BeginText | None = None
    keep: Keep | None = None


class TelephoneLine:
    """See `app.tools.current_call.Line`. `who`: whose call it is now. `refers`: whether a transfer
    asks the caller's own SIP system to make the call; `by_sip`: the caller has one."""

    def __init__(
        self,
        gate: Gate,
        who: Callable[[], Who],
        offices: Offices,
        *,
        refers: Callable[[str], bool] = lambda key: False,
        by_sip: bool = False,
    ) -> None:
        self._refers = refers
        self._by_sip = by_sip
        self._gate = gate
        self._who = who
        self._offices = offices

    async def may_transfer(self, key: str) -> str:
        refers = self._refers(key)
        if refers and not self._by_sip:
            return NOT_BY_SIP
        purpose = Purpose.REFER if refers else Purpose.TRANSFER
        verdict = await self._gate.clear(self._who(), key, purpose, By.MODEL, counts=False)
        return "" if isinstance(verdict, Cleared) else verdict.reason

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
