"""The one gate between what somebody wants and the world: every dial, transfer, REFER and message.

A destination is judged by the rules of the agent whose call it is, then counted against its limits;
what was decided is written down, allowed or not.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from app.agents import Agent, AgentError
from app.call.events import Direction
from app.observe.log import event
from app.persona import Personas
from app.policy.decisions import Decision, decided
from app.policy.destinations import By, Cleared, Purpose, judge
from app.policy.limits import Action, Counters, Limits
from app.policy.numbers import Number, read_number
from app.policy.verdicts import Allowed, Refused
from app.rules import destination_rules, limit_rules
from app.ways import targets_of

logger = logging.getLogger(__name__)

_ACTIONS: Final = {
    Purpose.DIAL: "dial",
    Purpose.TRANSFER: "transfer",
    Purpose.REFER: "refer",
    Purpose.SMS: "sms",
}


@dataclass(frozen=True, slots=True)
class Who:
    """Whose call it is that something is wanted for; the numbers are personal data."""

    call_sid: str
    agent: str
    caller: str = field(default="", repr=False)
    """The other side's number, as the carrier gives it."""
    own: str = field(default="", repr=False)
    """Ours, on this call."""
    direction: Direction = "inbound"


class Recorder(Protocol):
    def __call__(self, decision: Decision) -> None:
        """Keep it. Never waits, never raises."""
        ...


class NoCounters:
    """`Counters` of a worker that shares nothing."""

    async def add(self, key: str, ttl_s: int, n: int) -> int | None:
        return None


def log_only(decision: Decision) -> None:
    """A `Recorder` that keeps nothing."""


class Gate:
    """One for a worker. `now_s`: Unix seconds."""

    def __init__(
        self,
        personas: Personas,
        counters: Counters | None = None,
        record: Recorder = log_only,
        now_s: Callable[[], float] = time.time,
        own_number: str = "",
    ) -> None:
        """`own_number`: the operator's, for lines that have none, such as calls by SIP."""
        self._own_number = own_number
        self._personas = personas
        self._limits = Limits(counters or NoCounters())
        self._record = record
        self._now_s = now_s

    async def clear(
        self, who: Who, target: str, purpose: Purpose, by: By, *, counts: bool = True
    ) -> Cleared | Refused:
        """`target`: a key of the agent's transfers, or an address. `counts` False: it is only asked
        whether it would be allowed, nothing is done yet."""
        agent = self._personas.get(who.agent).agent
        verdict = self._judged(agent, who, target, purpose, by)
        if counts and isinstance(verdict, Cleared):
            verdict = await self._counted(agent, who, verdict)
        self.decided(who.call_sid, _ACTIONS[purpose], target, verdict, by.value)
        return verdict

    async def clear_referred(self, who: Who, target: str) -> tuple[Cleared | Refused, str]:
        """A REFER wants the caller sent to `target`. Whoever sends it is believed nothing; but an
        address that is one of the agent's transfers counts as that one, whose key comes back."""
        ways = targets_of(self._personas.get(who.agent).agent)
        key = next((key for key, to in ways.items() if _same_place(to, target)), "")
        by = By.OPERATOR if key else By.DATA
        # The bare name of a transfer is no address: nobody outside knows it.
        address = "" if target in ways else target
        return await self.clear(who, key or address, Purpose.TRANSFER, by), key

    def decided(
        self,
        call_sid: str,
        action: str,
        subject: object,
        verdict: Cleared | Allowed | Refused,
        by: str,
    ) -> None:
        """Write a decision down."""
        decision = decided(self._now(), call_sid, action, subject, verdict, by)
        self._record(decision)
        if decision.allowed:
            event(logger, logging.INFO, "allowed", call=call_sid, action=action, by=by)
            return
        event(
            logger,
            logging.WARNING,
            "refused by policy",
            call=call_sid,
            action=action,
            rule=decision.rule,
            by=by,
        )

    def _judged(
        self, agent: Agent, who: Who, target: str, purpose: Purpose, by: By
    ) -> Cleared | Refused:
        ours = who.own if who.own.startswith("+") else self._own_number
        own = (ours,) if ours else ()
        try:
            rules = destination_rules(agent, own, targets_of(agent))
        except AgentError:
            # The file was checked when it was loaded: it is our number that is none. Without it no
            # country is home, and nothing that is not opened by name may be reached.
            rules = destination_rules(agent, (), targets_of(agent))
        return judge(rules, target, purpose=purpose, by=by, caller=who.caller)

    async def _counted(self, agent: Agent, who: Who, cleared: Cleared) -> Cleared | Refused:
        action = Action(
            kind="sms" if cleared.purpose is Purpose.SMS else "dial",
            call_id=who.call_sid,
            agent=who.agent,
            caller=who.caller,
            to=cleared,
        )
        verdict = await self._limits.admit(limit_rules(agent), action, self._now_s())
        return verdict if isinstance(verdict, Refused) else cleared

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._now_s(), UTC)


def _same_place(ours: str, theirs: str) -> bool:
    """Headers and parameters of a SIP address do not count, nor the case of its host, nor what
    stands between the digits of a number."""
    return bool(theirs) and _place(ours) == _place(theirs)


def _place(address: str) -> str:
    number = read_number(address)
    if isinstance(number, Number):
        return number.e164
    text = address.strip().partition("?")[0].partition(";")[0]
    user, at, host = text.rpartition("@")
    return f"{user}{at}{host.lower()}"
