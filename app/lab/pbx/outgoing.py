"""The dialplan's outgoing half: it dials whom ARI wants, hands whoever answers to the bot, and
tells the bot's server what came of it.

As `deploy/asterisk` does it: `earshot-out` dials on the second half of a Local channel, and the
first one goes on in `earshot-outgoing` once somebody is there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from app.lab.pbx.line import Course, PbxPhone
from app.lab.phone.call import LiveCall
from app.lab.phone.course import HungUp
from app.lab.phone.identity import CallIdentity, CallStatus
from app.lab.phone.people import Callee
from app.lab.phone.report import CallReport, EndedBy

ChannelState: TypeAlias = Literal["Down", "Ring", "Up"]
Status: TypeAlias = Literal["ANSWER", "BUSY", "NOANSWER", "CANCEL", "CHANUNAVAIL"]

_CAUSES: Mapping[int, str] = {404: "1", 410: "22", 484: "28", 486: "17", 603: "21"}
"""SIP's final response -> Q.850, as the PBX tells it."""
_USUAL: Mapping[Status, str] = {"ANSWER": "16", "BUSY": "17", "NOANSWER": "19", "CANCEL": "16"}
_ENDS: Mapping[Status, CallStatus] = {
    "ANSWER": "completed",
    "BUSY": "busy",
    "NOANSWER": "no-answer",
    "CANCEL": "canceled",
}
_RINGS_OUT_MS = 3_600_000


@dataclass(slots=True)
class News:
    """How `/asterisk/dialled` is told: `copies` 0: never, as if the network had been away."""

    url: str
    copies: int = 1
    told: list[Mapping[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """What was answered."""


class OutgoingCall:
    """One channel, from its making to its end."""

    def __init__(
        self,
        phone: PbxPhone,
        callee: Callee,
        news: News,
        channel_id: str,
        variables: Mapping[str, str],
    ) -> None:
        """`variables`: of the channel, by name without underscores."""
        self.channel_id = channel_id
        self.variables = dict(variables)
        self.created = datetime.now(UTC)
        self.state: ChannelState = "Down"
        self._phone = phone
        self._callee = callee
        self._news = news
        identity = CallIdentity(
            variables.get("EARSHOT_CALL_ID", channel_id),
            "",
            variables.get("EARSHOT_FROM", ""),
            variables.get("EARSHOT_TO", ""),
            "outbound-api",
        )
        self.live = LiveCall(
            identity, callee.script, phone.clock(), phone.impairments, lambda event: None
        )

    async def run(self) -> CallReport:
        self.state = "Ring"
        status = await self._ring()
        if status == "ANSWER":
            self.state = "Up"
            self.live.answer()
            await Course(self._phone, self.live, self.variables).run()
        else:
            by: EndedBy = "rest" if status == "CANCEL" else "callee"
            self.live.finish(by, _ENDS.get(status, "failed"))
        await self._tell(status)
        return self.live.report

    def hang_up(self) -> None:
        """Either half of it is hung up by ARI."""
        self.live.hang_up("rest", "completed" if self.state == "Up" else "canceled")

    async def _ring(self) -> Status:
        """As DIALSTATUS says it."""
        callee, limit_ms = self._callee, 1_000 * int(self.variables["EARSHOT_RING_S"])
        if callee.answers == "failed":
            return "CHANUNAVAIL"
        rings_ms = _RINGS_OUT_MS if callee.answers == "no-answer" else callee.ring_ms
        if await self._hung_up_within(min(rings_ms, limit_ms) / 1_000):
            return "CANCEL"
        if rings_ms >= limit_ms:
            return "NOANSWER"
        return "BUSY" if callee.answers == "busy" else "ANSWER"

    async def _hung_up_within(self, limit_s: float) -> bool:
        try:
            await asyncio.wait_for(self.live.interrupted(), limit_s)
        except TimeoutError:
            return False
        return isinstance(self.live.interruption, HungUp)

    async def _tell(self, status: Status) -> None:
        """The hangup handler: of the half that dialled, or of the one that had the bot's socket
        when that is closed."""
        cause = _CAUSES.get(self._callee.sip_code, _USUAL.get(status, "20"))
        form = {
            "call": self.variables.get("EARSHOT_CALL_ID", ""),
            "attempt": self.variables.get("EARSHOT_ATTEMPT", ""),
            "status": status,
            "cause": cause,
            "seconds": str(self.live.report.duration_ms // 1_000) if status == "ANSWER" else "",
        }
        for _ in range(self._news.copies):
            self._news.told.append(form)
            self._news.heard.append(await self._phone.dialplan.tell(self._news.url, form))
