"""A PBX that hands its callers to the bot: one whole call, from the trunk to the hang-up.

    phone = PbxPhone("ws://127.0.0.1:8080/asterisk/media", user="pbx", password="...")
    report = await phone.call(script, from_="+15550100001", to="+15550100002")

The callers, their scripts, what impairs the line and what is reported are the lab telephone's.
"""

import asyncio
from collections.abc import Mapping
from secrets import token_hex

from app.lab.pbx.dialling import BotLeg
from app.lab.pbx.dialplan import Dialplan, login
from app.lab.pbx.wire import Format
from app.lab.phone.account import OnEvent, ignore_event
from app.lab.phone.agenda import Agenda
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.impairments import Impairments
from app.lab.phone.report import CallReport, EndedBy, VerbRecord
from app.lab.phone.script import Script

MOST_STEPS = 20
_STATUS: Mapping[str, CallStatus] = {"busy": "busy"}


class PbxPhone:
    """Calls may run side by side.

    `format_` is `f(...)` of the dial string; "plain" carries no variables. `answers_late`: the dial
    string has `n`, so the caller is answered when the bot says so. `headers`: of the upgrade.
    """

    def __init__(
        self,
        media_url: str,
        *,
        user: str = "",
        password: str = "",
        dialplan: Dialplan | None = None,
        impairments: Impairments | None = None,
        format_: Format = "json",
        answers_late: bool = True,
        headers: Mapping[str, str] | None = None,
        on_event: OnEvent = ignore_event,
    ) -> None:
        self.media_url = media_url
        self.headers = {**login(user, password), **(headers or {})}
        self.dialplan = dialplan or Dialplan()
        self.impairments = impairments or Impairments()
        self.format: Format = format_
        self.answers_late = answers_late
        self._on_event = on_event
        self._agenda: Agenda | None = None

    def clock(self) -> Agenda:
        """One for all calls; a new one in another event loop."""
        if self._agenda is None or self._agenda.loop is not asyncio.get_running_loop():
            self._agenda = Agenda()
        return self._agenda

    async def call(
        self,
        script: Script,
        *,
        from_: str,
        to: str,
        variables: Mapping[str, str] | None = None,
    ) -> CallReport:
        """One whole call. `variables`: what the dialplan sets besides the identity, by name without
        underscores. `report.identity.call_sid` is what the dialplan calls it: the bot has a
        name of its own for it. What the bot does wrong is in the report."""
        identity = CallIdentity(f"pbx-{token_hex(8)}", "", from_, to, "inbound")
        live = LiveCall(identity, script, self.clock(), self.impairments, self._on_event)
        return await Course(self, live, dict(variables or {})).run()


class Course:
    """The dialplan, for one caller, or for one who was called. `variables`: what it sets besides
    the identity, by name without underscores."""

    def __init__(self, phone: PbxPhone, live: LiveCall, variables: dict[str, str]) -> None:
        self._phone = phone
        self._live = live
        self._given = variables
        self._agent = variables.get("EARSHOT_AGENT", "")
        self._rounds = 0

    async def run(self) -> CallReport:
        by: EndedBy = "error"
        status: CallStatus = "failed"
        try:
            by, status = await self._follow()
        finally:
            gone = self._live.interruption
            if isinstance(gone, HungUp):
                by, status = gone.by, gone.status
            self._live.finish(by, status)
        self._live.tell("ended", self._live.report.ended_by)
        return self._live.report

    async def _follow(self) -> tuple[EndedBy, CallStatus]:
        told: Mapping[str, str] = {"do": "agent"}
        for _ in range(MOST_STEPS):
            outcome = await self._step(told)
            if self._live.interruption is not None:
                return "caller", "completed"
            if outcome is None:
                return "far_end", self._final(told.get("do", ""))
            told = await self._phone.dialplan.ask(self._form(outcome, told.get("journey", "")))
        return "limit", "completed"

    async def _step(self, told: Mapping[str, str]) -> str | None:
        """Do what the bot's server has told; how it ended, or None: nothing is to come."""
        what, to = told.get("do", ""), told.get("to", "")
        if what == "agent":
            self._agent = told.get("agent", self._agent)
            leg = BotLeg(self._phone, self._live, self._variables(told))
            return await leg.run()
        if what == "transfer":
            outcome = self._phone.dialplan.dial(to)
            self._note("Dial", {k: v for k, v in told.items() if k != "journey"}, to)
            return outcome
        self._note(what.capitalize(), dict(told))
        return None

    def _variables(self, told: Mapping[str, str]) -> dict[str, str]:
        """Of the WebSocket's channel, as they are inherited."""
        who = self._live.identity
        given = {
            "EARSHOT_FROM": who.from_,
            "EARSHOT_TO": who.to,
            "EARSHOT_CALL_ID": who.call_sid,
            "EARSHOT_AGAIN": str(self._rounds),
            "EARSHOT_NEWS": told.get("news", ""),
            **self._given,
            "EARSHOT_AGENT": self._agent,
        }
        self._rounds += 1
        return {f"__{name}": value for name, value in given.items()}

    def _form(self, outcome: str, journey: str) -> dict[str, str]:
        who = self._live.identity
        return {
            "call": who.call_sid,
            "from": who.from_,
            "to": who.to,
            "agent": self._agent,
            "rounds": str(self._rounds),
            "status": outcome,
            "journey": journey,
            "direction": self._given.get("EARSHOT_DIRECTION", "inbound"),
            "attempt": self._given.get("EARSHOT_ATTEMPT", ""),
        }

    def _final(self, what: str) -> CallStatus:
        if what in _STATUS:
            return _STATUS[what]
        return "completed" if self._live.answered else "no-answer"

    def _note(self, verb: str, attributes: Mapping[str, str], text: str = "") -> None:
        now_ms = self._live.now_ms
        self._live.report.verbs.append(VerbRecord(verb, attributes, text, now_ms, now_ms))
        self._live.tell("verb", verb)
