"""A telephone line with Twilio on its far side: calls the bot and says what happened."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import aiohttp

from app.lab.phone.agenda import Agenda, Clock
from app.lab.phone.call import HungUp, LiveCall, TwimlSource
from app.lab.phone.identity import CallIdentity, Direction, new_sid
from app.lab.phone.impairments import Impairments
from app.lab.phone.interpreter import Interpreter
from app.lab.phone.report import CallReport, LineEvent
from app.lab.phone.script import Script
from app.lab.phone.status import EVENTS, Callbacks, StatusCallback
from app.lab.phone.twiml import Verb
from app.lab.phone.verbs import Pace, Verbs
from app.lab.phone.webhook import Webhooks, read_method

CalleeAnswer: TypeAlias = Literal["answer", "busy", "no-answer", "failed"]
OnEvent: TypeAlias = Callable[[LineEvent], None]


def ignore_event(event: LineEvent) -> None:
    """The default listener."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What all calls of one simulated account share."""

    account_sid: str
    auth_token: str
    impairments: Impairments = field(default_factory=Impairments)
    pace: Pace = field(default_factory=Pace)
    on_event: OnEvent = ignore_event


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call before it is made."""

    identity: CallIdentity
    script: Script
    first: TwimlSource
    fallback: TwimlSource | None = None
    status: StatusCallback | None = None
    callee: CalleeAnswer = "answer"
    """Outbound only: how the called party reacts."""
    ring_ms: int = 0
    ring_limit_ms: int = 60_000
    time_limit_s: float | None = None


class CallRun:
    """Carries out one plan. `live` may be watched and steered while `run` is awaited."""

    def __init__(self, plan: CallPlan, carrier: Carrier, clock: Clock) -> None:
        self._plan = plan
        self._carrier = carrier
        self.live = LiveCall(
            plan.identity, plan.script, clock, carrier.impairments, carrier.on_event
        )

    async def run(self) -> CallReport:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            webhooks = Webhooks(session, self._carrier.auth_token)
            callbacks = Callbacks(self.live, webhooks, self._plan.status)
            end = HungUp("error", "failed")
            try:
                end = await self._carry(webhooks, callbacks)
            finally:
                self.live.finish(end.by, end.status)
                callbacks.set_status(end.status)
                await callbacks.drain()
        self.live.tell("ended", self.live.report.ended_by)
        return self.live.report

    async def _carry(self, webhooks: Webhooks, callbacks: Callbacks) -> HungUp:
        plan, live = self._plan, self.live
        verbs = Verbs(
            live,
            self._carrier.auth_token,
            self._carrier.pace,
            lambda noun, parameters: callbacks.send(
                "stream_status",
                noun.get("statusCallback"),
                read_method(noun.get("statusCallbackMethod")),
                parameters,
            ),
        )
        interpreter = Interpreter(live, webhooks, verbs, plan.fallback)
        if plan.identity.direction == "inbound":
            callbacks.set_status("ringing")
            begun = await interpreter.begin(plan.first)
            return await self._answered(interpreter, callbacks, begun)
        unanswered = await self._ring(callbacks)
        if unanswered is not None:
            return unanswered
        self._answer(callbacks)
        begun = await interpreter.begin(plan.first)
        return begun if isinstance(begun, HungUp) else await interpreter.follow(*begun)

    async def _answered(
        self,
        interpreter: Interpreter,
        callbacks: Callbacks,
        begun: tuple[tuple[Verb, ...], str] | HungUp,
    ) -> HungUp:
        """An inbound call is answered by the first document, unless that rejects it."""
        if isinstance(begun, HungUp):
            return HungUp(begun.by, "failed")
        if not begun[0] or begun[0][0].name != "Reject":
            self._answer(callbacks)
        return await interpreter.follow(*begun)

    async def _ring(self, callbacks: Callbacks) -> HungUp | None:
        """Outbound: from `initiated` until somebody answers; None when answered."""
        plan, live = self._plan, self.live
        callbacks.set_status("initiated")
        if plan.callee == "failed":
            return HungUp("callee", "failed")
        callbacks.set_status("ringing")
        never = plan.callee == "no-answer" or plan.ring_ms > plan.ring_limit_ms
        ring_ms = plan.ring_limit_ms if never else plan.ring_ms
        await self._wait_ringing(ring_ms)
        if isinstance(live.interruption, HungUp):
            return live.interruption
        if never:
            return HungUp("callee", "no-answer")
        return HungUp("callee", "busy") if plan.callee == "busy" else None

    async def _wait_ringing(self, ring_ms: int) -> None:
        try:
            async with asyncio.timeout(ring_ms / 1000):
                await self.live.interrupted()
        except TimeoutError:
            return

    def _answer(self, callbacks: Callbacks) -> None:
        self.live.answer()
        callbacks.set_status("in-progress")
        if self._plan.time_limit_s is not None:
            due_s = self.live.clock.now_s() + self._plan.time_limit_s
            self.live.clock.at(due_s, lambda: self.live.hang_up("limit"))


class PhoneLine:
    """A number that is answered by the bot at `voice_url`. Calls may run side by side."""

    def __init__(
        self,
        voice_url: str,
        *,
        account_sid: str,
        auth_token: str,
        impairments: Impairments | None = None,
        fallback_url: str = "",
        status_url: str = "",
        pace: Pace | None = None,
        on_event: OnEvent = ignore_event,
    ) -> None:
        """`status_url` gets `completed` of inbound calls and all four events of outbound ones."""
        self._voice_url = voice_url
        self._fallback_url = fallback_url
        self._status_url = status_url
        self._carrier = Carrier(
            account_sid, auth_token, impairments or Impairments(), pace or Pace(), on_event
        )
        self._agenda: Agenda | None = None

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
    ) -> CallReport:
        """One whole call. `script` is the person: the caller, or the called party if outbound.

        `parameters` are added to the voice webhook's. What the bot does wrong is in the report;
        nothing is raised for it.
        """
        kind: Direction = "inbound" if direction == "inbound" else "outbound-api"
        account_sid = self._carrier.account_sid
        identity = CallIdentity(new_sid("CA"), account_sid, from_, to, kind, parameters or {})
        plan = CallPlan(
            identity=identity,
            script=script,
            first=TwimlSource(self._voice_url),
            fallback=TwimlSource(self._fallback_url) if self._fallback_url else None,
            status=self._status(kind),
            callee=callee,
            ring_ms=ring_ms,
        )
        return await CallRun(plan, self._carrier, self._clock()).run()

    def _clock(self) -> Agenda:
        """One for all calls; a new one when the line is used in another event loop."""
        if self._agenda is None or self._agenda.loop is not asyncio.get_running_loop():
            self._agenda = Agenda()
        return self._agenda

    def _status(self, kind: Direction) -> StatusCallback | None:
        if not self._status_url:
            return None
        if kind == "inbound":
            return StatusCallback(self._status_url)
        return StatusCallback(self._status_url, events=EVENTS)
