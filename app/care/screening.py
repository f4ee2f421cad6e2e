"""Who is let in: before a call that comes in is given a place.

    anonymous --reject--> no          the number is withheld, and the operator wants none such
    listed    --> no                  the operator's file
    blocked   --> no                  for a while: by an operator's command, or for abuse
    too many calls --> busy           from one number within a short time
    else      --> in

Calls that we place, and calls that wait for a place already, are not looked at. Redis and the file
may be away: then a caller is let in rather than lost.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TypeAlias

from app.care.blocklist import BlockFile
from app.care.callers import Caller, caller_of
from app.carriers.twilio.door import IN, OfferedCall, Screening
from app.policy.decisions import Decision, masked

Answer: TypeAlias = Literal["busy", "message"]
Rule: TypeAlias = Literal["anonymous", "listed", "blocked", "too_many_calls"]
REASONS: Final[dict[Rule, str]] = {
    "anonymous": "the caller withheld the number, and such calls are rejected",
    "listed": "the number is on the operator's list",
    "blocked": "the number is blocked for a while",
    "too_many_calls": "too many calls from this number in a short time",
}


class Blocks(Protocol):
    """See `app.live.blocks.Blocks`."""

    async def find(self, digest: str) -> object | None: ...

    async def called(self, digest: str, call_id: str, window_s: int) -> int: ...

    def remember(self, call_id: str, digest: str, shown: str) -> None: ...


class Record(Protocol):
    def record(self, decision: Decision) -> None:
        """Keep a decision; never waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSettings:
    blocked: Answer = "busy"
    """What callers hear who are not let in."""
    anonymous: Literal["allow", "reject"] = "allow"
    most_calls: int = 0
    """Of one caller within `window_s`; 0: as many as they like."""
    window_s: int = 600


class Screener:
    """`blocks` None: nothing but the file is known. `record`: whoever keeps decisions."""

    def __init__(
        self,
        settings: ScreenSettings,
        file: BlockFile | None,
        blocks: Blocks | None,
        record: Record,
    ) -> None:
        self._settings = settings
        self._file = file
        self._blocks = blocks
        self._record = record

    async def __call__(self, call: OfferedCall) -> Screening:
        """See `TwilioDoor.screen`."""
        if call.direction != "inbound":
            return IN
        caller = caller_of(call.from_number)
        rule = await self._rule(caller, call.call_sid)
        if rule is None:
            return IN
        shown = "anonymous" if caller.anonymous else masked(caller.address)
        self._record.record(
            Decision(
                datetime.now(UTC), call.call_sid, "answer", shown, False, rule, REASONS[rule], "us"
            )
        )
        return Screening("busy" if rule == "too_many_calls" else self._settings.blocked, rule)

    async def _rule(self, caller: Caller, call_id: str) -> Rule | None:
        if caller.anonymous:
            return "anonymous" if self._settings.anonymous == "reject" else None
        if self._file is not None and await self._file.match(caller):
            return "listed"
        if self._blocks is None:
            return None
        self._blocks.remember(call_id, caller.digest, masked(caller.address))
        if await self._blocks.find(caller.digest) is not None:
            return "blocked"
        most, window_s = self._settings.most_calls, self._settings.window_s
        if most and await self._blocks.called(caller.digest, call_id, window_s) > most:
            return "too_many_calls"
        return None
