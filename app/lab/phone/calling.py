"""A call from its plan to its report: it rings, is answered, follows its TwiML, joins others."""

import asyncio
from dataclasses import replace

import aiohttp

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp, TwimlSource
from app.lab.phone.detection import detect
from app.lab.phone.interpreter import Interpreter
from app.lab.phone.leg import CallPlan, Leg
from app.lab.phone.report import CallReport
from app.lab.phone.status import Callbacks
from app.lab.phone.twiml import Verb
from app.lab.phone.verbs import Verbs, answers_late
from app.lab.phone.webhook import Webhooks


def place(plan: CallPlan, account: Account) -> PlacedCall:
    """Begin a call; the account knows it from now on."""
    run = CallRun(plan, account)
    placed = PlacedCall(run.live, asyncio.ensure_future(run.run()))
    account.calls[plan.identity.call_sid] = placed
    if not account.keeps_calls:
        placed.task.add_done_callback(lambda done: account.forget(plan.identity.call_sid))
    return placed


class CallRun:
    """Carries out one plan. `live` may be watched and steered while `run` is awaited."""

    def __init__(self, plan: CallPlan, account: Account) -> None:
        self._plan = plan
        self._account = account
        self.live = LiveCall(
            plan.identity, plan.script, account.clock(), account.impairments, account.on_event
        )

    async def run(self) -> CallReport:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            webhooks = Webhooks(session, self._account.auth_token)
            callbacks = Callbacks(self.live, webhooks, self._plan.status)
            callbacks.sip_code = str(self._plan.sip_code or "")
            leg = self._leg(webhooks, callbacks)
            end = HungUp("error", "failed")
            try:
                end = await self._carry(leg)
            finally:
                self.live.finish(end.by, end.status)
                callbacks.set_status(end.status)
                await callbacks.drain()
        for child in leg.children:
            if not child.live.redirected:
                await child.task
        await self._account.notices.settled()
        self.live.tell("ended", self.live.report.ended_by)
        return self.live.report

    def _leg(self, webhooks: Webhooks, callbacks: Callbacks) -> Leg:
        async def beside(
            source: TwimlSource, allowed: frozenset[str], refusal: int, within: str
        ) -> HungUp | None:
            verbs = Verbs(leg, allowed=allowed, refusal=refusal, music=within == "wait")
            aside = Interpreter(self.live, webhooks, verbs, None, within=within, beside=True)
            return await aside.go_on(source)

        leg = Leg(
            call=self.live,
            account=self._account,
            webhooks=webhooks,
            callbacks=callbacks,
            place=lambda plan: place(plan, self._account),
            answer=lambda: self._answer(leg),
            beside=beside,
        )
        return leg

    async def _carry(self, leg: Leg) -> HungUp:
        plan = self._plan
        if plan.identity.direction == "inbound":
            assert plan.first is not None, "an inbound call has a voice URL"
            interpreter = Interpreter(self.live, leg.webhooks, Verbs(leg), plan.fallback)
            leg.callbacks.set_status("ringing")
            begun = await interpreter.begin(plan.first)
            return await self._answered(interpreter, leg, begun)
        unanswered = await self._ring(leg.callbacks)
        if unanswered is not None:
            return unanswered
        leg.answer()
        return await self._called(leg)

    async def _answered(
        self, interpreter: Interpreter, leg: Leg, begun: tuple[tuple[Verb, ...], str] | HungUp
    ) -> HungUp:
        """An inbound call is answered by the first document, unless that rejects it or leaves
        the answer to somebody it dials."""
        if isinstance(begun, HungUp):
            return replace(begun, status="failed")
        verbs = begun[0]
        if not verbs or not (verbs[0].name == "Reject" or answers_late(verbs[0])):
            leg.answer()
        end = await interpreter.follow(*begun) or HungUp("twiml")
        if not self.live.answered and end.status == "completed":
            return replace(end, status="no-answer")
        return end

    async def _called(self, leg: Leg) -> HungUp:
        """What an outbound leg does once somebody answers."""
        plan = self._plan
        first = await detect(leg, plan)
        verbs = Verbs(leg, allowed=plan.allowed, refusal=plan.refusal)
        whisper = "whisper" if plan.allowed is not None else ""
        interpreter = Interpreter(self.live, leg.webhooks, verbs, plan.fallback, within=whisper)
        own = Interpreter(self.live, leg.webhooks, Verbs(leg), plan.fallback)
        end: HungUp | None = None
        if first is not None:
            end = await interpreter.go_on(first)
        if end is None and plan.join is not None and not self.live.redirected:
            end = await own.during(plan.join(leg))
        return end or HungUp("twiml")

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

    def _answer(self, leg: Leg) -> None:
        if self.live.answered:
            return
        self.live.answer()
        leg.callbacks.set_status("in-progress")
        if self._plan.time_limit_s is not None:
            due_s = self.live.clock.now_s() + self._plan.time_limit_s
            self.live.clock.at(due_s, lambda: self.live.hang_up("limit"))
        if self._plan.on_answer is not None:
            self._plan.on_answer(leg)
