"""A telephone line with Twilio on its far side: calls the bot and says what happened."""

from collections.abc import Mapping
from typing import Literal

from app.lab.phone.account import Account, OnEvent, ignore_event
from app.lab.phone.calling import place
from app.lab.phone.course import TwimlSource
from app.lab.phone.identity import CallIdentity, Direction, new_sid
from app.lab.phone.impairments import Impairments
from app.lab.phone.leg import CallPlan
from app.lab.phone.messages import TextReport
from app.lab.phone.pace import Pace
from app.lab.phone.people import CalleeAnswer, Directory
from app.lab.phone.report import CallReport
from app.lab.phone.script import Script
from app.lab.phone.shelves import kept_urls
from app.lab.phone.sip import domain_parameters, is_sip
from app.lab.phone.status import EVENTS, StatusCallback

__all__ = ["OnEvent", "PhoneLine", "ignore_event"]


class PhoneLine:
    """A number that is answered by the bot at `voice_url`. Calls may run side by side."""

    def __init__(
        self,
        voice_url: str,
        *,
        account_sid: str = "",
        auth_token: str = "",
        account: Account | None = None,
        people: Directory | None = None,
        impairments: Impairments | None = None,
        fallback_url: str = "",
        status_url: str = "",
        sms_url: str = "",
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
    ) -> None:
        """`voice_url` "": where the REST API has pointed the number or SIP domain that is called.
        Either `account`, to share it with other lines and with `TwilioRest`, or what makes one:
        `account_sid` and `auth_token`, `people`, `impairments`, `pace` and `on_event`. The
        account that it makes forgets calls when they are over.

        `status_url` gets `completed` of inbound calls and all four events of outbound ones;
        `sms_url` gets text messages.
        """
        self._voice_url = voice_url
        self._fallback_url = fallback_url
        self._status_url = status_url
        self._sms_url = sms_url
        self.account = account or Account(
            account_sid=account_sid,
            auth_token=auth_token,
            people=people,
            impairments=impairments,
            pace=pace,
            on_event=on_event,
            keeps_calls=False,
        )

    async def call(
        self,
        script: Script,
        *,
        from_: str,
        to: str,
        direction: Literal["inbound", "outbound"] = "inbound",
        callee: CalleeAnswer = "answer",
        ring_ms: int = 0,
        parameters: Mapping[str, str] | None = None,
        sip_headers: Mapping[str, str] | None = None,
        stir_verstat: str = "TN-Validation-Passed-A",
    ) -> CallReport:
        """One whole call. `script` is the person: the caller, or the called party if outbound.

        `parameters` are added to the voice webhook's. A `from_` such as "sip:ann@pbx.example" comes
        in through a SIP Domain, with `sip_headers`; `stir_verstat` is for numbers, "" leaves it
        out. What the bot does wrong is in the report; nothing is raised for it. Raises KeyError for
        a line without a `voice_url` when nothing answers at `to`.
        """
        kind: Direction = "inbound" if direction == "inbound" else "outbound-api"
        owned = to if kind == "inbound" else from_
        if owned.startswith("+") and not is_sip(from_):
            self.account.numbers.add(owned)
        sip = domain_parameters(to, sip_headers) if kind == "inbound" and is_sip(from_) else {}
        identity = CallIdentity(
            new_sid("CA"),
            self.account.account_sid,
            from_,
            to,
            kind,
            {**sip, **(parameters or {})},
            stir_verstat=stir_verstat,
        )
        kept = {} if self._voice_url else kept_urls(self.account.kept, to)
        fallback = self._fallback_url or kept.get("fallback", "")
        plan = CallPlan(
            identity=identity,
            script=script,
            first=TwimlSource(self._voice_url or kept["voice"]),
            fallback=TwimlSource(fallback) if fallback else None,
            status=self._status(kind, kept.get("status", "")),
            callee=callee,
            ring_ms=ring_ms,
        )
        return await place(plan, self.account).task

    async def text(self, body: str, *, from_: str, to: str) -> TextReport:
        """Somebody sends a text message to this line's number. Raises ValueError without an
        `sms_url`; what the bot does wrong is in the report."""
        if not self._sms_url:
            raise ValueError("expected PhoneLine(..., sms_url=...), where text messages go")
        return await self.account.messages.receive(self._sms_url, from_=from_, to=to, body=body)

    def _status(self, kind: Direction, kept: str) -> StatusCallback | None:
        url = self._status_url or kept
        if not url:
            return None
        if kind == "inbound":
            return StatusCallback(url)
        return StatusCallback(url, events=EVENTS)
