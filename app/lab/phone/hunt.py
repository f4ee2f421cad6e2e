"""Several parties ring at once; the first who answers, and accepts, is connected."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from app.lab.phone.account import Account, PlacedCall
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp, Next, TwimlSource
from app.lab.phone.dial_targets import Target, caller_id
from app.lab.phone.digits import send_digits
from app.lab.phone.following import action, flag
from app.lab.phone.identity import ENDED, CallIdentity, new_sid
from app.lab.phone.leg import CallPlan, Leg
from app.lab.phone.noun_options import read_detection, read_status_callback
from app.lab.phone.people import Callee, admitted
from app.lab.phone.recording import CallRecording
from app.lab.phone.recording_options import dial_recording
from app.lab.phone.room import Bridge
from app.lab.phone.sip import RESPONSES, new_call_id
from app.lab.phone.twiml import Verb
from app.lab.phone.webhook import read_method

INVALID_HANGUP_ON_STAR = 13213
INVALID_ANSWER_ON_BRIDGE = 13219
WHISPER = frozenset({"Say", "Play", "Pause", "Gather", "Redirect", "Hangup"})
WHISPER_REFUSED = 13201
"""Cannot dial out from a leg that <Dial> made."""


@dataclass(eq=False, slots=True)
class _Rung:
    """One target while it is tried."""

    target: Target
    callee: Callee
    sip_call_id: str
    placed: PlacedCall | None = None

    def sip_parameters(self) -> dict[str, str]:
        if not self.target.is_sip:
            return {}
        code = self.callee.sip_code or RESPONSES[self.callee.answers]
        return {
            "DialSipCallId": self.sip_call_id,
            "DialSipResponseCode": str(code),
            **{
                f"DialSipHeader_{name}": value
                for name, value in self.callee.sip_headers.items()
                if code == 200
            },
        }


class Hunt:
    """One run of one <Dial>. Raises TwimlError for what Twilio refuses."""

    def __init__(
        self,
        leg: Leg,
        verb: Verb,
        document_url: str,
        targets: list[Target],
        *,
        ring_limit_s: int,
        time_limit_s: int,
    ) -> None:
        self._leg = leg
        self._verb = verb
        self._url = document_url
        self._ring_limit_s = ring_limit_s
        self._time_limit_s = time_limit_s
        star = flag(verb, "hangupOnStar", False, INVALID_HANGUP_ON_STAR)
        self._late = flag(verb, "answerOnBridge", False, INVALID_ANSWER_ON_BRIDGE)
        self._bridge = Bridge(leg.call if star else None)
        self._winner: _Rung | None = None
        self._won = asyncio.Event()
        self._referred = ""
        self._recording: CallRecording | None = None
        self._rungs = [
            _Rung(target, _callee(leg.account, target), new_call_id()) for target in targets
        ]
        self._plans = [self._plan(rung) for rung in self._rungs]

    async def run(self) -> Next:
        """Where the call goes on: the action, or who answers the REFER of the connected party."""
        outcome = await self._run()
        refer_url = self._verb.get("referUrl")
        if self._referred and refer_url:
            asked = {**outcome, "ReferTransferTarget": f"<{self._referred}>"}
            method = read_method(self._verb.get("referMethod"))
            return TwimlSource(
                urljoin(self._url, refer_url), method, parameters=asked, purpose="action"
            )
        return action(self._verb, self._url, outcome)

    async def _run(self) -> Mapping[str, str]:
        call = self._leg.call
        self._record("ringing")
        for rung, plan in zip(self._rungs, self._plans, strict=True):
            rung.placed = self._leg.place(plan)
            self._leg.children.append(rung.placed)
            call.report.dialled.append(rung.placed.live.report)
        try:
            with self._ringing():
                await self._first_to_accept()
            if self._winner is not None:
                self._leg.answer()
                self._record("answer")
                self._await_refer(self._winner)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._time_limit_s):
                        await self._bridge.sit(call)
        finally:
            self._bridge.over.set()
            self._give_up()
            if self._recording is not None:
                self._leg.account.recordings.close(self._recording)
        await asyncio.gather(*(call.over.wait() for call in self._calls() if not call.redirected))
        return self._outcome()

    def _await_refer(self, winner: _Rung) -> None:
        """A SIP party that transfers blindly: it gives its leg up once the REFER is taken. Without
        `referUrl` Twilio refuses the REFER, and the call goes on."""
        target = winner.callee.refers_to
        if not (target and winner.target.is_sip and self._verb.get("referUrl")):
            return

        def send() -> None:
            if not self._bridge.over.is_set():
                self._referred = target
                self._bridge.over.set()

        clock = self._leg.call.clock
        clock.at(clock.now_s() + winner.callee.refers_after_ms / 1000, send)

    def parameters(self) -> Mapping[str, str]:
        """For the action when the caller has hung up: how far it had come."""
        return self._outcome()

    @contextlib.contextmanager
    def _ringing(self) -> Iterator[None]:
        call = self._leg.call
        if call.answered:
            call.hears("ringing")
            call.ambience.loop("ringback")
        try:
            yield
        finally:
            call.ambience.loop(None)

    async def _first_to_accept(self) -> None:
        won = asyncio.ensure_future(self._won.wait())
        all_over = asyncio.gather(*(call.over.wait() for call in self._calls()))
        try:
            waiting: set[asyncio.Future[Any]] = {won, all_over}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            won.cancel()
            all_over.cancel()
            await asyncio.gather(won, all_over, return_exceptions=True)

    def _calls(self) -> list[LiveCall]:
        return [rung.placed.live for rung in self._rungs if rung.placed is not None]

    def _plan(self, rung: _Rung) -> CallPlan:
        call, target, noun = self._leg.call.identity, rung.target, rung.target.noun
        url = noun.get("url")
        headers = {f"SipHeader_{name}": value for name, value in rung.callee.sip_headers.items()}
        sip = {"SipCallId": rung.sip_call_id, **headers} if target.is_sip else {}
        identity = CallIdentity(
            new_sid("CA"),
            call.account_sid,
            caller_id(self._verb, target, call, self._leg.account),
            target.address,
            "outbound-dial",
            sip,
            parent_call_sid=call.call_sid,
            sip_headers=target.sip_headers,
        )
        callee = rung.callee
        return CallPlan(
            identity=identity,
            script=callee.script,
            first=TwimlSource(urljoin(self._url, url), read_method(noun.get("method")))
            if url
            else None,
            status=read_status_callback(noun, self._url),
            callee=callee.answers,
            ring_ms=callee.ring_ms,
            ring_limit_ms=self._ring_limit_s * 1000,
            sip_code=callee.sip_code,
            answered_by=callee.answered_by,
            verdicts=callee.verdicts,
            detection=read_detection(noun, self._url),
            allowed=WHISPER,
            refusal=WHISPER_REFUSED,
            join=lambda child: self._join(rung, child),
        )

    async def _join(self, rung: _Rung, child: Leg) -> Next:
        """A party has answered and heard the whisper to its end."""
        await send_digits(child.call, rung.target.noun.get("sendDigits"))
        if self._winner is not None:
            return HungUp("far_end")
        self._winner = rung
        self._won.set()
        for other in self._rungs:
            if other is not rung:
                _hang_up(other)
        await self._bridge.sit(child.call)
        return HungUp("far_end")

    def _give_up(self) -> None:
        for rung in self._rungs:
            if rung is not self._winner:
                _hang_up(rung)

    def _record(self, when: str) -> None:
        wanted = self._verb.get("record")
        if when in wanted or (when == "answer" and wanted == "true"):
            self._recording = dial_recording(self._leg, self._verb, self._url)

    def _outcome(self) -> Mapping[str, str]:
        shown = self._winner or self._rungs[-1]
        assert shown.placed is not None, "all are rung before anything is told"
        live = shown.placed.live
        parameters = {
            "DialCallStatus": self._status(),
            "DialCallSid": live.identity.call_sid,
            "DialBridged": str(self._winner is not None).lower(),
            **shown.sip_parameters(),
        }
        if self._winner is not None:
            milliseconds = live.report.duration_ms or live.now_ms
            parameters["DialCallDuration"] = str(round(milliseconds / 1000))
        if self._recording is not None:
            parameters["RecordingUrl"] = self._recording.url
            parameters["RecordingSid"] = self._recording.sid
        return parameters

    def _status(self) -> str:
        if self._winner is not None:
            return "completed"
        statuses = {call.status for call in self._calls()}
        for status in ("busy", "failed"):
            if statuses == {status}:
                return status
        return "no-answer"  # also for somebody who answered and declined


def _callee(account: Account, target: Target) -> Callee:
    noun = target.noun
    return admitted(account.callee(target.address), noun.get("username"), noun.get("password"))


def _hang_up(rung: _Rung) -> None:
    if rung.placed is not None and rung.placed.status not in ENDED:
        rung.placed.live.hang_up(
            "far_end", "completed" if rung.placed.live.answered else "canceled"
        )
